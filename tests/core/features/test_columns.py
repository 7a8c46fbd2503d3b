"""Candle columns: what each one says, checked against arithmetic of our own, and that none depends on the price scale."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from xtitan_core.features.bars import Bars
from xtitan_core.features.columns import COLUMNS, DEFAULT_INDICATORS, WARM_UP_BARS, exact_log
from xtitan_core.features.indicators import IndicatorHandles, indicator_rows
from xtitan_core.randomness import stream

SHARED = Path(__file__).parents[3].parent / "shared"


def random_bars(n: int, seed: int = 3, price: float = 640.0, sigma: float = 1e-3) -> Bars:
    """A random walk; every 50th bar is flat, and 30 bars in the middle are all the same price."""
    rng = stream(seed, "bars")
    close = np.round(price * np.exp(np.cumsum(rng.normal(0.0, sigma, n))), 6)
    close[n // 2 : n // 2 + 30] = close[n // 2]
    open_ = np.concatenate([[price], close[:-1]])
    high = np.maximum(open_, close) + np.abs(rng.normal(0, sigma / 3, n)) * price
    low = np.minimum(open_, close) - np.abs(rng.normal(0, sigma / 3, n)) * price
    flat = np.arange(n) % 50 == 0
    flat[n // 2 : n // 2 + 30] = True
    return Bars(
        np.arange(n),
        np.where(flat, close, open_),
        np.where(flat, close, high),
        np.where(flat, close, low),
        close,
    )


def column(bars: Bars, name: str) -> np.ndarray:
    return indicator_rows(bars, (name,))[:, 0]


def test_columns_mean_what_they_say() -> None:
    bars = random_bars(300)
    o, h, lo, c = bars.open, bars.high, bars.low, bars.close
    i = 280
    high, low = h[i - 13 : i + 1].max(), lo[i - 13 : i + 1].min()
    last20 = c[i - 19 : i + 1]
    middle, spread = last20.mean(), 2 * last20.std()
    typical = ((h + lo + c) / 3)[i - 19 : i + 1]
    deviation = np.abs(typical - typical.mean()).mean()
    since_high = 14 - int(np.argmax(h[i - 14 : i + 1]))
    since_low = 14 - int(np.argmin(lo[i - 14 : i + 1]))
    expected = {
        "log_return": math.log(c[i] / c[i - 1]),
        "body": (c[i] - o[i]) / c[i],
        "range": (h[i] - lo[i]) / c[i],
        "willr_14": -(high - c[i]) / (high - low),
        "roc_10": c[i] / c[i - 10] - 1,
        "bands_percent": (c[i] - (middle - spread)) / (2 * spread),
        "bands_width": 2 * spread / middle,
        "cci_20": (typical[-1] - typical.mean()) / (0.015 * deviation) / 100,
        "aroon_14": (since_low - since_high) / 14,
    }
    for name, value in expected.items():
        assert column(bars, name)[i] == pytest.approx(value, rel=1e-5), name


def test_wilder_averages_follow_their_recursion() -> None:
    bars = random_bars(400)
    gain, loss, true_range = 0.0, 0.0, 0.0
    for i in range(1, 400):
        change = bars.close[i] - bars.close[i - 1]
        gain += (max(change, 0.0) - gain) / 14
        loss += (max(-change, 0.0) - loss) / 14
        reach = max(bars.high[i], bars.close[i - 1]) - min(bars.low[i], bars.close[i - 1])
        true_range += (reach - true_range) / 14

    assert column(bars, "rsi_14")[-1] == pytest.approx((gain - loss) / (gain + loss), rel=1e-5)
    assert column(bars, "natr_14")[-1] == pytest.approx(true_range / bars.close[-1], rel=1e-5)


@pytest.mark.parametrize("name", DEFAULT_INDICATORS)
def test_no_column_knows_the_price_scale(name: str) -> None:
    small, large = random_bars(300), random_bars(300)
    large = Bars(large.number, *(1_024.0 * x for x in (large.open, large.high, large.low, large.close)))

    np.testing.assert_allclose(
        column(small, name)[WARM_UP_BARS:], column(large, name)[WARM_UP_BARS:], rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize("name", DEFAULT_INDICATORS)
def test_every_column_is_finite_after_its_warm_up_also_where_nothing_moves(name: str) -> None:
    flat = np.full(200, 640.0)
    for bars in (random_bars(1_000), Bars(np.arange(200), flat, flat, flat, flat)):
        assert np.isfinite(column(bars, name)[WARM_UP_BARS:]).all()


def test_no_two_columns_say_the_same() -> None:
    rows = indicator_rows(random_bars(2_000, sigma=2e-3), DEFAULT_INDICATORS)[WARM_UP_BARS:]
    correlation = np.abs(np.corrcoef(rows.T)) - np.eye(len(DEFAULT_INDICATORS))

    assert correlation.max() < 0.995


@pytest.mark.parametrize("name", DEFAULT_INDICATORS)
@pytest.mark.parametrize("cut", [WARM_UP_BARS, 333, 1_000])
def test_handles_opened_anywhere_continue_the_array_to_the_bit(name: str, cut: int) -> None:
    bars = random_bars(1_400)
    handles = IndicatorHandles(bars[:cut], (name,))
    rows = [handles.anchor_rows]
    for i in range(cut, len(bars)):
        rows.append(handles.update((bars.open[i], bars.high[i], bars.low[i], bars.close[i])))

    assert np.concatenate(rows).tobytes() == indicator_rows(bars, (name,)).tobytes()


def test_handles_continue_recorded_candles_to_the_bit() -> None:
    path = SHARED / "data/real/candles_1m_R_100_202509.csv.gz"
    if not path.exists():
        pytest.skip(f"recorded candles are not here: {path.name}")
    table = np.loadtxt(path, delimiter=",", skiprows=1)[:6_000]
    bars = Bars(table[:, 0].astype(np.int64) // 60, *(np.ascontiguousarray(table[:, k]) for k in (1, 2, 3, 4)))
    handles = IndicatorHandles(bars[:1_000], DEFAULT_INDICATORS)
    rows = [handles.anchor_rows]
    for i in range(1_000, len(bars)):
        rows.append(handles.update((bars.open[i], bars.high[i], bars.low[i], bars.close[i])))

    assert np.concatenate(rows).tobytes() == indicator_rows(bars, DEFAULT_INDICATORS).tobytes()


def test_logarithms_are_the_maths_module_s() -> None:
    x = np.exp(stream(1, "log").normal(0, 1e-3, 1_000))

    assert exact_log(x).tolist() == [math.log(v) for v in x.tolist()]


def test_definitions_are_distinct() -> None:
    assert len({c.definition for c in COLUMNS.values()}) == len(COLUMNS)
