"""Judge probabilities on held-back decisions: calibration of every head, and profit at the quoted payout."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median_low

import numpy as np
import numpy.typing as npt

from xtitan_assets.modeling.samples import LABELS, Samples
from xtitan_assets.modeling.scores import log_loss, paired_difference
from xtitan_assets.steps.dataset.snapshot import non_overlapping
from xtitan_assets.steps.model.baseline import closed_form, contract_sigma
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.calibration import Platt, ece_report
from xtitan_core.contracts import ContractType
from xtitan_core.decision import Decision, Quote, decide, preferred_side
from xtitan_core.prices import PriceError, payout_for_stake, rise_fall_probability
from xtitan_core.randomness import stream
from xtitan_core.symbols import symbol as look_up

SIDES = (ContractType.CALL, ContractType.PUT)
BLOCK_SECONDS = 300
"""Results are averaged over blocks of this length before their spread is taken."""

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Terms:
    """What one side is offered for a stake.

    Attributes:
        source: ``journal`` (recorded quotes, their median) or ``paper_commission`` (params.yaml, before any journal).
    """

    side: ContractType
    ask_cents: int
    payout_cents: int
    source: str

    def quote(self, epoch: int) -> Quote:
        return Quote(self.side, self.ask_cents, self.payout_cents, epoch)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean per unit of stake with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HeadScore:
    """How good one head's probabilities are.

    Attributes:
        n: decisions, none of which overlap.
        base_rate: share of wins.
        ece, ece_null: calibration error, and what it stays below in 95 of 100 cases for a perfectly calibrated head.
    """

    label: str
    n: int
    base_rate: float
    log_loss: float
    brier: float
    ece: float
    ece_null: float


@dataclass(frozen=True, slots=True)
class SlotResult:
    """The decision at one slot (decision instant) and how its preferred side ended."""

    epoch: int
    decision: Decision
    won: bool
    pnl_cents: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything measured on one span.

    Attributes:
        log_loss, baseline_log_loss: rise/fall, nats for one contract; the baseline is the closed form.
        beats_baseline: the model's loss is lower by more than one standard error.
        heads: scores by label.
        slots: one row per decision.
        traded: the edge of the trades the model wanted, None without any.
        every_slot: the edge of settling the preferred side at every slot.
    """

    log_loss: float
    baseline_log_loss: float
    beats_baseline: bool
    heads: list[HeadScore]
    slots: list[SlotResult]
    traded: Interval | None
    every_slot: Interval


def terms(home: Home, params: Params) -> dict[ContractType, Terms]:
    """What each side is judged at: recorded quotes when there are any, else the paper profile's commission.

    Raises:
        StepError: a stake too small to quote.
    """
    recorded = _recorded_quotes(home, params.data.symbol)
    market = look_up(params.data.symbol)
    sigma = contract_sigma(market, params.labels.duration, params.labels.unit)
    offered: dict[ContractType, Terms] = {}
    for side in SIDES:
        rows = recorded.get(side, [])
        if rows:
            middle = median_low(ask / payout for ask, payout in rows)
            ask, payout = next(row for row in rows if row[0] / row[1] == middle)
            offered[side] = Terms(side, ask, payout, "journal")
            continue
        fair = rise_fall_probability(sigma, rise=side is ContractType.CALL)
        stake = params.quotes.stake_cents
        try:
            payout_amount = payout_for_stake(Decimal(stake) / 100, fair, params.quotes.commission)
        except PriceError as error:
            raise StepError(f"quotes.stake_cents: {error}; raise it") from error
        offered[side] = Terms(side, stake, int(payout_amount * 100), "paper_commission")
    return offered


def evaluate(
    samples: Samples,
    index: Index,
    logits: Floats,
    calibration: Sequence[Platt],
    offered: dict[ContractType, Terms],
    params: Params,
) -> Evaluation:
    """Score decisions at ``index``.

    Args:
        logits: (n, 5), in the order of the label columns.
        calibration: one map per label column.
        offered: what each side is quoted.
    """
    probability = np.stack([platt.apply(logits[:, k]) for k, platt in enumerate(calibration)], axis=1)
    outcome = samples.labels[index]
    market = look_up(params.data.symbol)
    fair = closed_form(market, samples.quotes[index], params.labels.duration, params.labels.unit)
    apart = non_overlapping(samples.epochs[index], samples.exit_epochs[index])
    slots = _decide_all(samples.epochs[index], probability, outcome, offered, params)
    baseline = log_loss(fair, outcome[:, :2]).mean(axis=1)
    loss = log_loss(probability[:, :2], outcome[:, :2]).mean(axis=1)
    return Evaluation(
        log_loss=float(loss.mean()),
        baseline_log_loss=float(baseline.mean()),
        beats_baseline=paired_difference(baseline, loss, samples.epochs[index], BLOCK_SECONDS).wins,
        heads=[_score(k, probability[apart, k], outcome[apart, k], params) for k in range(len(LABELS))],
        slots=slots,
        traded=edge_interval([row for row in slots if row.decision.buy], offered),
        every_slot=edge_interval(slots, offered) or Interval(0.0, 0.0, 0.0),
    )


def edge_interval(slots: Sequence[SlotResult], offered: dict[ContractType, Terms]) -> Interval | None:
    """Mean profit per unit of stake with a 95 % interval over blocks of time; None without trades."""
    if not slots:
        return None
    gain = np.array([row.pnl_cents / offered[row.decision.preferred].ask_cents for row in slots])
    epochs = np.array([row.epoch for row in slots])
    if epochs[0] // BLOCK_SECONDS == epochs[-1] // BLOCK_SECONDS:
        return Interval(float(gain.mean()), -1.0, max(t.payout_cents / t.ask_cents for t in offered.values()) - 1.0)
    spread = paired_difference(gain, np.zeros_like(gain), epochs, BLOCK_SECONDS)
    half = 1.96 * spread.standard_error
    return Interval(spread.mean, spread.mean - half, spread.mean + half)


def _decide_all(
    epochs: npt.NDArray[np.int64],
    probability: Floats,
    outcome: npt.NDArray[np.uint8],
    offered: dict[ContractType, Terms],
    params: Params,
) -> list[SlotResult]:
    """The runner's decision at every slot, settled by its label."""
    results = []
    for epoch, (call, put), won in zip(epochs.tolist(), probability[:, :2].tolist(), outcome.tolist(), strict=True):
        chances = {ContractType.CALL: call, ContractType.PUT: put}
        side = offered[preferred_side(chances)]
        decision = decide(chances, side.quote(epoch), params.decision.min_edge)
        side_won = bool(won[SIDES.index(decision.preferred)])
        pnl = side.payout_cents - side.ask_cents if side_won else -side.ask_cents
        results.append(SlotResult(epoch, decision, side_won, pnl))
    return results


def _score(column: int, probability: Floats, outcome: npt.NDArray[np.uint8], params: Params) -> HeadScore:
    """Scores of one head.

    Args:
        column: of the label.
        probability, outcome: of decisions that do not overlap, shape (n,).
    """
    rng = stream(params.train.seed, "evaluation", column)
    error = ece_report(probability, outcome, rng)
    return HeadScore(
        label=LABELS[column],
        n=len(outcome),
        base_rate=float(outcome.mean()),
        log_loss=float(log_loss(probability, outcome).mean()),
        brier=float(np.square(probability - outcome).mean()),
        ece=error.value,
        ece_null=error.null_quantile,
    )


def _recorded_quotes(home: Home, symbol: str) -> dict[ContractType, list[tuple[int, int]]]:
    """(ask, payout) in cents by side, from the quotes that the runner's journal recorded."""
    by_side: dict[ContractType, list[tuple[int, int]]] = {}
    for path in sorted((home.data / "raw" / "quotes").glob("date=*.json")):
        try:
            rows = json.loads(path.read_text())["rows"]
        except (OSError, ValueError, KeyError) as error:
            raise StepError(f"{path}: not a quotes file ({error}); delete it and collect quotes again") from error
        for _, name, side, ask, payout in rows:
            if name == symbol and side in SIDES and 0 < ask < payout and math.isfinite(payout / ask):
                by_side.setdefault(ContractType(side), []).append((int(ask), int(payout)))
    return by_side
