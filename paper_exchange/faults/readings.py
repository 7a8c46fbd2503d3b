"""Faults in the account's books: late or shifted readings, and settlements that pay another amount than is due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice, tee

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.faults.catalogue import FaultName, Point
from paper_exchange.faults.occasions import Occasions
from paper_exchange.faults.script import Fault
from paper_exchange.protocol.frames import Frame
from paper_exchange.venue.accounts import Account, CashRow
from paper_exchange.venue.state import Venue

_CENT = Decimal("0.01")


class Readings:
    """What the account calls read of the books, and what settlements write into them."""

    def __init__(self, venue: Venue, occasions: Occasions) -> None:
        self._venue, self._occasions = venue, occasions

    def rows(self, account: Account, request: Frame) -> Iterator[CashRow]:
        """An account's statement, newest first, as this reading shows it."""
        lag = self._fault(account, "statement", FaultName.STATEMENT_LAG)
        paged = bool(request.get("offset"))
        shift = self._fault(account, "statement", FaultName.STATEMENT_SHIFT) if paged else None
        rows, now = account.newest_first(), self._venue.epoch
        if lag is not None:
            rows = behind(rows, now - lag.seconds())
        return rows if shift is None else shifted(rows, int(shift.number("rows")), now)

    def positions(self, account: Account, call: str) -> Iterable[OpenContract]:
        """Contracts that ``portfolio`` shows as open, or ``profit_table`` as closed, oldest first."""
        lag = self._fault(account, call, FaultName.PORTFOLIO_LAG)
        seen = self._venue.epoch - (lag.seconds() if lag else 0)
        return positions(account, seen, closed=call == "profit_table")

    def proceeds(self, contract: OpenContract) -> Decimal:
        """What a contract that is over pays."""
        due = contract.proceeds()
        fault = self._occasions.take(
            Point.BOOKS,
            account=contract.account_id,
            symbol=contract.terms.symbol.name,
            suits=lambda name: name is FaultName.VOIDED or (name is FaultName.PAYOUT_DIFFERS and due > 0),
        )
        if fault is None:
            return due
        facts = {"contract_id": contract.contract_id, "account_id": contract.account_id, "due": f"{due:.2f}"}
        self._occasions.record(fault, **facts)
        return proceeds(contract, fault, due)

    def _fault(self, account: Account, call: str, wanted: FaultName) -> Fault | None:
        fault = self._occasions.take(
            Point.BOOKS, call=call, account=account.account_id, suits=lambda name: name is wanted
        )
        if fault is not None:
            self._occasions.record(fault, call=call, account_id=account.account_id)
        return fault


def behind(rows: Iterable[CashRow], seen: int) -> Iterator[CashRow]:
    """Rows written up to ``seen``; later ones are not there yet."""
    return (row for row in rows if row.time <= seen)


def shifted(rows: Iterator[CashRow], by: int, now: int) -> Iterator[CashRow]:
    """Rows as a later page finds them: ``by`` new ones on top, or that many gone when it is negative.

    The new ones carry the time of now, so a page that is bounded by a fixed ``date_to`` does not move.
    """
    if by < 0:
        return islice(rows, -by, None)
    rows, peek = tee(rows)
    top = next(peek, None)
    new = [] if top is None else [replace(top, time=now)] * by
    return iter([*new, *rows])


def positions(account: Account, seen: int, *, closed: bool) -> Iterable[OpenContract]:
    """Contracts that were open, or closed, at ``seen``, oldest first."""
    return [
        contract
        for contract in account.contracts.values()
        if contract.start <= seen
        and (contract.sold_for is not None and contract.sell_time is not None and contract.sell_time <= seen) == closed
    ]


def proceeds(contract: OpenContract, fault: Fault, due: Decimal) -> Decimal:
    """What is paid instead of ``due``; a voided contract loses its settlement and is shown as cancelled."""
    if fault.name is FaultName.VOIDED:
        contract.settlement = None
        return contract.price.ask
    return (due * Decimal(str(fault.number("factor")))).quantize(_CENT, ROUND_HALF_UP)
