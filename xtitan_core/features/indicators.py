"""TA-Lib on both sides: array functions for a day, O(1) handles bar by bar, bit-identical (TA-Lib >= 0.8.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import talib
import talib.stream

from xtitan_core.features.bars import Bars
from xtitan_core.features.columns import Call, Frame, Rows, assemble, calls


def indicator_rows(bars: Bars, indicators: tuple[str, ...]) -> Rows:
    """Rows of all bars, float32 (n, K); the first bars of the series are NaN (each indicator's lookback)."""
    frame = bars.frame()
    outputs = {}
    for call in calls(indicators):
        value: Any = getattr(talib, call.function)(*[getattr(frame, name) for name in call.inputs], *call.arguments)
        outputs[call] = _as_tuple(value)
    return assemble(indicators, outputs, frame)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    """TA-Lib gives one output bare and several as a tuple."""
    return value if isinstance(value, tuple) else (value,)


class IndicatorHandles:
    """Indicators that move one closed bar at a time.

    Args:
        anchor: the bars to start from; longer than every lookback.
        indicators: column names.
    """

    def __init__(self, anchor: Bars, indicators: tuple[str, ...]) -> None:
        self._indicators = indicators
        frame = anchor.frame()
        self._handles: list[tuple[Call, Any]] = []
        outputs = {}
        for call in calls(indicators):
            opened = getattr(talib.stream, call.function).open_and_fill
            handle, filled = opened(*[getattr(frame, name) for name in call.inputs], *call.arguments)
            self._handles.append((call, handle))
            outputs[call] = _as_tuple(filled)
        self._previous = float(anchor.close[-1])
        self.anchor_rows = assemble(indicators, outputs, frame)

    def update(self, bar: tuple[float, float, float, float]) -> Rows:
        """Row of the next closed bar (open, high, low, close): float32 of shape (1, K)."""
        values = dict(zip(("open", "high", "low", "close"), bar, strict=True))
        outputs = {}
        for call, handle in self._handles:
            value = handle.update(*[values[name] for name in call.inputs])
            outputs[call] = tuple(np.array([x]) for x in _as_tuple(value))
        frame = Frame(*[np.array([x]) for x in (*bar, self._previous)])
        self._previous = bar[3]
        return assemble(self._indicators, outputs, frame)
