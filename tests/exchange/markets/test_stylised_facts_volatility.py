"""Volatility indices: one test a recorded fact, each against the recording's own figure and within its sampling error.

The figures are those of recorded ticks (April 2026) and one-minute candles (2025); a simulated sample is as long as the
recorded one and starts at the same price level, on which ties depend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from paper_exchange.markets import simulate
from xtitan_core.symbols import SYMBOLS, SymbolKind, symbol

BEGIN = 1_772_409_600
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recorded:
    """A row of the table.

    Attributes:
        n: ticks recorded.
        sd: of tick log returns; se of the annual volatility in percent.
        pips: sd in pips, which gives the price level.
        ties: percent of 1, 2, 5 and 10 ticks without a move.
    """

    n: int
    sd: float
    skew: float
    kurtosis: float
    acf: tuple[float, float, float, float]
    acf_abs: tuple[float, float, float, float, float]
    pips: float
    ties: tuple[float, float, float, float]


TICKS = {
    "R_10": Recorded(
        84_995, 2.5184e-05, -0.006, 2.996, (0.0022, 0.0018, 0.0048, -0.0026),
        (-0.0021, -0.0027, -0.0028, -0.0012, -0.0026), 128.1, (0.33, 0.21, 0.14, 0.10),
    ),
    "R_25": Recorded(
        68_212, 6.2921e-05, 0.010, 3.002, (-0.0049, -0.0004, -0.0044, -0.0002),
        (-0.0019, 0.0008, 0.0000, 0.0027, -0.0075), 203.3, (0.21, 0.14, 0.11, 0.06),
    ),
    "R_75": Recorded(
        84_944, 1.8817e-04, -0.007, 3.005, (0.0011, 0.0019, 0.0029, 0.0051),
        (0.0023, 0.0024, -0.0023, 0.0005, -0.0010), 63_868.8, (0.0, 0.0, 0.0, 0.0),
    ),
    "R_100": Recorded(
        84_925, 2.5209e-04, 0.004, 3.001, (0.0006, 0.0027, -0.0019, 0.0001),
        (0.0064, 0.0012, 0.0000, -0.0018, -0.0006), 16.3, (2.45, 1.70, 1.10, 0.74),
    ),
    "1HZ75V": Recorded(
        40_000, 1.3396e-04, 0.010, 2.968, (0.0036, -0.0022, -0.0075, -0.0028),
        (0.0033, 0.0050, 0.0072, -0.0039, 0.0027), 59.0, (0.69, 0.53, 0.27, 0.21),
    ),
}  # fmt: skip
# One-minute candles: Parkinson ratio, percent of zero returns, percent of opens within 1e-5 of the last close.
CANDLES = {
    "R_10": (0.875, 0.08, 30.5),
    "R_25": (0.875, 0.05, 12.8),
    "R_50": (0.870, 0.04, 6.0),
    "R_75": (0.871, 0.00, 4.2),
    "R_100": (0.868, 0.30, 2.6),
}
FIVE_MINUTES = {"R_10": 0.940, "R_25": 0.951, "R_50": 0.943, "R_75": 0.945, "R_100": 0.944}
"""Parkinson ratio of five-minute candles."""

NOT_RECORDED = ["R_50", "1HZ10V", "1HZ25V", "1HZ50V", "1HZ100V"]
VOLATILITY = [name for name, s in SYMBOLS.items() if s.kind is SymbolKind.VOLATILITY]
names = pytest.mark.parametrize("name", TICKS)
APART = 4 * math.sqrt(2)
"""Simulated and recorded figures both have a sampling error; four standard errors of the difference."""


@cache
def quotes(name: str) -> Array:
    """A sample as long as the recorded one, from its price level."""
    entry, row = symbol(name), TICKS[name]
    level = row.pips * float(entry.pip) / row.sd
    source = simulate(replace(entry, initial_price=level), 21, BEGIN)
    return source.between(BEGIN, BEGIN + (row.n - 1) * entry.tick_seconds)[1]


def returns(name: str) -> Array:
    return np.diff(np.log(quotes(name)))


def acf(x: Array, lag: int) -> float:
    d = x - x.mean()
    return float((d[lag:] * d[:-lag]).sum() / (d * d).sum())


def chi2_limit(df: int) -> float:
    """Four standard deviations above the mean of a chi-square variable."""
    return df + 4 * math.sqrt(2 * df)


@names
def test_standard_deviation_of_a_tick(name: str) -> None:
    error = TICKS[name].sd / math.sqrt(2 * TICKS[name].n)
    assert returns(name).std() == pytest.approx(TICKS[name].sd, abs=APART * error)


@cache
def day(name: str) -> Array:
    """A day's quotes of an index whose ticks were not recorded: held to what all recorded ones have in common."""
    return simulate(symbol(name), 21, BEGIN).between(BEGIN, BEGIN + 86_399)[1]


unrecorded = pytest.mark.parametrize("name", NOT_RECORDED)


@unrecorded
def test_shape_is_normal_where_nothing_was_recorded(name: str) -> None:
    r = np.diff(np.log(day(name)))
    z = (r - r.mean()) / r.std()
    assert float((z**3).mean()) == pytest.approx(0.0, abs=4 * math.sqrt(6 / len(z)))
    assert float((z**4).mean()) == pytest.approx(3.0, abs=4 * math.sqrt(24 / len(z)))


@unrecorded
@pytest.mark.parametrize("lag", [1, 2, 5, 10, 50])
def test_nothing_is_remembered_where_nothing_was_recorded(name: str, lag: int) -> None:
    r = np.diff(np.log(day(name)))
    # Quotes rounded to pips hold back a twelfth of a squared pip from one return to the next.
    rounding = (float(symbol(name).pip) / float(day(name).mean())) ** 2 / 12 / float(r.var()) if lag == 1 else 0.0
    assert acf(r, lag) == pytest.approx(-rounding, abs=4 / math.sqrt(len(r)))
    assert abs(acf(np.abs(r), lag)) < 4 / math.sqrt(len(r))


@unrecorded
def test_last_digit_is_uniform_and_free_where_nothing_was_recorded(name: str) -> None:
    digits = np.rint(day(name) / float(symbol(name).pip)).astype(np.int64) % 10
    pairs = np.bincount(digits[:-1] * 10 + digits[1:], minlength=100)
    expected = (len(digits) - 1) / 100
    assert float(((pairs - expected) ** 2 / expected).sum()) < chi2_limit(99)


@unrecorded
def test_standard_deviation_of_a_tick_is_nominal_where_nothing_was_recorded(name: str) -> None:
    entry = symbol(name)
    moves = np.diff(np.log(day(name)))
    # Rounding to a pip adds a sixth of its square to the variance of a return.
    rounding = float(entry.pip) ** 2 / 6 / entry.initial_price**2
    expected = math.sqrt(entry.tick_sigma**2 + rounding)
    assert moves.std() == pytest.approx(expected, rel=4 / math.sqrt(2 * len(moves)) + 0.002)


@names
def test_skew(name: str) -> None:
    r = returns(name)
    skew = float(((r - r.mean()) ** 3).mean() / r.std() ** 3)
    assert skew == pytest.approx(TICKS[name].skew, abs=APART * math.sqrt(6 / len(r)))


@names
def test_kurtosis(name: str) -> None:
    r = returns(name)
    kurtosis = float(((r - r.mean()) ** 4).mean() / r.var() ** 2)
    assert kurtosis == pytest.approx(TICKS[name].kurtosis, abs=APART * math.sqrt(24 / len(r)))


@names
def test_largest_move_is_that_of_a_normal_sample(name: str) -> None:
    # Recorded: 4.2 to 5.0 standard deviations.
    r = returns(name)
    assert 3.8 < float(np.abs(r).max() / r.std()) < 5.6


@names
@pytest.mark.parametrize(("at", "lag"), list(enumerate((1, 2, 5, 10))))
def test_returns_have_no_memory(name: str, at: int, lag: int) -> None:
    r = returns(name)
    assert acf(r, lag) == pytest.approx(TICKS[name].acf[at], abs=APART / math.sqrt(len(r)))


@names
@pytest.mark.parametrize(("at", "lag"), list(enumerate((1, 2, 5, 10, 50))))
def test_absolute_returns_have_no_memory(name: str, at: int, lag: int) -> None:
    r = np.abs(returns(name))
    assert acf(r, lag) == pytest.approx(TICKS[name].acf_abs[at], abs=APART / math.sqrt(len(r)))


@names
def test_volatility_does_not_cluster(name: str) -> None:
    # Recorded: the sd of blocks of 1,800 ticks varies by 1.4 to 1.8 %, 1.6 to 1.7 % are expected of white noise.
    r = returns(name)
    blocks = r[: len(r) // 1_800 * 1_800].reshape(-1, 1_800).std(axis=1)
    assert blocks.std(ddof=1) / blocks.mean() == pytest.approx(0.0165, rel=4 / math.sqrt(2 * len(blocks)))


@names
@pytest.mark.parametrize(("at", "ticks"), list(enumerate((1, 2, 5, 10))))
def test_ties(name: str, at: int, ticks: int) -> None:
    pips = np.rint(quotes(name) / float(symbol(name).pip))
    moves = pips[ticks::ticks] - pips[:-ticks:ticks]
    row = TICKS[name]
    # The share is proportional to pips per tick sd, which moves with the price: compared at the recorded level.
    level = float(returns(name).std() * pips.mean() / row.pips)
    recorded = row.ties[at] / 100
    error = math.sqrt((recorded + 1 / len(moves)) / len(moves))
    assert (moves == 0).mean() * level == pytest.approx(recorded, abs=APART * error + 0.02 * recorded)


@names
@pytest.mark.parametrize("ticks", [1, 2, 5, 10])
def test_up_and_down_are_alike(name: str, ticks: int) -> None:
    # Recorded at k = 1: 48.55 to 50.02 % either way, the rest ties.
    pips = quotes(name)
    moves = pips[ticks::ticks] - pips[:-ticks:ticks]
    moved = int((moves != 0).sum())
    assert (moves > 0).sum() / moved == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(moved))


@names
def test_last_digit_is_uniform(name: str) -> None:
    digits = np.rint(quotes(name) / float(symbol(name).pip)).astype(np.int64) % 10
    expected = len(digits) / 10
    chi2 = float(((np.bincount(digits, minlength=10) - expected) ** 2 / expected).sum())
    assert chi2 < chi2_limit(9)


@names
def test_last_digit_has_no_memory(name: str) -> None:
    # Recorded: chi-square 70 to 92 with 81 degrees of freedom.
    digits = np.rint(quotes(name) / float(symbol(name).pip)).astype(np.int64) % 10
    pairs = np.bincount(digits[:-1] * 10 + digits[1:], minlength=100).reshape(10, 10)
    expected = np.outer(pairs.sum(axis=1), pairs.sum(axis=0)) / pairs.sum()
    assert float(((pairs - expected) ** 2 / expected).sum()) < chi2_limit(81)


def test_indices_move_apart_from_each_other() -> None:
    # Recorded: at most 0.005 in absolute value between R_10, R_25, R_75 and R_100 (n = 68,116).
    columns = [returns(name)[:68_000] for name in ("R_10", "R_25", "R_75", "R_100")]
    off = np.corrcoef(columns)[np.triu_indices(4, 1)]
    assert float(np.abs(off).max()) < 4 / math.sqrt(68_000)


@cache
def candles(name: str, seconds: int = 60, days: int = 10) -> tuple[Array, Array, Array, Array]:
    """Open, high, low and close of bars of so many seconds."""
    entry = symbol(name)
    quotes = simulate(entry, 21, BEGIN).between(BEGIN, BEGIN + days * 86_400 - 1)[1]
    ticks = quotes.reshape(-1, seconds // entry.tick_seconds)
    return ticks[:, 0], ticks.max(axis=1), ticks.min(axis=1), ticks[:, -1]


minutes = pytest.mark.parametrize("name", CANDLES)


def check_range_to_close(bars: tuple[Array, Array, Array, Array], recorded: float, recorded_bars: int) -> None:
    """Parkinson's volatility over that of the closes, below 1 as the ticks of a bar miss its extremes."""
    _, high, low, close = bars
    parkinson = math.sqrt(float((np.log(high / low) ** 2).mean()) / (4 * math.log(2)))
    ratio = parkinson / float(np.diff(np.log(close)).std())
    # The variances have relative errors of about 0.64 and 1.41 over root n.
    error = 0.5 * math.hypot(0.64, 1.41) / math.sqrt(len(close))
    assert ratio == pytest.approx(recorded, abs=4 * error * math.sqrt(1 + len(close) / recorded_bars))


@minutes
def test_candles_range_to_close_ratio(name: str) -> None:
    check_range_to_close(candles(name), CANDLES[name][0], 45_000)


@pytest.mark.parametrize(("name", "recorded"), FIVE_MINUTES.items())
def test_candles_of_five_minutes_range_to_close_ratio(name: str, recorded: float) -> None:
    # 150 ticks a bar miss less of the extremes than thirty do.
    check_range_to_close(candles(name, 300, 40), recorded, 29_996)


@minutes
def test_candles_kurtosis(name: str) -> None:
    r = np.diff(np.log(candles(name)[3]))
    assert float(((r - r.mean()) ** 4).mean() / r.var() ** 2) == pytest.approx(3.0, abs=4 * math.sqrt(24 / len(r)))


@minutes
@pytest.mark.parametrize("lag", [1, 10, 60])
def test_candles_have_no_memory(name: str, lag: int) -> None:
    r = np.diff(np.log(candles(name)[3]))
    band = 4 / math.sqrt(len(r))
    assert abs(acf(r, lag)) < band
    assert abs(acf(np.abs(r), lag)) < band


@minutes
def test_candles_zero_returns(name: str) -> None:
    close = candles(name)[3]
    recorded = CANDLES[name][1] / 100
    error = math.sqrt((recorded + 3 / len(close)) / len(close))
    # The share depends on the price level, which was another one: within a third on top.
    assert (np.diff(close) == 0).mean() == pytest.approx(recorded, abs=4 * error + recorded / 3)


@minutes
def test_candles_seldom_open_at_the_last_close(name: str) -> None:
    # The recorded shares count opens within 1e-5 of the last close: a fixed part of a tick's standard deviation.
    opens, _, _, closes = candles(name)
    share = float(np.isclose(opens[1:], closes[:-1]).mean())
    recorded = CANDLES[name][2] / 100
    assert share == pytest.approx(
        recorded, abs=4 * math.sqrt(recorded * (1 - recorded) * (1 / 45_000 + 1 / len(opens)))
    )


@pytest.mark.parametrize("name", VOLATILITY)
def test_ticks_come_on_the_recorded_grid(name: str) -> None:
    # R_* on even epochs, 1HZ every second, none missing.
    epochs = simulate(symbol(name), 1, BEGIN).between(BEGIN, BEGIN + 600)[0]
    step = 1 if name.startswith("1HZ") else 2
    assert epochs.tolist() == list(range(BEGIN, BEGIN + 601, step))
