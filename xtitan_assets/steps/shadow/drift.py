"""Whether the champion still is what was promoted: its edge, its probabilities, and its live fills beside shadow ones.

Everything is judged on settled trades, with tests that stay valid when they are evaluated every day. Distributions of
features are not watched: on autocorrelated features the usual distances alarm daily on perfectly stationary data.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.registry.promotion_ledger import Kind
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import midnight
from xtitan_core.evidence.bounds import edge_at
from xtitan_core.evidence.calibration_monitor import CalibrationMonitor
from xtitan_core.evidence.cash_account import EvidenceError, Outcome
from xtitan_core.evidence.detector import EdgeDetector
from xtitan_core.journal import (
    AnyRecord,
    JournalError,
    MissedRecord,
    SessionRecord,
    ShadowSettlementRecord,
    ShadowTradeRecord,
    TradeRecord,
    TradeSettlementRecord,
    read_journal,
)
from xtitan_core.staking import posterior_mean


@dataclass(slots=True)
class Day:
    """One UTC day of the champion: the unit in which drift is judged."""

    date_epoch: int
    trades: int = 0
    wins: int = 0
    probability_sum: float = 0.0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class DriftReport(Report):
    """What the monitors found.

    Attributes:
        advice: ``demote`` (the edge fell below half of the promoted one), ``de_risk`` (below it, or the probabilities
            are off), ``none``; ``no_champion`` when there is nothing to watch.
        promoted_edge: posterior mean of the edge at promotion, expected profit per unit of stake.
        trades: settled trades since promotion that the detectors saw; overlapping ones are left out.
        demote_statistic, de_risk_statistic: detectors, alarm at ``threshold``.
        calibration_evidence: e-value against "the probabilities are true"; alarm at 1,000.
        pairs: live trades with their shadow; ``live_wins`` and ``shadow_wins`` among them should be equal.
        ratio_gap: mean live minus shadow payout ratio.
    """

    FILE: ClassVar[str] = "drift.json"

    advice: Literal["demote", "de_risk", "none", "no_champion"]
    model_name: str
    bundle_id: str
    promoted_edge: float = 0.0
    trades: int = 0
    demote_statistic: float = 0.0
    de_risk_statistic: float = 0.0
    threshold: float = 200_000.0
    calibration_evidence: float = 1.0
    pairs: int = 0
    live_wins: int = 0
    shadow_wins: int = 0
    ratio_gap: float = 0.0
    days: list[dict[str, Any]] = field(default_factory=list)

    def as_metadata(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "days"}

    def text(self) -> str:
        return json.dumps(asdict(self), indent=1, default=str) + "\n"


def evaluate(home: Home, params: Params) -> DriftReport:
    """Judge the champion of ``params.model_name`` and write ``drift.json``.

    Raises:
        StepError: journal or ledger are broken.
    """
    lineage = ledger.of_model(ledger.read(home.ledger), params.model_name)
    bundle_id = ledger.champion(lineage, params.model_name)
    promotions = [e for e in lineage if e.kind is Kind.PROMOTED and e.bundle_id == bundle_id]
    if not promotions:
        report = DriftReport("no_champion", params.model_name, "")
    else:
        promotion = promotions[-1].evidence
        try:
            records = [r for segment in read_journal(home.journal) for r in segment.records]
            report = _watch(params.model_name, bundle_id, promotions[-1].venue_epoch, promotion, records)
        except (JournalError, EvidenceError) as error:
            raise StepError(f"{home.journal}: {error}; fetch the runner's segments again") from error
    report.write(home)
    return report


def _watch(
    model_name: str, bundle_id: str, since: int, promotion: dict[str, Any], records: Iterable[AnyRecord]
) -> DriftReport:
    """Run the monitors over the journal.

    Args:
        since: venue time of the promotion, seconds.
        promotion: evidence of the promotion, from the ledger.
    """
    records = list(records)
    ratio, break_even = float(promotion["ratio"]), float(promotion["break_even"])
    promoted_edge = edge_at(posterior_mean(float(promotion["win_rate"]), break_even, int(promotion["trades"])), ratio)
    demote = EdgeDetector(max(promoted_edge / 2.0, 0.0))
    de_risk = EdgeDetector(max(promoted_edge, 0.0))
    calibration = CalibrationMonitor()
    days: dict[int, Day] = {}
    trades = 0
    for trade, end in _settled(records, bundle_id, since):
        quoted, outcome = trade.payout_cents / trade.ask_cents - 1.0, Outcome(end.outcome)
        demote.settled(quoted, outcome)
        de_risk.settled(quoted, outcome)
        trades += 1
        if outcome is not Outcome.REFUNDED:
            calibration.settled(trade.probability, trade.ask_cents / trade.payout_cents, outcome is Outcome.WON)
        day = days.setdefault(midnight(trade.epoch), Day(midnight(trade.epoch)))
        day.trades += 1
        day.wins += outcome is Outcome.WON
        day.probability_sum += trade.probability
    for record in records:
        if isinstance(record, MissedRecord) and record.bundle_id == bundle_id and record.epoch > since:
            days.setdefault(midnight(record.epoch), Day(midnight(record.epoch))).missed += 1
    pairs = _pairs(records, bundle_id)
    advice: Literal["demote", "de_risk", "none"] = "none"
    if demote.alarm:
        advice = "demote"
    elif de_risk.alarm or calibration.alarm:
        advice = "de_risk"
    return DriftReport(
        advice=advice,
        model_name=model_name,
        bundle_id=bundle_id,
        promoted_edge=promoted_edge,
        trades=trades,
        demote_statistic=demote.statistic,
        de_risk_statistic=de_risk.statistic,
        calibration_evidence=min(calibration.evidence, 1e300),
        **pairs,
        days=[asdict(days[key]) for key in sorted(days)],
    )


def _settled(
    records: Iterable[AnyRecord], bundle_id: str, since: int
) -> Iterator[tuple[ShadowTradeRecord, ShadowSettlementRecord]]:
    """Wanted shadow trades of the champion in order of settlement.

    Trades that are decided while an earlier one is open are left out; that much is known when they are decided.
    """
    opened: dict[str, ShadowTradeRecord] = {}
    busy = ""
    for record in records:
        if isinstance(record, SessionRecord):
            # A trade that was open when a runner stopped may never settle; forget it, so that later ones count.
            busy = ""
            opened.clear()
        elif isinstance(record, ShadowTradeRecord) and record.bundle_id == bundle_id and record.epoch > since:
            if record.counted and not busy:
                busy = record.trade_id
                opened[busy] = record
        elif isinstance(record, ShadowSettlementRecord) and record.trade_id in opened:
            busy = ""
            yield opened.pop(record.trade_id), record


def _pairs(records: Iterable[AnyRecord], bundle_id: str) -> dict[str, Any]:
    """Live trades and the shadow trades of the same decision."""
    shadows: dict[str, ShadowTradeRecord] = {}
    trades: list[TradeRecord] = []
    outcome: dict[object, str] = {}
    for record in records:
        if isinstance(record, ShadowTradeRecord) and record.bundle_id == bundle_id:
            shadows[record.decision_id] = record
        elif isinstance(record, TradeRecord) and record.bundle_id == bundle_id:
            trades.append(record)
        elif isinstance(record, TradeSettlementRecord):
            outcome[record.contract_id] = record.outcome
        elif isinstance(record, ShadowSettlementRecord):
            outcome[record.trade_id] = record.outcome
    counts: Counter[str] = Counter()
    gap = 0.0
    for trade in trades:
        shadow = shadows.get(trade.decision_id)
        if shadow is None or trade.contract_id not in outcome or shadow.trade_id not in outcome:
            continue
        counts["pairs"] += 1
        counts["live_wins"] += outcome[trade.contract_id] == "won"
        counts["shadow_wins"] += outcome[shadow.trade_id] == "won"
        gap += trade.payout_cents / trade.buy_cents - shadow.payout_cents / shadow.ask_cents
    return {
        "pairs": counts["pairs"],
        "live_wins": counts["live_wins"],
        "shadow_wins": counts["shadow_wins"],
        "ratio_gap": gap / counts["pairs"] if counts["pairs"] else 0.0,
    }
