"""Decides from the venue's records whether an intent was bought. Pure: rows and times in, a verdict out.

Deriv has no client order id: a purchase is recognised by its type, symbol, duration, price, payout and time. That is
enough only because at most one intent is unresolved at a time and nobody else trades on the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from live_runner.ledger.records import CashRow, Intent
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.records import Shortcode

ABSENCE_S = 120.0
"""Venue seconds after the send before a purchase can be ruled out: four times the published 30 s RPC timeout."""
CLEAN_READS = 3
"""Complete statement reads without the purchase that ruling it out takes."""
READ_SPACING_S = 5.0
"""Venue seconds between reads that count separately."""
CONFIRM_S = 5.0
"""Venue seconds after a rejection before a statement without the purchase confirms it."""
TOMBSTONE_S = 86_400.0
"""How long a purchase that was ruled out is still recognised when it turns up after all."""
MAX_PURCHASE_BEFORE_SEND_S = 2.0
"""Seconds the venue's transaction time may lie before our send."""


class Proof(StrEnum):
    """What to do with an unknown intent."""

    BOUND = "bound"  # exactly one purchase on the statement matches
    WAIT = "wait"  # not enough evidence yet
    NOT_BOUGHT = "not_bought"  # absent for long enough from enough complete statements
    QUARANTINE = "quarantine"  # more than one purchase matches


@dataclass(frozen=True, slots=True)
class Verdict:
    """A proof with its row (BOUND only) and one line of explanation."""

    proof: Proof
    why: str
    row: CashRow | None = None


def matches(intent: Intent, row: CashRow) -> bool:
    """Whether a buy row can be this intent's purchase; a row without a readable shortcode never can."""
    if row.action != "buy" or row.contract_id is None or intent.sent_at is None or row.shortcode is None:
        return False
    if not intent.sent_at - MAX_PURCHASE_BEFORE_SEND_S <= row.time <= intent.sent_at + TOMBSTONE_S:
        return False
    try:
        code = Shortcode.parse(row.shortcode)
    except FrameError:
        return False
    contract = intent.contract
    length = code.ticks if contract.in_ticks else code.seconds
    return (
        code.contract_type == contract.contract_type.value
        and code.symbol == intent.symbol
        and length == (contract.duration if contract.in_ticks else contract.seconds)
        and -row.amount_cents == intent.ask_cents
        and code.payout_cents == intent.payout_cents
        and (row.payout_cents is None or row.payout_cents == intent.payout_cents)
    )


def judge(
    intent: Intent,
    unbound: Iterable[CashRow],
    *,
    now: float,
    sender_gone: bool,
    clean_reads: Sequence[float],
) -> Verdict:
    """What the evidence says about an UNKNOWN intent.

    Args:
        intent: sent, outcome unknown.
        unbound: booked purchases that belong to no intent, with shortcodes.
        now: venue time.
        sender_gone: the connection that sent the buy is closed.
        clean_reads: times of complete statement reads, on a newer connection, that did not show the purchase.
    """
    candidates = [row for row in unbound if matches(intent, row)]
    if len(candidates) == 1:
        return Verdict(Proof.BOUND, f"transaction {candidates[0].transaction_id}", candidates[0])
    if candidates:
        ids = ", ".join(str(row.transaction_id) for row in candidates)
        return Verdict(Proof.QUARANTINE, f"transactions {ids} all match")
    if intent.sent_at is None or not now >= intent.sent_at + ABSENCE_S:
        return Verdict(Proof.WAIT, f"a purchase may still appear for {ABSENCE_S:.0f} s after sending")
    if not sender_gone:
        return Verdict(Proof.WAIT, "the connection that sent it is still open; reconnect")
    counted = _spaced([t for t in clean_reads if t >= intent.sent_at])
    if len(counted) < CLEAN_READS or not counted[-1] >= intent.sent_at + ABSENCE_S:
        return Verdict(Proof.WAIT, f"{len(counted)} of {CLEAN_READS} clean statement reads")
    return Verdict(Proof.NOT_BOUGHT, f"absent from {len(counted)} complete statements")


def in_chain_order(rows: Iterable[CashRow], balance_cents: int) -> tuple[list[CashRow], list[CashRow]]:
    """Arrange new rows so that each follows the balance of the one before.

    Args:
        rows: rows not booked yet, in any order.
        balance_cents: balance after the last booked row.

    Returns:
        ``(rows that follow, rows that do not)``; the second list is empty when nothing is missing in between.
    """
    waiting = sorted(rows, key=lambda row: (row.time, row.transaction_id))
    ordered: list[CashRow] = []
    while waiting:
        following = next((r for r in waiting if r.balance_cents - r.amount_cents == balance_cents), None)
        if following is None:
            break
        waiting.remove(following)
        ordered.append(following)
        balance_cents = following.balance_cents
    return ordered, waiting


def _spaced(times: Iterable[float]) -> list[float]:
    """The times that lie at least ``READ_SPACING_S`` after the one counted before."""
    counted: list[float] = []
    for time in sorted(times):
        if not counted or time >= counted[-1] + READ_SPACING_S:
            counted.append(time)
    return counted
