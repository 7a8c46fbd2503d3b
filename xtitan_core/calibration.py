"""Platt calibration of logits into win probabilities, and measures of how far probabilities are from outcomes.

The same scalar code runs in backtest, shadow and live, so a logit gives the same probability in each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Platt:
    """``p = sigmoid(a * logit + b)``; the defaults change nothing."""

    a: float = 1.0
    b: float = 0.0

    @overload
    def apply(self, logit: float) -> float: ...
    @overload
    def apply(self, logit: npt.NDArray[Any]) -> Array: ...
    def apply(self, logit: float | npt.NDArray[Any]) -> float | Array:
        """Calibrated probability of a logit, or of each logit of an array of any shape (float64).

        A NaN stays NaN; ``decision.decide`` abstains on it.
        """
        if isinstance(logit, np.ndarray):
            flat = logit.astype(np.float64).ravel().tolist()
            return np.fromiter(map(self._one, flat), dtype=np.float64, count=len(flat)).reshape(logit.shape)
        return self._one(float(logit))

    def _one(self, logit: float) -> float:
        z = self.a * logit + self.b
        if z >= 0.0:
            return 1.0 / (1.0 + math.exp(-z))
        e = math.exp(z)  # also taken for NaN, which comes out again
        return e / (1.0 + e)


def fit_platt(logits: npt.ArrayLike, outcomes: npt.ArrayLike, iterations: int = 50) -> Platt:
    """Maximum-likelihood ``Platt`` with Platt's smoothed targets, by damped Newton steps.

    Args:
        logits: uncalibrated logits, shape (n,).
        outcomes: True for a win, shape (n,).
        iterations: upper bound on Newton steps.

    Raises:
        ValueError: without both wins and losses, or with a logit that is not finite.
    """
    x, y = np.asarray(logits, dtype=np.float64), np.asarray(outcomes, dtype=bool)
    wins, losses = int(y.sum()), int((~y).sum())
    if x.ndim != 1 or x.shape != y.shape or not np.isfinite(x).all() or not wins or not losses:
        raise ValueError(f"calibration needs finite logits with wins and losses, got {wins} wins, {losses} losses")
    target = np.where(y, (wins + 1) / (wins + 2), 1 / (losses + 2))

    def loss(a: float, b: float) -> float:
        z = a * x + b
        return float(np.sum(np.logaddexp(0.0, z) - target * z))

    a, b = 0.0, math.log((wins + 1) / (losses + 1))
    value = loss(a, b)
    for _ in range(iterations):
        z = a * x + b
        p = np.exp(-np.logaddexp(0.0, -z))
        error, weight = p - target, np.maximum(p * (1.0 - p), 1e-12)
        g0, g1 = float(error @ x), float(error.sum())
        h00, h01, h11 = float(weight @ (x * x)) + 1e-9, float(weight @ x), float(weight.sum()) + 1e-9
        det = h00 * h11 - h01 * h01
        if det <= 0.0:
            break
        step0, step1 = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        scale = 1.0
        while scale > 1e-10 and (new := loss(a - scale * step0, b - scale * step1)) > value:
            scale /= 2.0
        if scale <= 1e-10 or value - new < 1e-12 * (1.0 + abs(value)):
            break
        a, b, value = a - scale * step0, b - scale * step1, new
    return Platt(a, b)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of equal count: the mean forecast and the share of wins."""

    n: int
    mean_probability: float
    win_rate: float


@dataclass(frozen=True, slots=True)
class EceReport:
    """An expected calibration error beside what a perfectly calibrated model would show by chance.

    Attributes:
        value: the error.
        null_mean, null_quantile: mean and ``level`` quantile under perfect calibration.
        level: the quantile's level.
        n: outcomes.
    """

    value: float
    null_mean: float
    null_quantile: float
    level: float
    n: int

    @property
    def consistent(self) -> bool:
        """True when the error is no larger than chance explains."""
        return self.value <= self.null_quantile


def _edges(n: int, bins: int) -> npt.NDArray[np.int64]:
    """First positions of ``bins`` bins of equal count (at most one bin per sample)."""
    count = min(bins, n)
    return np.arange(count, dtype=np.int64) * n // count


def _checked(p: npt.ArrayLike, y: npt.ArrayLike | None, bins: int) -> tuple[Array, Array]:
    """Probabilities in ascending order and their outcomes."""
    forecast = np.asarray(p, dtype=np.float64)
    outcome = np.zeros_like(forecast) if y is None else np.asarray(y, dtype=np.float64)
    if forecast.ndim != 1 or forecast.shape != outcome.shape or len(forecast) == 0 or bins < 1:
        raise ValueError(f"calibration error needs one outcome per probability, got {forecast.shape}, {outcome.shape}")
    if not ((forecast >= 0.0) & (forecast <= 1.0)).all() or not ((outcome == 0.0) | (outcome == 1.0)).all():
        raise ValueError("probabilities must lie in [0, 1] and outcomes must be 0 or 1")
    order = np.argsort(forecast, kind="stable")
    return forecast[order], outcome[order]


def _error(forecast: Array, outcome: Array, edges: npt.NDArray[np.int64]) -> float:
    return float(np.abs(np.add.reduceat(forecast - outcome, edges)).sum() / len(forecast))


def ece(p: npt.ArrayLike, y: npt.ArrayLike, bins: int = 10) -> float:
    """Expected calibration error over bins of equal count: mean |forecast - outcome|, weighted by count.

    A perfect model does not score 0: about ``sqrt(2 * bins / (pi * n)) * sqrt(p * (1 - p))`` on average. Always read
    it beside ``ece_report``'s null quantile.

    Raises:
        ValueError: for shapes that differ, no data, or values out of range.
    """
    forecast, outcome = _checked(p, y, bins)
    return _error(forecast, outcome, _edges(len(forecast), bins))


def ece_report(
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    rng: np.random.Generator,
    bins: int = 10,
    draws: int = 400,
    level: float = 0.95,
) -> EceReport:
    """The error with its null distribution by consistency resampling: outcomes redrawn from the probabilities.

    Raises:
        ValueError: as ``ece``.
    """
    forecast, outcome = _checked(p, y, bins)
    edges = _edges(len(forecast), bins)
    null = np.array(
        [_error(forecast, (rng.random(len(forecast)) < forecast).astype(np.float64), edges) for _ in range(draws)]
    )
    return EceReport(
        _error(forecast, outcome, edges), float(null.mean()), float(np.quantile(null, level)), level, len(forecast)
    )


def reliability_table(p: npt.ArrayLike, y: npt.ArrayLike, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """The bins behind ``ece``, in ascending order of probability.

    Raises:
        ValueError: as ``ece``.
    """
    forecast, outcome = _checked(p, y, bins)
    edges = _edges(len(forecast), bins)
    counts = np.diff(np.append(edges, len(forecast)))
    forecasts, wins = np.add.reduceat(forecast, edges) / counts, np.add.reduceat(outcome, edges) / counts
    return tuple(ReliabilityBin(int(n), float(a), float(b)) for n, a, b in zip(counts, forecasts, wins, strict=True))
