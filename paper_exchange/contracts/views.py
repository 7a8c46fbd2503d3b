"""A contract as the wire shows it: ``proposal_open_contract``, portfolio and profit table rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from paper_exchange.contracts.audit import audit_details
from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.resale import REFUSALS
from paper_exchange.money import number, spot, text
from xtitan_core.clock import DAY
from xtitan_core.contracts import DIGITS, PATH, TWO_BARRIERS, UNIT_SECONDS, ContractType

_RECORDED_NAMES = {ContractType.HIGHER: "CALL", ContractType.LOWER: "PUT"}


@dataclass(frozen=True, slots=True)
class Moment:
    """What a contract's state depends on beside the contract.

    Attributes:
        now: venue second.
        last: epoch and quote of the symbol's latest tick.
        value: what the contract is worth now, or was sold for.
        refusal: why it cannot be sold back, None when it can.
        earlier: the ticks up to the start second that the audit shows, oldest first.
        leading: a tick before the entry that a tick contract's stream starts with, None for none.
        account_as_text: show the account's name and not its number.
        barrier_names: show HIGHER and LOWER by their own names.
    """

    now: int
    last: tuple[int, float]
    value: Decimal
    refusal: str | None
    earlier: tuple[tuple[int, float], ...] = ()
    leading: tuple[int, float] | None = None
    account_as_text: bool = False
    barrier_names: bool = False


def open_contract_view(contract: OpenContract, moment: Moment) -> dict[str, Any]:
    """The body of a ``proposal_open_contract`` frame."""
    show = contract.terms.symbol.format
    sold = contract.sold_for is not None
    settled = int(sold and contract.resale is None)
    profit = moment.value - contract.price.ask
    body: dict[str, Any] = {
        "account_id": contract.account_id if moment.account_as_text else int(contract.account_id[3:]),
        "barrier_count": 2 if contract.contract.contract_type in TWO_BARRIERS else 1,
        "bid_price": text(moment.value),
        "buy_price": text(contract.price.ask),
        "contract_id": contract.contract_id,
        "contract_type": shown_type(contract, own_names=moment.barrier_names),
        "currency": "USD",
        "current_spot": show(moment.last[1]),
        "current_spot_time": moment.last[0],
        "date_expiry": contract.end,
        "date_settlement": contract.end,
        "date_start": contract.start,
        "expiry_time": contract.end,
        "is_expired": int(settled or (not contract.contract.in_ticks and moment.now >= contract.end)),
        "is_intraday": int(contract.contract.in_ticks or contract.end - contract.start <= DAY),
        "is_path_dependent": int(contract.contract.contract_type in PATH),
        "is_settleable": settled,
        "is_sold": int(sold),
        "is_valid_to_cancel": 0,
        "is_valid_to_sell": int(moment.refusal is None),
        "longcode": contract.longcode,
        "payout": text(contract.price.payout),
        "profit": text(profit),
        "profit_percentage": number((profit / contract.price.ask * 100).quantize(Decimal("0.01"))),
        "purchase_time": contract.start,
        "shortcode": contract.shortcode,
        "status": contract.status,
        "transaction_ids": {"buy": contract.buy_id},
        "underlying_symbol": contract.terms.symbol.name,
    }
    if moment.refusal is not None:
        body |= {
            "validation_error": REFUSALS[moment.refusal],
            "validation_error_code": moment.refusal,
            "validation_error_code_args": None,
        }
    body |= _barriers(contract)
    if contract.entry is not None:
        body |= {"entry_spot": show(contract.entry[1]), "entry_spot_time": contract.entry[0]}
    if contract.contract.in_ticks:
        ticks = list(zip(contract.epochs, contract.quotes, strict=True))
        if moment.leading is not None:
            ticks.insert(0, moment.leading)
        body |= {
            "tick_count": contract.contract.duration,
            "tick_stream": [{"epoch": e, "tick": spot(q), "tick_display_value": show(q)} for e, q in ticks],
        }
    if sold:
        body |= {"sell_price": text(moment.value), "sell_time": contract.sell_time}
        body["transaction_ids"] = {"buy": contract.buy_id, "sell": contract.sell_id}
        body["audit_details"] = audit_details(contract, moment.earlier)
        if contract.exit is not None:
            body |= {"exit_spot": show(contract.exit[1]), "exit_spot_time": contract.exit[0]}
    return body


def _barriers(contract: OpenContract) -> dict[str, Any]:
    """Barriers once they are known: levels and digits at the purchase, offsets from the entry on."""
    kind, show = contract.contract.contract_type, contract.terms.symbol.format
    if kind in DIGITS:
        return {} if contract.contract.digit is None else {"barrier": str(contract.contract.digit)}
    if contract.contract.barrier is None:
        # Rise/fall is compared with its entry.
        return {} if contract.entry is None else {"barrier": show(contract.entry[1])}
    upper, lower = contract.levels
    if kind in TWO_BARRIERS:
        return {} if upper is None or lower is None else {"high_barrier": show(upper), "low_barrier": show(lower)}
    level = lower if upper is None else upper
    return {} if level is None else {"barrier": show(level)}


def shown_type(contract: OpenContract, *, own_names: bool) -> str:
    """A contract's type as books and states name it: that of its shortcode, or with ``own_names`` its own."""
    kind = contract.contract.contract_type
    return str(kind) if own_names else _RECORDED_NAMES.get(kind, str(kind))


def portfolio_row(contract: OpenContract, *, own_names: bool = False) -> dict[str, Any]:
    """One contract of ``portfolio``."""
    return {
        "buy_price": number(contract.price.ask),
        "contract_id": contract.contract_id,
        "contract_type": shown_type(contract, own_names=own_names),
        "currency": "USD",
        "date_start": contract.start,
        "expiry_time": contract.end,
        "longcode": contract.longcode,
        "payout": number(contract.price.payout),
        "purchase_time": contract.start,
        "shortcode": contract.shortcode,
        "transaction_id": contract.buy_id,
        "underlying_symbol": contract.terms.symbol.name,
    }


def profit_row(contract: OpenContract, *, described: bool, own_names: bool = False) -> dict[str, Any]:
    """One closed contract of ``profit_table``; its type, durations and texts only where ``described``."""
    row: dict[str, Any] = {
        "buy_price": number(contract.price.ask),
        "contract_id": contract.contract_id,
        "payout": number(contract.price.payout),
        "purchase_time": contract.start,
        "sell_price": number(contract.sold_for or Decimal(0)),
        "sell_time": contract.sell_time,
        "transaction_id": contract.buy_id,
    }
    if described:
        row |= {
            "contract_type": shown_type(contract, own_names=own_names),
            "duration_type": _duration_type(contract),
            "longcode": contract.longcode,
            "shortcode": contract.shortcode,
            "underlying_symbol": contract.terms.symbol.name,
        }
    return row


def _duration_type(contract: OpenContract) -> str:
    """The unit a contract was asked for in, by its size; a fixed end counts in seconds."""
    if contract.contract.in_ticks:
        return "ticks"
    if contract.terms.daily:
        return "days"
    seconds = UNIT_SECONDS[contract.terms.contract.unit]
    return {1: "seconds", 60: "minutes", 3_600: "hours"}.get(seconds, "days")
