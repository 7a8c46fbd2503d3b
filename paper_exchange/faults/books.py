"""Books that are read late or shifted, and settlements that pay something else than was due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice, tee
from typing import TYPE_CHECKING

from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.script import Fault

if TYPE_CHECKING:
    from paper_exchange.contracts.open_contract import OpenContract
    from paper_exchange.venue.accounts import Account, CashRow

_CENT = Decimal("0.01")


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
