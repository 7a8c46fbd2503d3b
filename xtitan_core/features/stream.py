"""Features tick by tick: what the runner sees. The same bytes as ``batch``, at any chunking and after any restart."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Iterable

import numpy as np

from xtitan_core.clock import DAY
from xtitan_core.features.bars import Bars
from xtitan_core.features.columns import Rows
from xtitan_core.features.indicators import IndicatorHandles
from xtitan_core.features.spec import FeatureError, FeatureSpec
from xtitan_core.features.ticks import LARGEST_QUOTE, SMALLEST_QUOTE, check_tick


class FeatureStream:
    """Model inputs that follow a tick stream.

    To start or restart at any moment, push the ticks from ``earliest_tick(midnight(now), spec)`` on. The stream
    becomes ready at the first tick after a UTC midnight that has ``anchor_bars`` closed bars behind it.

    Args:
        spec: windows and columns.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._epoch = -1
        self._quote = 0.0
        self._day = -1
        # Returns and rows lie in buffers several windows long, so a window is always one contiguous slice.
        self._returns = np.zeros(spec.tick_window * 16, dtype=np.float32)
        self._ticks = 0
        self._rows = np.zeros((spec.bar_window * 8, len(spec.indicators)), dtype=np.float32)
        self._row_count = 0
        self._bars: deque[tuple[float, float, float, float]] = deque(maxlen=spec.anchor_bars)
        self._bar = -1
        self._partial = True
        self._open = self._high = self._low = 0.0
        self._handles: IndicatorHandles | None = None
        self._seen = 0

    @property
    def last_epoch(self) -> int:
        """Epoch of the newest tick, -1 before the first."""
        return self._epoch

    @property
    def ready(self) -> bool:
        """True when both windows are complete."""
        return self._handles is not None and self._seen > self.spec.tick_window

    def push(self, epoch: int, quote: float) -> None:
        """Take the next tick.

        Raises:
            FeatureError: for a quote that is not a plausible price or an epoch that is not newer; the stream is
                then unchanged.
        """
        if not (SMALLEST_QUOTE <= quote <= LARGEST_QUOTE and epoch > self._epoch):
            check_tick(self._epoch, epoch, quote)
        number = epoch // self.spec.bar_seconds
        if number != self._bar:
            self._next_bar(number, epoch, quote)
        elif quote > self._high:
            self._high = quote
        elif quote < self._low:
            self._low = quote
        if self._seen:
            if self._ticks == len(self._returns):
                keep = self.spec.tick_window
                self._returns[:keep] = self._returns[-keep:]
                self._ticks = keep
            self._returns[self._ticks] = math.log(quote / self._quote)
            self._ticks += 1
        self._seen += 1
        self._epoch, self._quote = epoch, quote

    def extend(self, ticks: Iterable[tuple[int, float]]) -> None:
        """Push many ticks; the first bad one raises ``FeatureError`` and those before it stay."""
        for epoch, quote in ticks:
            self.push(epoch, quote)

    def windows(self) -> tuple[Rows, Rows]:
        """Copies of ``(ticks, candles)``: float32 of shapes (tick_window,) and (bar_window, K), newest last.

        Raises:
            FeatureError: when the stream is not ready.
        """
        if not self.ready:
            raise FeatureError("features are not ready: not enough ticks or bars before this UTC day's midnight")
        return (
            self._returns[self._ticks - self.spec.tick_window : self._ticks].copy(),
            self._rows[self._row_count - self.spec.bar_window : self._row_count].copy(),
        )

    def digest(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of both windows' bytes.

        Raises:
            FeatureError: when the stream is not ready.
        """
        ticks, candles = self.windows()
        return hashlib.sha256(ticks.tobytes() + candles.tobytes()).hexdigest()[:16]

    def _next_bar(self, number: int, epoch: int, quote: float) -> None:
        """Close the current bar and open the one this tick belongs to."""
        if self._bar >= 0:
            if self._partial:  # reading may have started in its middle
                self._partial = False
            else:
                bar = (self._open, self._high, self._low, self._quote)
                self._bars.append(bar)
                if self._handles is not None:
                    self._append(self._handles.update(bar))
        self._bar = number
        self._open = self._high = self._low = quote
        day = epoch // DAY
        if day != self._day:
            self._day = day
            self._anchor()

    def _anchor(self) -> None:
        """Start the day's indicators from the last bars before midnight."""
        self._handles = None
        self._row_count = 0
        if len(self._bars) < self.spec.anchor_bars:
            return
        columns = np.ascontiguousarray(np.array(self._bars, dtype=np.float64).T)
        bars = Bars(np.arange(len(self._bars)), *columns)
        self._handles = IndicatorHandles(bars, self.spec.indicators)
        self._append(self._handles.anchor_rows[-self.spec.bar_window :])

    def _append(self, rows: Rows) -> None:
        if not np.isfinite(rows).all():
            raise FeatureError(f"tick {self._epoch}: an indicator is not finite")
        if self._row_count + len(rows) > len(self._rows):
            keep = self.spec.bar_window
            self._rows[:keep] = self._rows[self._row_count - keep : self._row_count]
            self._row_count = keep
        self._rows[self._row_count : self._row_count + len(rows)] = rows
        self._row_count += len(rows)
