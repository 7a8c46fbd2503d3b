"""Builders of request payloads (without ``req_id``, which the client adds). The only request built elsewhere is the
purchase: ``DerivClient.start_buy`` alone can build one."""

from __future__ import annotations

from typing import Any

from xtitan_core.contracts import Contract
from xtitan_core.deriv.fields import from_cents

MAX_HISTORY = 5_000
"""Most ticks one ``ticks_history`` request returns."""

MAX_STATEMENT_ROWS = 300
"""Rows per page that fit a trading socket's frame limit even with descriptions."""


def proposal(
    symbol: str, contract: Contract, stake_cents: int, currency: str = "USD", decimals: int = 5
) -> dict[str, Any]:
    """A quote for staking exactly ``stake_cents``.

    Args:
        symbol: underlying.
        contract: what to price; offsets from the entry become signed text, levels and a predicted digit unsigned text.
        stake_cents: positive.
        currency: the account's.
        decimals: the symbol's price decimals, for barriers.

    Raises:
        ValueError: when the stake is not positive.
    """
    if stake_cents <= 0:
        raise ValueError(f"the stake must be positive, got {stake_cents} cents")
    payload: dict[str, Any] = {
        "proposal": 1,
        "amount": from_cents(stake_cents),
        "basis": "stake",
        "contract_type": contract.contract_type.value,
        "currency": currency,
        "duration": contract.duration,
        "duration_unit": contract.unit.value,
        "underlying_symbol": symbol,
    }
    sign = "" if contract.absolute else "+"
    if contract.barrier is not None:
        payload["barrier"] = f"{contract.barrier:{sign}.{decimals}f}"
    if contract.barrier2 is not None:
        payload["barrier2"] = f"{contract.barrier2:{sign}.{decimals}f}"
    if contract.digit is not None:
        payload["barrier"] = str(contract.digit)
    return payload


def ticks_history(symbol: str, start: int, end: int, count: int = MAX_HISTORY) -> dict[str, Any]:
    """The latest ``count`` ticks with start <= epoch <= end."""
    return {"ticks_history": symbol, "start": start, "end": str(end), "count": count, "style": "ticks"}


def latest_ticks(symbol: str, count: int = MAX_HISTORY) -> dict[str, Any]:
    """The latest ``count`` ticks up to now. For scripts against a venue; the packages always ask for a range."""
    return {"ticks_history": symbol, "end": "latest", "count": count, "style": "ticks"}


def ticks(*symbols: str) -> dict[str, Any]:
    """A stream of ticks (send it with ``subscribe``)."""
    return {"ticks": symbols[0] if len(symbols) == 1 else list(symbols)}


def transaction() -> dict[str, Any]:
    """The stream of cash movements (send it with ``subscribe``)."""
    return {"transaction": 1}


def balance() -> dict[str, Any]:
    """The account's cash, once; with ``subscribe`` a stream."""
    return {"balance": 1}


def open_contract(contract_id: int | None = None) -> dict[str, Any]:
    """The state of one contract, or of all open ones when no id is given."""
    return {"proposal_open_contract": 1} | ({} if contract_id is None else {"contract_id": contract_id})


def portfolio() -> dict[str, Any]:
    """All open contracts, once."""
    return {"portfolio": 1}


def statement(
    date_from: int, date_to: int, *, limit: int = 100, offset: int = 0, action_type: str | None = None
) -> dict[str, Any]:
    """Cash movements with date_from <= time < date_to (``date_to`` is exclusive), newest first, with descriptions.

    Raises:
        ValueError: when ``limit`` would not fit one frame.
    """
    if not 1 <= limit <= MAX_STATEMENT_ROWS:
        raise ValueError(f"limit must be 1 to {MAX_STATEMENT_ROWS}, got {limit}")
    payload: dict[str, Any] = {
        "statement": 1,
        "description": 1,
        "date_from": date_from,
        "date_to": date_to,
        "limit": limit,
        "offset": offset,
    }
    if action_type is not None:
        payload["action_type"] = action_type
    return payload


def active_symbols() -> dict[str, Any]:
    """All symbols, short form."""
    return {"active_symbols": "brief"}


def contracts_for(symbol: str) -> dict[str, Any]:
    """Contracts offered on one symbol."""
    return {"contracts_for": symbol}


def time() -> dict[str, Any]:
    """The venue's clock."""
    return {"time": 1}


def forget(subscription_id: str) -> dict[str, Any]:
    """End one stream."""
    return {"forget": subscription_id}
