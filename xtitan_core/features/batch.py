"""Features of one UTC day from arrays of ticks: what training sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xtitan_core.clock import DAY
from xtitan_core.features.bars import Bars, bars_from_ticks
from xtitan_core.features.columns import Array, Rows, exact_log
from xtitan_core.features.indicators import indicator_rows
from xtitan_core.features.spec import FeatureError, FeatureSpec
from xtitan_core.features.ticks import check_ticks

Epochs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DayFeatures:
    """Everything the windows of one UTC day are cut from.

    Attributes:
        midnight: epoch of the day's start.
        epochs: the day's ticks, int64, shape (n,).
        quotes: float64, shape (n,).
        lead: returns before the first tick of the day, at most ``tick_window``.
        returns: log return into each tick, float32, shape (lead + n,).
        candles: rows of closed bars, float32, shape (m, K): ``bar_window`` of the anchor, then the day's. The day's
            last bar is not among them: no tick of the day can have seen it closed.
        bar_ready: rows of ``candles`` that were closed at each tick, int64, shape (n,).
        valid: ticks whose two windows are complete, bool, shape (n,). All False when the anchor is too short.
    """

    midnight: int
    epochs: Epochs
    quotes: Array
    lead: int
    returns: Rows
    candles: Rows
    bar_ready: Epochs
    valid: npt.NDArray[np.bool_]


def earliest_tick(midnight: int, spec: FeatureSpec) -> int:
    """Where to start reading so that the day beginning at ``midnight`` can anchor.

    For symbols that trade around the clock; one that closes at weekends needs the closed time added. A quarter more
    than the anchor needs, to bridge gaps. Reading further back never changes a byte.
    """
    return midnight - (spec.anchor_bars + spec.anchor_bars // 4 + 2) * spec.bar_seconds


def day_features(midnight: int, epochs: Epochs, quotes: Array, spec: FeatureSpec) -> DayFeatures:
    """Compute the features of the UTC day that starts at ``midnight``.

    Args:
        midnight: a multiple of 86,400.
        epochs: ticks from ``earliest_tick`` to the end of the day; more on either side changes nothing.
        quotes: float64, same shape.
        spec: the windows and columns.

    Raises:
        FeatureError: when ticks are not strictly increasing, finite and positive, or ``midnight`` is not a day's start.
    """
    if midnight % DAY:
        raise FeatureError(f"{midnight} is not a UTC midnight")
    epochs, quotes = check_ticks(epochs, quotes)
    begin, end = (int(i) for i in np.searchsorted(epochs, [midnight, midnight + DAY]))
    epochs, quotes = epochs[:end], quotes[:end]
    first = max(begin - spec.tick_window, 0)
    ratio = quotes[max(first, 1) :] / quotes[max(first, 1) - 1 : -1] if end > 1 else np.zeros(0)
    if first == 0 and end:  # the very first tick has no return; 0 keeps the arrays aligned and is in no valid window
        ratio = np.concatenate([np.ones(1), ratio])
    day_epochs = epochs[begin:]
    valid = np.arange(begin, end) >= spec.tick_window
    candles, bar_ready, anchored = _candles(midnight, epochs, quotes, day_epochs, spec)
    return DayFeatures(
        midnight,
        day_epochs,
        quotes[begin:],
        begin - first,
        exact_log(ratio).astype(np.float32),
        candles,
        bar_ready,
        valid if anchored else np.zeros_like(valid),
    )


def _candles(
    midnight: int, epochs: Epochs, quotes: Array, day_epochs: Epochs, spec: FeatureSpec
) -> tuple[Rows, Epochs, bool]:
    """Rows of closed bars, rows ready at each tick of the day, and whether the anchor was long enough."""
    # The bar of the first tick is dropped: reading may have started in its middle.
    bars: Bars = bars_from_ticks(epochs, quotes, spec.bar_seconds)[1:]
    today = int(np.searchsorted(bars.number, midnight // spec.bar_seconds))
    if today < spec.anchor_bars:
        return (
            np.zeros((0, len(spec.indicators)), dtype=np.float32),
            np.zeros(len(day_epochs), dtype=np.int64),
            False,
        )
    start = today - spec.anchor_bars
    rows = indicator_rows(bars[start:], spec.indicators)
    closed = len(rows) - (1 if len(bars) > today else 0)
    candles = rows[spec.anchor_bars - spec.bar_window : closed]
    if not np.isfinite(candles).all():
        raise FeatureError(f"day {midnight}: an indicator is not finite")
    earlier = np.searchsorted(bars.number[today:], day_epochs // spec.bar_seconds, side="left")
    return candles, spec.bar_window + earlier.astype(np.int64), True


def windows(day: DayFeatures, index: npt.ArrayLike, spec: FeatureSpec) -> tuple[Rows, Rows]:
    """Model inputs at some ticks of a day.

    Args:
        day: from ``day_features`` with the same ``spec``.
        index: positions in ``day.epochs``, shape (k,).

    Returns:
        ``(ticks, candles)``: float32 of shapes (k, tick_window) and (k, bar_window, K), newest last.

    Raises:
        FeatureError: when a position is not valid.
    """
    at = np.atleast_1d(np.asarray(index, dtype=np.int64))
    if len(at) and (at.min() < 0 or at.max() >= len(day.epochs) or not day.valid[at].all()):
        raise FeatureError(f"day {day.midnight}: a requested tick has no complete window")
    k = len(spec.indicators)
    if len(at) == 0:
        return (
            np.zeros((0, spec.tick_window), dtype=np.float32),
            np.zeros((0, spec.bar_window, k), dtype=np.float32),
        )
    ticks = day.returns[(at + day.lead + 1)[:, None] + np.arange(-spec.tick_window, 0)]
    candles = day.candles[day.bar_ready[at][:, None] + np.arange(-spec.bar_window, 0)]
    return ticks, candles
