"""BOOM and CRASH: one test a recorded fact, each within the sampling errors of recording and simulation.

The figures are those of recorded ticks (April 2026): as many ticks are simulated, from the same price level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from paper_exchange.markets import simulate
from xtitan_core.symbols import SYMBOLS, SymbolKind, symbol

BEGIN = 1_772_409_600
DAYS = 8
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recorded:
    """A column of the table.

    Attributes:
        n: ticks; spikes: how many of them were spikes.
        mean: of a small step times N times 1,000, in log terms.
        zeros: percent of small steps that are none.
        pips: mean small step in pips.
        digits: chi-square of the last digit against the next one, 81 degrees of freedom.
    """

    n: int
    spikes: int
    spike_mean: float
    spike_median: float
    spike_cv: float
    mean: float
    cv: float
    zeros: float
    pips: float
    size_acf: float
    digits: float


TABLE = {
    "BOOM500": Recorded(35_000, 72, 1.17e-3, 1.14e-3, 0.57, 0.9992, 0.691, 2.69, 10.5, 0.0129, 687),
    "BOOM900": Recorded(59_999, 53, 1.01e-3, 8.23e-4, 0.71, 1.0043, 0.684, 2.90, 10.0, -0.0032, 1_127),
    "CRASH500": Recorded(10_000, 14, 1.08e-3, 1.11e-3, 0.58, 0.9933, 0.692, 4.21, 6.8, -0.0021, 486),
    "CRASH600": Recorded(30_000, 47, 7.80e-4, 5.42e-4, 0.82, 1.0097, 0.686, 0.64, 41.6, -0.0032, 177),
    "CRASH900": Recorded(10_000, 20, 8.54e-4, 8.82e-4, 0.59, 0.9976, 0.691, 1.29, 23.0, 0.0052, 130),
    "CRASH1000": Recorded(49_999, 35, 8.03e-4, 6.79e-4, 0.59, 1.0036, 0.687, 5.01, 5.6, -0.0019, 2_673),
}
YEAR_VOLATILITY = {
    "BOOM500": 34.3, "BOOM900": 20.6, "CRASH500": 26.3, "CRASH600": 22.5, "CRASH900": 24.9, "CRASH1000": 13.8,
}  # fmt: skip
"""Percent, spikes included."""

names = pytest.mark.parametrize("name", TABLE)
everyone = pytest.mark.parametrize(
    "name", [name for name, s in SYMBOLS.items() if s.kind in (SymbolKind.BOOM, SymbolKind.CRASH)]
)
SIZE_CV = 0.69
"""Coefficient of variation of steps and spikes alike."""


@cache
def quotes(name: str) -> Array:
    return simulate(symbol(name), 5, BEGIN).between(BEGIN, BEGIN + DAYS * 86_400 - 1)[1]


def up(name: str) -> int:
    return 1 if symbol(name).kind is SymbolKind.BOOM else -1


def moves(name: str, n: int | None = None) -> Array:
    """Log moves, positive in the direction of the spikes."""
    return up(name) * np.diff(np.log(quotes(name)[: None if n is None else n + 1]))


def spikes(name: str) -> Array:
    """Absolute log sizes; every move against the small steps counts, as in the recorded figures."""
    m = moves(name)
    return m[m > 0]


def acf(x: Array, lag: int) -> float:
    d = x - x.mean()
    return float((d[lag:] * d[:-lag]).sum() / (d * d).sum())


@names
def test_spike_rate_is_the_recorded_one(name: str) -> None:
    # Poisson counts: the recorded one against what the simulation's rate gives for as many ticks.
    part = TABLE[name].n / len(moves(name))
    expected = len(spikes(name)) * part
    assert TABLE[name].spikes == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 + part)))


@names
def test_annual_volatility_with_its_spikes(name: str) -> None:
    simulated = float(moves(name).var()) * 31_536_000
    # Spikes make nearly all of the variance: a Poisson number of squares, whose fourth moment sets the error.
    sizes = spikes(name)
    relative = float((sizes**4).mean()) / float((sizes**2).mean()) ** 2
    expected_spikes = TABLE[name].n * len(sizes) / len(moves(name))
    error = simulated * math.sqrt(relative * (1 / expected_spikes + 1 / len(sizes)))
    assert (YEAR_VOLATILITY[name] / 100) ** 2 == pytest.approx(simulated, abs=4 * error)


@everyone
def test_spike_rate_is_one_in_n(name: str) -> None:
    expected = len(moves(name)) / symbol(name).event_every
    assert len(spikes(name)) == pytest.approx(expected, abs=4 * math.sqrt(expected))


@everyone
def test_gaps_between_spikes_are_geometric(name: str) -> None:
    gaps = np.diff(np.flatnonzero(moves(name) > 0))
    rate = 1 / symbol(name).event_every
    # Kolmogorov-Smirnov against the geometric law; 1.95 is its 0.1 % point.
    grid = np.arange(1, gaps.max() + 1)
    empirical = np.searchsorted(np.sort(gaps), grid, side="right") / len(gaps)
    assert float(np.abs(empirical - (1 - (1 - rate) ** grid)).max()) < 1.95 / math.sqrt(len(gaps))


@names
def test_spike_size_mean(name: str) -> None:
    row, sizes = TABLE[name], spikes(name)
    error = 0.001 * SIZE_CV * math.sqrt(1 / row.spikes + 1 / len(sizes))
    assert sizes.mean() == pytest.approx(row.spike_mean, abs=3 * error)


@names
def test_spike_size_median(name: str) -> None:
    row, sizes = TABLE[name], spikes(name)
    # 1 / (2 f sqrt(n)) with the law's density f = 510 at the median.
    error = 1 / (2 * 510) * math.sqrt(1 / row.spikes + 1 / len(sizes))
    assert np.median(sizes) == pytest.approx(row.spike_median, abs=3 * error)


@names
def test_spike_size_coefficient_of_variation(name: str) -> None:
    row, sizes = TABLE[name], spikes(name)
    error = 0.5 * math.sqrt(1 / row.spikes + 1 / len(sizes))
    assert sizes.std() / sizes.mean() == pytest.approx(row.spike_cv, abs=3 * error)


@pytest.mark.parametrize(
    ("share", "recorded"),
    [(0.05, 0.08e-3), (0.25, 0.45e-3), (0.50, 0.91e-3), (0.75, 1.45e-3), (0.95, 2.05e-3), (0.99, 2.90e-3)],
)
def test_spike_size_quantiles_pooled_over_the_six(share: float, recorded: float) -> None:
    sizes = np.concatenate([spikes(name) for name in TABLE])
    # The recorded quantile of 241 spikes has rank share * 241 +- its binomial error, which the simulation must cover.
    error = 3.3 * math.sqrt(share * (1 - share) / 241)
    low, high = np.quantile(sizes, [max(0.0, share - error), min(1.0, share + error)])
    assert low <= recorded <= high


@names
def test_small_step_mean(name: str) -> None:
    n = symbol(name).event_every
    small = -moves(name)[moves(name) <= 0]
    # Recorded over as few as 10,000 steps: an error of 0.69 %.
    error = SIZE_CV * math.sqrt(1 / TABLE[name].n + 1 / len(small))
    assert small.mean() * n * 1_000 == pytest.approx(TABLE[name].mean, abs=3 * error)


@everyone
def test_small_step_mean_is_one_in_a_thousand_n(name: str) -> None:
    small = -moves(name)[moves(name) <= 0]
    error = SIZE_CV / math.sqrt(len(small))
    assert small.mean() * symbol(name).event_every * 1_000 == pytest.approx(1.0, abs=4 * error)


@names
def test_small_step_coefficient_of_variation(name: str) -> None:
    small = -moves(name, TABLE[name].n)
    small = small[small >= 0]
    assert small.std() / small.mean() == pytest.approx(TABLE[name].cv, abs=4 * 0.6 * math.sqrt(2 / len(small)))


@names
def test_small_step_kurtosis_is_lighter_than_a_half_normals(name: str) -> None:
    # Recorded: 3.05; a half normal has 3.87. Rounding to a pip adds little.
    small = -moves(name)[moves(name) <= 0]
    kurtosis = float(((small - small.mean()) ** 4).mean() / small.var() ** 2)
    assert kurtosis == pytest.approx(3.05, abs=0.12)


@names
def test_zero_small_steps(name: str) -> None:
    row, small = TABLE[name], moves(name, TABLE[name].n)
    recorded = row.zeros / 100
    # Inversely proportional to the step in pips, which moves with the price.
    level = float(-small[small <= 0].mean() * quotes(name)[: row.n].mean() * 1_000) / row.pips
    error = math.sqrt(2 * recorded / row.n)
    assert (small == 0).mean() * level == pytest.approx(recorded, abs=4 * error + 0.02 * recorded)


@names
def test_small_step_in_pips(name: str) -> None:
    small = -moves(name, 10_000)
    steps = small[small >= 0].mean() * quotes(name)[:10_000].mean() * 1_000
    assert steps == pytest.approx(TABLE[name].pips, rel=0.04)


@names
def test_small_steps_have_no_memory(name: str) -> None:
    small = -moves(name, TABLE[name].n)
    small = small[small >= 0]
    assert acf(small, 1) == pytest.approx(TABLE[name].size_acf, abs=4 * math.sqrt(2 / len(small)))


@names
def test_last_digit_is_uniform(name: str) -> None:
    # Digits of neighbouring ticks go together, so every hundredth tick is counted.
    digits = np.rint(quotes(name)[::101] * 1_000).astype(np.int64) % 10
    expected = len(digits) / 10
    chi2 = float(((np.bincount(digits, minlength=10) - expected) ** 2 / expected).sum())
    assert chi2 < 9 + 4 * math.sqrt(18)


@names
def test_last_digit_depends_on_the_one_before_as_recorded(name: str) -> None:
    row = TABLE[name]
    digits = np.rint(quotes(name)[: row.n] * 1_000).astype(np.int64) % 10
    pairs = np.bincount(digits[:-1] * 10 + digits[1:], minlength=100).reshape(10, 10)
    expected = np.outer(pairs.sum(axis=1), pairs.sum(axis=0)) / pairs.sum()
    chi2 = float(((pairs - expected) ** 2 / expected).sum())
    # A noncentral chi-square of 81 degrees of freedom; the dependence itself falls with the price, steeply.
    excess = max(row.digits - 81, 0.0)
    error = math.sqrt(2 * (81 + 2 * excess))
    assert chi2 == pytest.approx(row.digits, abs=4 * math.sqrt(2) * error + 0.25 * excess)


@pytest.mark.parametrize(
    ("name", "ticks", "shares"),
    [
        ("BOOM500", 1, (0.21, 97.11, 2.68)),
        ("BOOM500", 2, (0.41, 99.55, 0.04)),
        ("BOOM500", 5, (1.03, 98.97, 0.00)),
        ("BOOM500", 10, (2.03, 97.97, 0.00)),
        ("CRASH1000", 1, (94.92, 0.07, 5.01)),
        ("CRASH1000", 2, (99.69, 0.14, 0.17)),
        ("CRASH1000", 5, (99.65, 0.35, 0.00)),
        ("CRASH1000", 10, (99.31, 0.69, 0.00)),
    ],
)
def test_up_down_and_ties(name: str, ticks: int, shares: tuple[float, float, float]) -> None:
    taken = quotes(name)[: TABLE[name].n]
    change = np.rint((taken[ticks:] - taken[:-ticks]) * 1_000)
    rate = ticks / symbol(name).event_every
    for share, recorded in zip((change > 0, change < 0, change == 0), shares, strict=True):
        # What varies are the spikes, which overlapping windows count several times, and the ties with the price.
        error = math.sqrt(2 * (rate * ticks + recorded / 100 * (1 - recorded / 100)) / len(change))
        assert share.mean() == pytest.approx(recorded / 100, abs=4 * error + 0.002)
