"""What the signed bundle would have done on the held-back test span.

A good backtest lets a model enter shadow; it is no evidence for promotion.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xtitan_assets.modeling.samples import TEST, Samples
from xtitan_assets.steps.dataset.snapshot import load_manifest, load_samples
from xtitan_assets.steps.model.evaluation import SIDES, Evaluation, SlotResult, Terms, evaluate, terms
from xtitan_assets.steps.model.naive_rule import VALIDATION_TRADES
from xtitan_assets.steps.model.onnx_model import OnnxModel
from xtitan_assets.steps.model.signed_bundle import load_bundle
from xtitan_assets.steps.report import Report, write_csv
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.verification import VerifiedBundle
from xtitan_core.calibration import reliability_table
from xtitan_core.contracts import ContractType


@dataclass(frozen=True, slots=True)
class SideReport:
    """One set of trades: those the model wanted, or the preferred side at every slot.

    Attributes:
        expected_wins: sum of the calibrated probabilities.
        edge, edge_low, edge_high: profit per unit of stake and its 95 % interval.
        profit_cents, drawdown_cents: of a flat stake.
    """

    trades: int
    wins: int
    win_rate: float | None
    expected_wins: float
    edge: float | None
    edge_low: float | None
    edge_high: float | None
    profit_cents: int
    drawdown_cents: int


@dataclass(frozen=True, slots=True)
class NaiveVerdict:
    """The usual rule's verdict: promote when the win rate on the first 500 slots is above break-even."""

    trades: int
    win_rate: float | None
    break_even: float
    would_promote: bool


@dataclass(frozen=True, slots=True)
class BacktestReport(Report):
    """Results on the test span.

    Attributes:
        wanted: trades the model wanted.
        every_slot: the preferred side at every slot (decision instant), for the printed bound only.
        break_even: of the worse side at the quote.
        quote_source: where the payout came from.
        heads: Brier score, log loss and calibration error of every head.
        beats_baseline: better than the closed form by more than one standard error, on the walk-forward folds and
            again on the test span.
    """

    FILE: ClassVar[str] = "backtest.json"

    bundle_id: str
    symbol: str
    first_epoch: int
    last_epoch: int
    slots: int
    wanted: SideReport
    every_slot: SideReport
    break_even: float
    quote_source: str
    log_loss: float
    baseline_log_loss: float
    beats_baseline: bool
    heads: list[dict[str, Any]]
    naive: NaiveVerdict
    decisions_by_reason: dict[str, int]


def backtest(home: Home, params: Params) -> BacktestReport:
    """Run the bundle in ``home.bundle`` over the test span and write reports, equity and reliability tables.

    Raises:
        StepError: no dataset, no valid bundle, or a bundle of another dataset.
    """
    samples, bundle = load_samples(home), load_bundle(home)
    if bundle.manifest.training.snapshot_id != load_manifest(home)["snapshot_id"]:
        raise StepError(f"{home.bundle}: of another dataset; run `xtitan run train` and `xtitan run package`")
    test = np.flatnonzero(samples.split == TEST)
    logits = OnnxModel(bundle.model).logits(samples, test)
    calibration = [head.calibration.platt for head in bundle.manifest.heads]
    offered = terms(home, params)
    judged = evaluate(samples, test, logits, calibration, offered, params)
    probability = np.stack([platt.apply(logits[:, k]) for k, platt in enumerate(calibration)], axis=1)
    _write_reliability(home.reports / "reliability.csv", bundle.manifest, probability, samples, test)
    _write_equity(home.reports / "equity.csv", judged.slots)
    report = _report(bundle, params, judged, offered)
    report.write(home)
    return report


def _report(
    bundle: VerifiedBundle, params: Params, judged: Evaluation, offered: dict[ContractType, Terms]
) -> BacktestReport:
    slots = judged.slots
    wanted = [row for row in slots if row.decision.buy]
    break_even = max(t.ask_cents / t.payout_cents for t in offered.values())
    reasons: dict[str, int] = {}
    for row in slots:
        reasons[row.decision.reason.value] = reasons.get(row.decision.reason.value, 0) + 1
    first = slots[:VALIDATION_TRADES]
    naive_rate = sum(row.won for row in first) / len(first) if first else None
    traded, every = judged.traded, judged.every_slot
    return BacktestReport(
        bundle_id=bundle.bundle_id,
        symbol=params.data.symbol,
        first_epoch=slots[0].epoch,
        last_epoch=slots[-1].epoch,
        slots=len(slots),
        wanted=_side(wanted, (traded.mean, traded.low, traded.high) if traded else None),
        every_slot=_side(slots, (every.mean, every.low, every.high)),
        break_even=break_even,
        quote_source="+".join(sorted({offered[side].source for side in SIDES})),
        log_loss=judged.log_loss,
        baseline_log_loss=judged.baseline_log_loss,
        beats_baseline=bundle.manifest.evaluation.beats_baseline and judged.beats_baseline,
        heads=[asdict(head) for head in judged.heads],
        naive=NaiveVerdict(len(first), naive_rate, break_even, naive_rate is not None and naive_rate > break_even),
        decisions_by_reason=reasons,
    )


def _side(rows: list[SlotResult], edge: tuple[float, float, float] | None) -> SideReport:
    """Sum up settled decisions in order of time."""
    wins = sum(row.won for row in rows)
    equity = np.cumsum([0, *(row.pnl_cents for row in rows)])
    return SideReport(
        trades=len(rows),
        wins=wins,
        win_rate=wins / len(rows) if rows else None,
        expected_wins=float(sum(row.decision.probability for row in rows)),
        edge=edge[0] if edge else None,
        edge_low=edge[1] if edge else None,
        edge_high=edge[2] if edge else None,
        profit_cents=int(equity[-1]),
        drawdown_cents=int((np.maximum.accumulate(equity) - equity).max()),
    )


def _write_reliability(
    path: Path, manifest: Manifest, probability: np.ndarray[Any, Any], samples: Samples, test: np.ndarray[Any, Any]
) -> None:
    """One row per head and bin of equal count: mean probability stated (``said``) and win rate (``happened``)."""
    rows = []
    for column, head in enumerate(manifest.heads):
        for number, row in enumerate(reliability_table(probability[:, column], samples.labels[test, column])):
            name = f"{head.contract_type.value}{'' if head.barrier_sigmas is None else f' {head.barrier_sigmas:+g}'}"
            rows.append((name, number, row.n, round(row.mean_probability, 6), round(row.win_rate, 6)))
    write_csv(path, ("head", "bin", "n", "said", "happened"), rows)


def _write_equity(path: Path, slots: list[SlotResult]) -> None:
    """Flat-stake profit after every slot: of the trades wanted, and of the preferred side at every slot."""
    wanted = every = 0
    rows = []
    for row in slots:
        every += row.pnl_cents
        wanted += row.pnl_cents if row.decision.buy else 0
        rows.append((row.epoch, int(row.decision.buy), wanted, every))
    write_csv(path, ("epoch", "bought", "wanted_cents", "every_slot_cents"), rows)
