"""What the runner's journal proves about the newest candidate: bankrolls, bounds, and whether to go on.

The inputs are the journal's segments and the promotion ledger; the arithmetic is ``xtitan_core.evidence``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import TypeAdapter

from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.registry.promotion_ledger import Entry, Kind, candidates_of, spent
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY
from xtitan_core.evidence.bounds import edge_at, win_rate_interval
from xtitan_core.evidence.cash_account import EDGES, EvidenceError
from xtitan_core.evidence.certificate import Certificate
from xtitan_core.evidence.gate import Thresholds, thresholds, verdict
from xtitan_core.evidence.lineage import LineageEvidence
from xtitan_core.evidence.shadow_trades import Candidate, Event
from xtitan_core.files import write_atomically
from xtitan_core.journal import JournalError, read_journal

FUTILE_MARGIN = 0.005
"""A candidate is futile when the upper bound of its win rate is less than this above break-even."""

PATH_POINTS = 400
COLUMNS = ("trade_id", "bundle_id", "epoch", "ask_cents", "payout_cents", "outcome", "own", "lineage")


@dataclass(frozen=True, slots=True)
class SlotsReport:
    """Trades of the preferred side at every decision instant, wanted or not.

    They give the bound that is printed; they are never evidence for promotion.
    """

    trades: int
    wins: int
    refunds: int
    win_rate: float
    ratio: float
    edge_high: float


@dataclass(frozen=True, slots=True)
class ShadowReport(Report):
    """The candidate's standing at this evaluation.

    Attributes:
        decided: ``promoted`` (the gate opens, or it is champion already), ``futile`` (close it) or ``continue``.
        why: the rule behind it, one line.
        certificate: all numbers, see :class:`xtitan_core.evidence.certificate.Certificate`.
        slots: the bound from every slot.
        path: ``(settled trades, own bankroll, lineage bankroll)`` for plotting, thinned.
        trades_csv: the exported events that ``certificate_check.py`` recomputes the bankrolls from.
    """

    FILE: ClassVar[str] = "shadow.json"

    decided: Literal["promoted", "continue", "futile"]
    why: str
    certificate: Certificate
    slots: SlotsReport
    path: list[tuple[int, float, float]]
    trades_csv: str

    def as_dict(self) -> dict[str, Any]:
        """One flat document: the headline, the certificate's fields, the slots and the paths."""
        certificate, slots = self.certificate, self.slots
        return {
            "verdict": "promote" if self.decided == "promoted" else self.decided,
            "decided": self.decided,
            "why": self.why,
            "bankroll": certificate.e_lineage,
            "threshold": certificate.need_lineage,
            **certificate.as_dict(),
            "slots": slots.trades,
            "slot_wins": slots.wins,
            "slot_refunds": slots.refunds,
            "slot_win_rate": slots.win_rate,
            "slot_ratio": slots.ratio,
            "edge_upper": slots.edge_high,
            "path": [[n, lineage] for n, _, lineage in self.path],
            "own_path": [[n, own] for n, own, _ in self.path],
            "trades_csv": self.trades_csv,
        }

    def as_metadata(self) -> dict[str, Any]:
        """The same without the paths, for an asset's metadata."""
        return {key: value for key, value in self.as_dict().items() if key not in ("path", "own_path", "edges")}

    def text(self) -> str:
        """The document as it is written to ``shadow.json``."""
        return json.dumps(self.as_dict(), indent=1) + "\n"

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The report that ``as_dict`` made a document of."""
        slots = SlotsReport(
            document["slots"],
            document["slot_wins"],
            document["slot_refunds"],
            document["slot_win_rate"],
            document["slot_ratio"],
            document["edge_upper"],
        )
        lineage_path, own_path = document["path"], document["own_path"]
        nested = {
            **document,
            "certificate": document,
            "slots": slots,
            "path": [(n, own, whole) for (n, whole), (_, own) in zip(lineage_path, own_path, strict=True)],
        }
        return TypeAdapter(cls).validate_python(nested)


@dataclass(frozen=True, slots=True)
class _Gate:
    """The rules the candidate is judged by: the strictest that any registration of the lineage wrote down.

    Attributes:
        haircut: taken off the payout ratio of each shadow fill.
        needed: bankrolls that open the gate.
        budget: registrations of a year, the smallest number that was written down.
    """

    haircut: float
    needed: Thresholds
    budget: int


def evaluate(home: Home, params: Params) -> ShadowReport:
    """Evaluate the newest candidate of ``params.model_name``.

    Writes ``shadow.json``, ``shadow_trades.csv`` and this evaluation's certificate (``certificate.json`` and ``.txt``).

    Raises:
        StepError: nothing is registered, the journal or ledger is broken, or trades of an earlier evaluation are
            missing.
    """
    entries = ledger.read(home.ledger)
    candidates = candidates_of(entries, params.model_name)
    if not candidates:
        raise StepError(f"{params.model_name} has never been registered; run `xtitan run retrain`")
    gate = _gate(entries, params)
    evidence = _read_evidence(home, candidates, gate.haircut)
    _require_whole(home, entries, params.model_name, evidence.events)
    table = _trades_csv(e for e in evidence.events if e.account == evidence.account_id)
    counted = evidence.counted
    win_rate = win_rate_interval(counted.wins, counted.losses, overlap=max(evidence.max_overlap, 1))
    certificate = _certificate(evidence, gate, win_rate.low, entries, params, hashlib.sha256(table).hexdigest())
    decided, why = _decide(certificate, win_rate.high, params, entries)
    slots = evidence.slots
    path = home.reports / "shadow_trades.csv"
    report = ShadowReport(
        decided,
        why,
        certificate,
        SlotsReport(slots.settled, slots.wins, slots.refunds, slots.win_rate, slots.ratio, slots.ceiling.value),
        _thinned(evidence.path),
        str(path),
    )
    document = report.text().encode()
    write_atomically(path, table, durable=False)
    write_certificate(home.reports, certificate, durable=False)
    write_atomically(report.where(home), document, durable=False)
    return report


def _gate(entries: list[Entry], params: Params) -> _Gate:
    """The strictest of the gates written down with each registration of the lineage, and of params.yaml."""
    written = [e.evidence["gate"] for e in ledger.of_model(entries, params.model_name) if e.kind is Kind.REGISTERED]
    gates = [*written, params.gate.model_dump()]
    return _Gate(
        haircut=max(float(gate["haircut"]) for gate in gates),
        needed=thresholds(_lineages(entries, params), max(int(gate["budget"]) for gate in gates)),
        budget=min(int(gate["budget"]) for gate in gates),
    )


def _read_evidence(home: Home, candidates: Sequence[Candidate], haircut: float) -> LineageEvidence:
    """The lineage's bankrolls after every record of the journal.

    Raises:
        StepError: the journal is broken, or its records contradict each other.
    """
    try:
        evidence = LineageEvidence(candidates, haircut=haircut)
        for segment in read_journal(home.journal):
            for record in segment.records:
                evidence.record(record)
    except (JournalError, EvidenceError) as error:
        raise StepError(f"{home.journal}: {error}; fetch the runner's segments again") from error
    return evidence


def _certificate(
    evidence: LineageEvidence,
    gate: _Gate,
    win_rate_low: float,
    entries: list[Entry],
    params: Params,
    trades_sha256: str,
) -> Certificate:
    """All numbers of the newest candidate.

    Args:
        win_rate_low: lower bound of the win rate of the counted trades.
        trades_sha256: of the exported trades that the bankrolls can be recomputed from.
    """
    subject, counted, needed = evidence.subject, evidence.counted, gate.needed
    registered = [e for e in ledger.of_model(entries, params.model_name) if e.kind is Kind.REGISTERED]
    outcome = verdict(evidence.e_lineage, evidence.e_own, needed)
    ratio = counted.ratio or evidence.slots.ratio
    used = spent(entries, params.model_name, subject.registered_epoch)
    return Certificate(
        model_name=params.model_name,
        model_version=next(e.version for e in registered if e.bundle_id == subject.bundle_id),
        bundle_id=subject.bundle_id,
        account_id=evidence.account_id,
        symbol=", ".join(subject.symbols),
        registered_epoch=subject.registered_epoch,
        last_epoch=evidence.last_epoch,
        promote=outcome.promote,
        rule=outcome.rule.value if outcome.rule else "",
        e_lineage=evidence.e_lineage,
        e_own=evidence.e_own,
        need_lineage=needed.lineage,
        need_own=needed.own,
        need_alone=needed.alone,
        edges=EDGES,
        haircut=gate.haircut,
        trades=counted.settled,
        wins=counted.wins,
        refunds=counted.refunds,
        open_trades=evidence.open_trades,
        ratio=ratio,
        break_even=1.0 / (1.0 + ratio),
        win_rate=counted.win_rate,
        win_rate_low=win_rate_low,
        edge_low=edge_at(win_rate_low, ratio * (1.0 - gate.haircut)),
        edge_high=counted.ceiling.value,
        max_overlap=evidence.max_overlap,
        candidates=used,
        budget_left=max(gate.budget - used, 0),
        missed=dict(sorted(evidence.missed.items())),
        excluded={str(reason): n for reason, n in sorted(evidence.excluded.items())},
        trades_sha256=trades_sha256,
    )


def _lineages(entries: Iterable[Entry], params: Params) -> int:
    """Lineages that share the error budget: the most ever declared, by any of them, and no fewer than there are."""
    registered = [e for e in entries if e.kind is Kind.REGISTERED]
    declared = [int(e.evidence["gate"]["lineages"]) for e in registered]
    return max(params.gate.lineages, len({e.model_name for e in registered}), *declared)


def _require_whole(home: Home, entries: Iterable[Entry], model_name: str, events: Iterable[Event]) -> None:
    """Refuse a journal that holds fewer settled trades than the ledger says an earlier evaluation counted.

    Without the lost trades the lineage's bankroll would start again from 1, and the rule's bound would not hold.

    Raises:
        StepError: trades are missing.
    """
    settled = Counter(event.bundle_id for event in events if event.outcome is not None)
    for entry in ledger.of_model(entries, model_name):
        known = int(entry.evidence.get("trades", 0))
        if known > settled[entry.bundle_id]:
            raise StepError(
                f"{home.journal}: {settled[entry.bundle_id]} settled shadow trades of {entry.bundle_id[:12]}, but the look "
                f"of ledger line {entry.sequence} counted {known}; fetch the runner's segments again"
            )


def write_certificate(folder: Path, certificate: Certificate, *, durable: bool) -> None:
    """Write a certificate as ``certificate.json`` and ``certificate.txt``; ``durable`` as in ``write_atomically``."""
    document = json.dumps(certificate.as_dict(), indent=1, sort_keys=True) + "\n"
    write_atomically(folder / "certificate.json", document.encode(), durable=durable)
    write_atomically(folder / "certificate.txt", certificate.text().encode(), durable=durable)


def _decide(
    certificate: Certificate, win_rate_high: float, params: Params, entries: list[Entry]
) -> tuple[Literal["promoted", "continue", "futile"], str]:
    """Whether to go on with the candidate, and why, as one line."""
    retired = [
        e
        for e in ledger.of_model(entries, certificate.model_name)
        if e.bundle_id == certificate.bundle_id and e.kind in ledger.RETIRED
    ]
    days = (certificate.last_epoch - certificate.registered_epoch) / DAY
    if retired:
        return (
            "futile",
            f"this bundle was {retired[-1].kind.replace('_', ' ')}; only a new registration can be promoted",
        )
    if ledger.champion(entries, certificate.model_name) == certificate.bundle_id:
        return "promoted", "it is the champion"
    if certificate.promote:
        return "promoted", f"the {certificate.rule} rule holds at this look"
    if certificate.trades >= params.gate.max_trades:
        return (
            "futile",
            f"{certificate.trades} counted trades did not decide it (gate.max_trades is {params.gate.max_trades})",
        )
    if certificate.trades and win_rate_high < certificate.break_even + FUTILE_MARGIN:
        return "futile", f"a win rate above {win_rate_high:.4f} is excluded, break-even is {certificate.break_even:.4f}"
    if certificate.last_epoch and days >= params.gate.max_days:
        return "futile", f"{days:.3g} market days did not decide it (gate.max_days is {params.gate.max_days:g})"
    return "continue", "the evidence is not large enough yet"


def _trades_csv(events: Iterable[Event]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for e in events:
        outcome = "" if e.outcome is None else e.outcome.value
        rows.writerow(
            (e.trade_id, e.bundle_id, e.epoch, e.ask_cents, e.payout_cents, outcome, int(e.own), int(e.lineage))
        )
    return text.getvalue().encode()


def _thinned(path: list[tuple[int, float, float]]) -> list[tuple[int, float, float]]:
    """At most ``PATH_POINTS`` points, the start and the last one among them."""
    whole = path or [(0, 1.0, 1.0)]
    step = max(len(whole) // PATH_POINTS, 1)
    thin = whole[::step]
    return thin if thin[-1] == whole[-1] else [*thin, whole[-1]]
