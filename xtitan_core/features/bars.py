"""Bars from ticks. A bar exists when it holds a tick, and is closed when a tick at or after its end has arrived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xtitan_core.features.columns import Array, Frame


@dataclass(frozen=True, slots=True)
class Bars:
    """Existing bars in order of time.

    Attributes:
        number: epoch of the bar's start divided by its length, int64, shape (n,), strictly increasing.
        open, high, low, close: float64, shape (n,).
    """

    number: npt.NDArray[np.int64]
    open: Array
    high: Array
    low: Array
    close: Array

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, part: slice) -> Bars:
        return Bars(self.number[part], self.open[part], self.high[part], self.low[part], self.close[part])

    def frame(self) -> Frame:
        """The columns that indicators read; the first bar has no previous close."""
        previous = np.concatenate([np.full(1, np.nan), self.close[:-1]]) if len(self) else self.close
        return Frame(self.open, self.high, self.low, self.close, previous)


def bars_from_ticks(epochs: npt.NDArray[np.int64], quotes: Array, bar_seconds: int) -> Bars:
    """All bars of the ticks, the first and last of which may be incomplete.

    Args:
        epochs: strictly increasing, int64, shape (n,).
        quotes: float64, shape (n,).
        bar_seconds: length of a bar.
    """
    number = epochs // bar_seconds
    if len(number) == 0:
        return Bars(number, quotes, quotes, quotes, quotes)
    first = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
    last = np.concatenate([first[1:], [len(number)]]) - 1
    return Bars(
        number[first],
        quotes[first],
        np.maximum.reduceat(quotes, first),
        np.minimum.reduceat(quotes, first),
        quotes[last],
    )
