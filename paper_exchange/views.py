"""A contract as the wire shows it: ``proposal_open_contract``, portfolio and profit table rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from paper_exchange.money import number, spot, text
from paper_exchange.open_contract import OpenContract
from paper_exchange.pricing import bid
from xtitan_core.contracts import UNIT_SECONDS, DurationUnit

_RESALE = {
    "ContractAlreadySold": "This contract has been sold.",
    "SameStartSellTime": "Contract cannot be sold at this time. Please try again.",
    "EntryTickMissing": "Waiting for entry tick.",
    "ResaleNotOffered": "Resale of this contract is not offered.",
}


def open_contract_view(contract: OpenContract, now: int, last: tuple[int, float]) -> dict[str, Any]:
    """The body of a ``proposal_open_contract`` frame.

    Args:
        now: venue second.
        last: epoch and quote of the symbol's latest tick.
    """
    show = contract.terms.symbol.format
    sold = contract.sold_for is not None
    value = contract.sold_for if contract.sold_for is not None else _bid(contract, now, last[1])
    profit = value - contract.price.ask
    code = (
        "ContractAlreadySold"
        if sold
        else "SameStartSellTime"
        if now == contract.start
        else "EntryTickMissing"
        if contract.entry is None
        else "ResaleNotOffered"
    )
    over = int(sold)
    body: dict[str, Any] = {
        "account_id": int(contract.account_id[3:]),
        "barrier_count": 1,
        "bid_price": text(value),
        "buy_price": text(contract.price.ask),
        "contract_id": contract.contract_id,
        "contract_type": str(contract.contract.contract_type),
        "currency": "USD",
        "current_spot": show(last[1]),
        "current_spot_time": last[0],
        "date_expiry": contract.end,
        "date_settlement": contract.end,
        "date_start": contract.start,
        "expiry_time": contract.end,
        "is_expired": over,
        "is_intraday": 1,
        "is_path_dependent": 0,
        "is_settleable": over,
        "is_sold": over,
        "is_valid_to_cancel": 0,
        "is_valid_to_sell": 0,
        "longcode": contract.longcode,
        "payout": text(contract.price.payout),
        "profit": text(profit),
        "profit_percentage": number((profit / contract.price.ask * 100).quantize(Decimal("0.01"))),
        "purchase_time": contract.start,
        "shortcode": contract.shortcode,
        "status": contract.status,
        "transaction_ids": {"buy": contract.buy_id},
        "underlying_symbol": contract.terms.symbol.name,
        "validation_error": _RESALE[code],
        "validation_error_code": code,
    }
    if contract.entry is not None:
        epoch, quote = contract.entry
        body |= {"barrier": show(quote), "entry_spot": show(quote), "entry_spot_time": epoch}
    if contract.contract.in_ticks:
        body |= {
            "tick_count": contract.contract.duration,
            "tick_passed": max(0, len(contract.epochs) - 1),
            "tick_stream": [
                {"epoch": e, "tick": spot(q), "tick_display_value": show(q)}
                for e, q in zip(contract.epochs, contract.quotes, strict=True)
            ],
        }
    if sold:
        body |= {"sell_price": text(value), "sell_time": contract.sell_time}
        body["transaction_ids"] = {"buy": contract.buy_id, "sell": contract.sell_id}
        body["audit_details"] = _audit(contract)
        if contract.settlement is not None:
            body |= {
                "exit_spot": show(contract.settlement.exit),
                "exit_spot_time": contract.settlement.exit_epoch,
            }
    return body


def _bid(contract: OpenContract, now: int, quote: float) -> Decimal:
    if contract.contract.in_ticks:
        passed = max(0, len(contract.epochs) - 1)
        left = float((contract.contract.duration - passed) * contract.terms.symbol.tick_seconds)
    else:
        left = float(contract.end - now)
    return bid(
        contract.terms.symbol,
        rise=contract.terms.rise,
        payout=contract.price.payout,
        commission=contract.commission,
        spot=quote,
        barrier=contract.entry[1] if contract.entry else quote,
        left=left,
    )


def _audit(contract: OpenContract) -> dict[str, Any]:
    """The ticks around start and end, with the ones that counted marked."""
    show = contract.terms.symbol.format
    seen = dict(zip(contract.epochs, contract.quotes, strict=True))
    seen.setdefault(contract.spot_time, contract.spot)

    def row(epoch: int, name: str | None, flag: str) -> dict[str, Any]:
        line: dict[str, Any] = {"epoch": epoch}
        if epoch in seen:
            line |= {"tick": spot(seen[epoch]), "tick_display_value": show(seen[epoch])}
        if name is not None:
            line |= {"flag": flag, "name": name}
        return line

    start = []
    if contract.spot_time < contract.start:
        start.append(row(contract.spot_time, None, ""))
    start.append(row(contract.start, "Start Time", "highlight_time"))
    if contract.entry is not None:
        start.append(row(contract.entry[0], "Entry Spot", "highlight_tick"))
    end = []
    if contract.settlement is not None:
        at = contract.settlement.exit_epoch
        end.append(row(at, "Exit Spot", "highlight_tick"))
        if not contract.contract.in_ticks:
            if at != contract.end:
                end.append(row(contract.end, "End Time", "highlight_time"))
            end.append(row(contract.epochs[-1], None, ""))
    audit: dict[str, Any] = {"contract_start": start, "contract_end": end}
    if contract.contract.in_ticks:
        audit["all_ticks"] = [row(e, None, "") for e in contract.epochs]
    return audit


def portfolio_row(contract: OpenContract) -> dict[str, Any]:
    """One contract of ``portfolio``."""
    return {
        "buy_price": number(contract.price.ask),
        "contract_id": contract.contract_id,
        "contract_type": str(contract.contract.contract_type),
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


def profit_row(contract: OpenContract, *, described: bool) -> dict[str, Any]:
    """One closed contract of ``profit_table``."""
    unit = contract.contract.unit
    row: dict[str, Any] = {
        "buy_price": number(contract.price.ask),
        "contract_id": contract.contract_id,
        "contract_type": str(contract.contract.contract_type),
        "duration_type": {DurationUnit.TICKS: "ticks"}.get(
            unit, "minutes" if UNIT_SECONDS.get(unit, 0) >= 60 else "seconds"
        ),
        "payout": number(contract.price.payout),
        "purchase_time": contract.start,
        "sell_price": number(contract.sold_for or Decimal(0)),
        "sell_time": contract.sell_time,
        "transaction_id": contract.buy_id,
        "underlying_symbol": contract.terms.symbol.name,
    }
    if described:
        row |= {"longcode": contract.longcode, "shortcode": contract.shortcode}
    return row
