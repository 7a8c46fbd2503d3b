"""One day's features: complete where they say so, and blind to anything that was not known yet."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xtitan_core.clock import DAY
from xtitan_core.features import DEFAULT_SPEC, FeatureError, FeatureSpec, day_features, earliest_tick, windows
from xtitan_core.features.batch import DayFeatures
from xtitan_core.randomness import stream

MIDNIGHT = 1_772_409_600  # 2026-03-02
SPEC = FeatureSpec(tick_window=16, bar_seconds=300, bar_window=8, anchor_bars=80)


def ticks(first: int, last: int, step: int = 20, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """A random walk that ticks every ``step`` seconds in [first, last)."""
    epochs = np.arange(-(-first // step) * step, last, step, dtype=np.int64)
    returns = stream(seed, "ticks").normal(0.0, 3e-4, 2 * DAY // step)
    level = np.cumsum(returns)[(epochs - (MIDNIGHT - DAY)) // step]
    return epochs, np.round(640.0 * np.exp(level), 2)


@pytest.fixture(scope="module")
def day() -> DayFeatures:
    return day_features(MIDNIGHT, *ticks(earliest_tick(MIDNIGHT, SPEC), MIDNIGHT + DAY), SPEC)


def test_every_tick_of_an_anchored_day_is_valid(day: DayFeatures) -> None:
    assert day.lead == SPEC.tick_window
    assert day.epochs[0] == MIDNIGHT
    assert len(day.epochs) == DAY // 20
    assert day.valid.all()


def test_tick_windows_are_the_last_log_returns(day: DayFeatures) -> None:
    epochs, quotes = ticks(earliest_tick(MIDNIGHT, SPEC), MIDNIGHT + DAY)
    for i in (0, 7, 1_000, len(day.epochs) - 1):
        at = int(np.searchsorted(epochs, day.epochs[i]))
        expected = [math.log(quotes[j] / quotes[j - 1]) for j in range(at - 15, at + 1)]

        assert windows(day, [i], SPEC)[0][0].tolist() == np.array(expected).astype(np.float32).tolist()


def test_candle_windows_end_with_the_last_closed_bar(day: DayFeatures) -> None:
    column = SPEC.indicators.index("log_return")
    closes = {int(e) // 300: q for e, q in zip(*ticks(MIDNIGHT - DAY, MIDNIGHT + DAY), strict=True)}
    for i in (0, 14, 15, 16, 2_000):
        last = int(day.epochs[i]) // 300 - 1  # the bar this tick is in is still open
        expected = np.float32(math.log(closes[last] / closes[last - 1]))

        assert windows(day, [i], SPEC)[1][0, -1, column] == expected


def test_windows_of_many_ticks_are_the_windows_of_each(day: DayFeatures) -> None:
    index = np.array([3, 500, 4, 4_319])
    ticks_, candles = windows(day, index, SPEC)

    assert ticks_.dtype == candles.dtype == np.float32
    assert ticks_.shape == (4, 16)
    assert candles.shape == (4, 8, len(SPEC.indicators))
    for k, i in enumerate(index):
        one = windows(day, i, SPEC)
        assert one[0][0].tobytes() == ticks_[k].tobytes()
        assert one[1][0].tobytes() == candles[k].tobytes()
    assert windows(day, [], SPEC)[1].shape == (0, 8, len(SPEC.indicators))


def test_the_bar_that_is_still_open_is_not_there(day: DayFeatures) -> None:
    assert len(day.candles) == day.bar_ready[-1] == SPEC.bar_window + DAY // 300 - 1


def test_the_future_changes_nothing(day: DayFeatures) -> None:
    """Ticks after a moment are replaced by wild ones: everything up to that moment keeps its bytes."""
    epochs, quotes = ticks(earliest_tick(MIDNIGHT, SPEC), MIDNIGHT + DAY)
    for now in (MIDNIGHT, MIDNIGHT + 299, MIDNIGHT + 300, MIDNIGHT + 40_000, MIDNIGHT + DAY - 20):
        wild = np.where(epochs > now, quotes * stream(now, "wild").uniform(0.2, 5.0, len(quotes)), quotes)
        other = day_features(MIDNIGHT, epochs, wild, SPEC)
        seen = np.flatnonzero(day.epochs <= now)

        for a, b in zip(windows(day, seen, SPEC), windows(other, seen, SPEC), strict=True):
            assert a.tobytes() == b.tobytes()


def test_so_does_the_absence_of_the_future(day: DayFeatures) -> None:
    for last in (MIDNIGHT + 1, MIDNIGHT + 5_000, MIDNIGHT + DAY - 1):
        part = day_features(MIDNIGHT, *ticks(earliest_tick(MIDNIGHT, SPEC), last), SPEC)
        seen = np.arange(len(part.epochs))

        assert part.valid.all()
        for a, b in zip(windows(day, seen, SPEC), windows(part, seen, SPEC), strict=True):
            assert a.tobytes() == b.tobytes()


def test_reading_further_back_or_ahead_changes_nothing(day: DayFeatures) -> None:
    wider = day_features(MIDNIGHT, *ticks(MIDNIGHT - DAY, MIDNIGHT + DAY), SPEC)

    for name in ("epochs", "quotes", "lead", "returns", "candles", "bar_ready", "valid"):
        assert np.array_equal(getattr(wider, name), getattr(day, name)), name


def test_a_day_with_too_few_bars_before_it_is_not_valid() -> None:
    """80 whole bars are needed, and the bar of the very first tick is never known to be whole."""
    enough = MIDNIGHT - 81 * 300
    for first, valid in ((enough, True), (enough + 20, True), (enough + 300, False), (MIDNIGHT + 50, False)):
        part = day_features(MIDNIGHT, *ticks(first, MIDNIGHT + 3_600), SPEC)

        assert part.valid.all() == valid
        assert part.valid.any() == valid


def test_a_window_that_is_not_complete_is_refused(day: DayFeatures) -> None:
    late = day_features(MIDNIGHT, *ticks(MIDNIGHT - 3_600, MIDNIGHT + 3_600), SPEC)
    for index in ([0], [-1], [len(late.epochs)]):
        with pytest.raises(FeatureError, match="no complete window"):
            windows(late, index, SPEC)
    with pytest.raises(FeatureError, match="no complete window"):
        windows(day, [len(day.epochs)], SPEC)


def test_an_empty_day_has_no_ticks() -> None:
    none = np.zeros(0, dtype=np.int64)
    for epochs, quotes in ((none, none.astype(np.float64)), ticks(MIDNIGHT - 60, MIDNIGHT)):
        empty = day_features(MIDNIGHT, epochs, quotes, SPEC)

        assert len(empty.epochs) == len(empty.valid) == len(empty.bar_ready) == 0


@pytest.mark.parametrize(
    ("epochs", "quotes", "message"),
    [
        ([10, 10], [1.0, 1.0], "not after the last tick 10"),
        ([10, 9], [1.0, 1.0], "not after"),
        ([10, 20], [1.0, math.nan], "tick 20: quote nan is not finite"),
        ([10, 20], [math.inf, 1.0], "not finite"),
        ([10, 20], [1.0, 0.0], "not a plausible price"),
        ([10, 20], [-1.0, 1.0], "not a plausible price"),
        ([10, 20], [1.0, 1e300], "not a plausible price"),
        ([10, 20], [1.0], "as many"),
        ([10.5, 20.5], [1.0, 1.0], "integers"),
    ],
)
def test_bad_ticks_are_refused(epochs: list[int], quotes: list[float], message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        day_features(0, np.array(epochs), np.array(quotes), SPEC)


def test_a_day_starts_at_midnight() -> None:
    with pytest.raises(FeatureError, match="not a UTC midnight"):
        day_features(MIDNIGHT + 60, *ticks(MIDNIGHT - DAY, MIDNIGHT), SPEC)


def test_the_default_lookback_stays_within_the_day_before() -> None:
    assert MIDNIGHT - DAY < earliest_tick(MIDNIGHT, DEFAULT_SPEC) < MIDNIGHT - 1_200 * 60
    assert earliest_tick(MIDNIGHT, DEFAULT_SPEC) % 60 == 0
