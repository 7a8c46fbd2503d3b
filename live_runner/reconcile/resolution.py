"""Acts on one read of the venue's records: binds purchases, decides unknown intents, halts at foreign purchases."""

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


def close_earlier_runs(ledger: Ledger, now: float, findings: Findings) -> None:
    """Abandon or mark as unknown what an earlier run left unfinished; the gate finishes the intents of this run."""
    for intent in ledger.intents.prepared():
        if intent.run < ledger.run:  # no SENT row: the frame was never written
            findings.abandoned.append(
                ledger.intents.abandon(intent.intent_id, "the runner stopped before sending", now)
            )
    for intent in ledger.intents.unresolved():
        if intent.state is IntentState.SENT and intent.run < ledger.run:
            ledger.intents.unknown(intent.intent_id, "the runner stopped before the answer", now)


def resolve(ledger: Ledger, latch: KillLatch, evidence: Evidence, now: float, findings: Findings) -> None:
    """Bind, rule out or quarantine unknown intents, confirm rejections, and halt at purchases that are not ours.

    Raises:
        FrameError: when a purchase of ours lacks its payout on the statement.
    """
    booked = ledger.cash.unbound_buys()
    unbound = [evidence.rows[r.transaction_id] for r in booked if r.transaction_id in evidence.rows]
    unlisted = [str(r.contract_id) for r in booked if r.transaction_id not in evidence.rows]
    if unlisted:
        # The stream has booked a purchase that the statement does not show yet, so its owner is not known.
        findings.disagreements.append(f"the purchase of contracts {', '.join(unlisted)} is not on the statement yet")
        evidence = replace(evidence, complete=False)
    for intent in ledger.intents.unresolved():
        if intent.state is IntentState.UNKNOWN:
            _resolve_unknown(ledger, intent, unbound, evidence, now, findings)
    _adopt_late_or_report_foreign(ledger, latch, unbound, now, findings)
    for intent in ledger.intents.unresolved():
        confirmable = intent.state is IntentState.REJECTED and intent.resolved_at is not None and evidence.complete
        if confirmable and evidence.venue_now >= (intent.resolved_at or 0.0) + CONFIRM_S:
            ledger.intents.confirm_rejection(intent.intent_id, now)


def _resolve_unknown(
    ledger: Ledger, intent: Intent, unbound: list[CashRow], evidence: Evidence, now: float, findings: Findings
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
            findings.bound.append(opened)
            if opened.state is IntentState.SETTLED:
                findings.settled.append(opened)
        case Proof.QUARANTINE:
            ledger.intents.quarantine(intent.intent_id, verdict.why, now)
        case Proof.NOT_BOUGHT:
            findings.not_bought.append(ledger.intents.not_bought(intent.intent_id, verdict.why, now))
        case _:
            findings.waiting.append(f"intent {intent.intent_id}: {verdict.why}")


def _adopt_late_or_report_foreign(
    ledger: Ledger, latch: KillLatch, unbound: list[CashRow], now: float, findings: Findings
) -> None:
    """Bind purchases of intents that were ruled out too early, and record those of no intent; both halt the runner."""
    unresolved = ledger.intents.unresolved()
    if any(i.state is IntentState.SENT for i in unresolved):
        return  # the row may belong to the answer that is still awaited
    quarantined = [i for i in unresolved if i.state is IntentState.QUARANTINED]
    foreign = []
    for row in unbound:
        if ledger.cash.is_bound(row) or any(matches(i, row) for i in quarantined):
            continue
        ruled_out = [i for i in ledger.intents.tombstones(row.time - TOMBSTONE_S) if matches(i, row)]
        if len(ruled_out) == 1:
            findings.late.append(ledger.intents.late_bound(ruled_out[0].intent_id, _receipt(row), now))
        else:
            foreign.append(row)
    if findings.late:
        findings.halted = f"contract {findings.late[0].contract_id} was bought after it had been ruled out"
        latch.halt(findings.halted, "recovery")
    if foreign:
        ledger.cash.record_foreign(foreign, now)
        ids = ", ".join(str(row.contract_id) for row in foreign[:5])
        findings.halted = f"contracts {ids} on the account are not ours; nobody else may trade on it"
        latch.halt(findings.halted, "recovery")


def _receipt(row: CashRow) -> Receipt:
    if row.contract_id is None or row.payout_cents is None:
        raise FrameError(f"statement row {row.transaction_id} lacks its contract or payout")
    return Receipt(row.contract_id, row.transaction_id, -row.amount_cents, row.payout_cents, row.time)
