"""Acting on the evidence: every purchase gets an owner, every unknown intent a verdict, every stranger a halt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from live_runner.guards.latch import KillLatch
from live_runner.ledger import CashRow, Intent, IntentState, Ledger, Receipt
from live_runner.reconcile.binding import CONFIRM_S, READ_SPACING_S, TOMBSTONE_S, Proof, judge, matches
from xtitan_core.deriv.errors import FrameError


@dataclass
class Findings:
    """What one pass of recovery found, while it runs.

    Attributes:
        waiting: reasons not to trade yet that time or a person resolves.
        disagreements: differences between ledger and venue that must vanish soon.
        halted: why this pass halted the runner.
    """

    waiting: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    halted: str | None = None
    bound: list[Intent] = field(default_factory=list)
    not_bought: list[Intent] = field(default_factory=list)
    abandoned: list[Intent] = field(default_factory=list)
    settled: list[Intent] = field(default_factory=list)
    late: list[Intent] = field(default_factory=list)
    balance_cents: int | None = None
    skew_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read in one pass.

    Attributes:
        rows: statement rows by transaction id, with shortcodes.
        generation: the connection they were read on.
        venue_now: the venue's time before reading.
        complete: the balance chain closes up to the account's present balance, and the portfolio holds nothing that
            the statement does not explain. Only a complete read can rule anything out.
    """

    rows: Mapping[int, CashRow]
    generation: int
    venue_now: int
    complete: bool


def close_earlier_runs(ledger: Ledger, now: float, found: Findings) -> None:
    """Finish what an earlier run left in the middle. Intents of this run are the gate's own to finish."""
    for intent in ledger.intents.prepared():
        if intent.run < ledger.run:  # no SENT row: the frame was never written
            found.abandoned.append(ledger.intents.abandon(intent.intent_id, "the runner stopped before sending", now))
    for intent in ledger.intents.unresolved():
        if intent.state is IntentState.SENT and intent.run < ledger.run:
            ledger.intents.unknown(intent.intent_id, "the runner stopped before the answer", now)


def resolve(ledger: Ledger, latch: KillLatch, evidence: Evidence, now: float, found: Findings) -> None:
    """Bind, rule out, quarantine, confirm or halt, as the evidence demands.

    Raises:
        FrameError: when a purchase of ours lacks its payout on the statement.
    """
    booked = ledger.cash.unbound_buys()
    unbound = [evidence.rows[r.transaction_id] for r in booked if r.transaction_id in evidence.rows]
    unlisted = [str(r.contract_id) for r in booked if r.transaction_id not in evidence.rows]
    if unlisted:
        # The stream told of a purchase that the lagging statement does not describe yet: whose it is, is open.
        found.disagreements.append(f"the purchase of contracts {', '.join(unlisted)} is not on the statement yet")
        evidence = replace(evidence, complete=False)
    for intent in ledger.intents.unresolved():
        if intent.state is IntentState.UNKNOWN:
            _resolve_unknown(ledger, intent, unbound, evidence, now, found)
    _find_strangers(ledger, latch, unbound, now, found)
    for intent in ledger.intents.unresolved():
        confirmable = intent.state is IntentState.REJECTED and intent.resolved_at is not None and evidence.complete
        if confirmable and evidence.venue_now >= (intent.resolved_at or 0.0) + CONFIRM_S:
            ledger.intents.confirm_rejection(intent.intent_id, now)


def _resolve_unknown(
    ledger: Ledger, intent: Intent, unbound: list[CashRow], evidence: Evidence, now: float, found: Findings
) -> None:
    sender_gone = (intent.run, intent.generation) != (ledger.run, evidence.generation)
    reads = [float(detail) for _, detail in ledger.notes("clean_read", intent.intent_id)]
    absent = not any(matches(intent, row) for row in unbound)
    spaced = not reads or evidence.venue_now >= reads[-1] + READ_SPACING_S
    if evidence.complete and sender_gone and absent and spaced:
        ledger.note("clean_read", str(evidence.venue_now), now, intent.intent_id)
        reads.append(float(evidence.venue_now))
    verdict = judge(
        intent,
        unbound,
        now=evidence.venue_now,
        sender_gone=sender_gone,
        clean_reads=reads if evidence.complete else [],
    )
    match verdict.proof:
        case Proof.BOUND if verdict.row is not None:
            opened = ledger.intents.opened(intent.intent_id, _receipt(verdict.row), now, verdict.why)
            found.bound.append(opened)
            if opened.state is IntentState.SETTLED:
                found.settled.append(opened)
        case Proof.QUARANTINE:
            ledger.intents.quarantine(intent.intent_id, verdict.why, now)
        case Proof.NOT_BOUGHT:
            found.not_bought.append(ledger.intents.not_bought(intent.intent_id, verdict.why, now))
        case _:
            found.waiting.append(f"intent {intent.intent_id}: {verdict.why}")


def _find_strangers(ledger: Ledger, latch: KillLatch, unbound: list[CashRow], now: float, found: Findings) -> None:
    """Adopt purchases that were ruled out too early, and report those that were never ours; both halt."""
    unresolved = ledger.intents.unresolved()
    if any(i.state is IntentState.SENT for i in unresolved):
        return  # its answer may still claim the row
    quarantined = [i for i in unresolved if i.state is IntentState.QUARANTINED]
    strangers = []
    for row in unbound:
        if ledger.cash.is_bound(row) or any(matches(i, row) for i in quarantined):
            continue
        ruled_out = [i for i in ledger.intents.tombstones(row.time - TOMBSTONE_S) if matches(i, row)]
        if len(ruled_out) == 1:
            found.late.append(ledger.intents.late_bound(ruled_out[0].intent_id, _receipt(row), now))
        else:
            strangers.append(row)
    if found.late:
        found.halted = f"contract {found.late[0].contract_id} was bought after it had been ruled out"
        latch.halt(found.halted, "recovery")
    if strangers:
        ledger.cash.record_foreign(strangers, now)
        ids = ", ".join(str(row.contract_id) for row in strangers[:5])
        found.halted = f"contracts {ids} on the account are not ours; nobody else may trade on it"
        latch.halt(found.halted, "recovery")


def _receipt(row: CashRow) -> Receipt:
    if row.contract_id is None or row.payout_cents is None:
        raise FrameError(f"statement row {row.transaction_id} lacks its contract or payout")
    return Receipt(row.contract_id, row.transaction_id, -row.amount_cents, row.payout_cents, row.time)
