"""``audit_details``: the ticks around the start and the end of a contract that is over, with those that counted marked.

Recorded: two ticks before the start second, the start second itself (with its tick when there is one), the entry tick
and two more; the exit tick with two before it, the end second, and the first tick after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.money import spot

AROUND = 2
"""Ticks shown before and after the entry and the exit."""

_START, _ENTRY = ("Start Time", "highlight_time"), ("Entry Spot", "highlight_tick")
_END, _EXIT = ("End Time", "highlight_time"), ("Exit Spot", "highlight_tick")
_Marks = dict[int, tuple[str, str]]


def audit_details(contract: OpenContract, earlier: Iterable[tuple[int, float]]) -> dict[str, Any]:
    """The ``audit_details`` of a ``proposal_open_contract`` frame.

    Args:
        contract: over.
        earlier: ticks at and before the start second, oldest first.
    """
    ticks = dict(earlier)
    before = [epoch for epoch in ticks if epoch < contract.start]
    ticks |= zip(contract.epochs, contract.quotes, strict=True)
    epochs = contract.epochs
    marks: _Marks = {contract.start: _START}
    if epochs:
        marks[epochs[0]] = _ENTRY
    start = _rows(contract, ticks, [*before[-AROUND:], contract.start, *epochs[: 1 + AROUND]], marks)
    audit: dict[str, Any] = {"contract_start": start, "contract_end": []}
    if contract.exit is not None:
        at = contract.exit[0]
        upto = [epoch for epoch in epochs if epoch <= at]
        shown, marks = upto[-1 - AROUND :], {at: _EXIT}
        if not contract.contract.in_ticks and epochs[-1] > contract.end:
            # Where the exit tick fell on the last second, its own mark stays.
            marks = {contract.end: _END} | marks
            shown = [*shown, *([contract.end] if at != contract.end else []), epochs[-1]]
        audit["contract_end"] = _rows(contract, ticks, shown, marks)
    if contract.contract.in_ticks:
        audit["all_ticks"] = _rows(contract, ticks, epochs, {})
    return audit


def _rows(
    contract: OpenContract, ticks: dict[int, float], epochs: Iterable[int], marks: _Marks
) -> list[dict[str, Any]]:
    rows = []
    for epoch in epochs:
        row: dict[str, Any] = {"epoch": epoch}
        if epoch in marks:
            row["name"], row["flag"] = marks[epoch]
        if epoch in ticks:
            row |= {"tick": spot(ticks[epoch]), "tick_display_value": contract.terms.symbol.format(ticks[epoch])}
        rows.append(row)
    return rows
