"""Candle columns: which TA-Lib indicator each one is, and how it is made scale-free.

Cumulative indicators (OBV, AD …) depend on where they started, so they cannot be restarted and are left out.
Every formula is element-wise IEEE arithmetic, which gives the same bits for one row as for a thousand; logarithms
go through ``math`` because numpy's vector versions differ in the last bit from machine to machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
Outputs = tuple[Array, ...]

WARM_UP_BARS = 64
"""More than the longest lookback of the columns below (MACD: 33 bars)."""


def exact_log(ratio: Array) -> Array:
    """Natural logarithm of each element through ``math.log``."""
    return np.fromiter(map(math.log, ratio.tolist()), dtype=np.float64, count=len(ratio))


@dataclass(frozen=True, slots=True)
class Frame:
    """Closed bars as columns, each float64 of shape (n,); ``previous`` is the close of the bar before (NaN if none)."""

    open: Array
    high: Array
    low: Array
    close: Array
    previous: Array


@dataclass(frozen=True, slots=True)
class Call:
    """One TA-Lib function with its inputs (attributes of ``Frame``) and arguments."""

    function: str
    inputs: tuple[str, ...]
    arguments: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One candle column.

    Attributes:
        text: the formula for people; part of the specification's hash.
        call: the TA-Lib call it needs, or None.
        formula: (outputs of the call, frame) → values of shape (n,).
    """

    text: str
    call: Call | None
    formula: Callable[[Outputs, Frame], Array]

    @property
    def definition(self) -> str:
        """What is hashed: formula and call."""
        if self.call is None:
            return self.text
        arguments = ", ".join([*self.call.inputs, *map(str, self.call.arguments)])
        return f"{self.text} of {self.call.function}({arguments})"


_HLC = ("high", "low", "close")
_BANDS = Call("BBANDS", ("close",), (20, 2.0, 2.0, 0))


def _percent_b(bands: Outputs, frame: Frame) -> Array:
    upper, _, lower = bands
    width = upper - lower
    flat = width <= 0.0
    return np.where(flat, 0.5, np.clip((frame.close - lower) / np.where(flat, 1.0, width), -5.0, 5.0))


COLUMNS: Mapping[str, Column] = {
    "log_return": Column("log(close / previous)", None, lambda _, f: exact_log(f.close / f.previous)),
    "body": Column("(close - open) / close", None, lambda _, f: (f.close - f.open) / f.close),
    "range": Column("(high - low) / close", None, lambda _, f: (f.high - f.low) / f.close),
    "rsi_14": Column("x / 50 - 1", Call("RSI", ("close",), (14,)), lambda x, _: x[0] / 50.0 - 1.0),
    "natr_14": Column("x / 100", Call("NATR", _HLC, (14,)), lambda x, _: x[0] / 100.0),
    "adx_14": Column("x / 100", Call("ADX", _HLC, (14,)), lambda x, _: x[0] / 100.0),
    "macd_histogram": Column("x[2] / close", Call("MACD", ("close",), (12, 26, 9)), lambda x, f: x[2] / f.close),
    "bands_percent": Column("clip((close - x[2]) / (x[0] - x[2]), -5, 5), 0.5 when flat", _BANDS, _percent_b),
    "bands_width": Column("(x[0] - x[2]) / x[1]", _BANDS, lambda x, _: (x[0] - x[2]) / x[1]),
    "cci_20": Column("x / 100", Call("CCI", _HLC, (20,)), lambda x, _: x[0] / 100.0),
    "stochastic_k": Column("x[0] / 100", Call("STOCH", _HLC, (14, 3, 0, 3, 0)), lambda x, _: x[0] / 100.0),
    "willr_14": Column("x / 100", Call("WILLR", _HLC, (14,)), lambda x, _: x[0] / 100.0),
    "roc_10": Column("x / 100", Call("ROC", ("close",), (10,)), lambda x, _: x[0] / 100.0),
    "aroon_14": Column("x / 100", Call("AROONOSC", ("high", "low"), (14,)), lambda x, _: x[0] / 100.0),
}
"""Every column a specification may name."""

DEFAULT_INDICATORS = tuple(COLUMNS)


def calls(indicators: Iterable[str]) -> tuple[Call, ...]:
    """The distinct TA-Lib calls of these columns, in order of first use."""
    return tuple(dict.fromkeys(call for name in indicators if (call := COLUMNS[name].call) is not None))


def assemble(indicators: Iterable[str], outputs: Mapping[Call, Outputs], frame: Frame) -> Rows:
    """Columns side by side: float32 of shape (n, K). The one place where rows are made, for a day or for one bar."""
    values = []
    for name in indicators:
        column = COLUMNS[name]
        values.append(column.formula(outputs[column.call] if column.call else (), frame))
    return np.stack(values, axis=1).astype(np.float32)
