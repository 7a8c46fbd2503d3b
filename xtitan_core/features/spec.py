"""What a model sees, as a value: it travels in the manifest and its hash must match on both sides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import talib

from xtitan_core.clock import DAY
from xtitan_core.errors import XtitanError
from xtitan_core.features.columns import COLUMNS, DEFAULT_INDICATORS, WARM_UP_BARS

FEATURE_VERSION = 1
"""Raised whenever the same ticks would give other bytes."""


class FeatureError(XtitanError, ValueError):
    """A specification that cannot be served, or a tick that must not enter the features."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """Windows, columns and warm-up of the model inputs.

    Attributes:
        tick_window: log returns between consecutive ticks, newest last.
        bar_seconds: length of a bar; divides a day, so that no bar crosses a UTC midnight.
        bar_window: closed bars, newest last.
        anchor_bars: each UTC day's indicators start from this many closed bars before midnight.
        indicators: candle columns in order, names of ``xtitan_core.features.columns.COLUMNS``.
        version: ``FEATURE_VERSION`` of the code that defined it.

    Raises:
        FeatureError: when a value is out of range or a column is unknown.
    """

    tick_window: int = 64
    bar_seconds: int = 60
    bar_window: int = 32
    anchor_bars: int = 1_000
    indicators: tuple[str, ...] = DEFAULT_INDICATORS
    version: int = FEATURE_VERSION

    def __post_init__(self) -> None:
        for name in ("tick_window", "bar_seconds", "bar_window", "anchor_bars", "version"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise FeatureError(f"feature spec: {name} must be a positive integer, got {value!r}")
        if DAY % self.bar_seconds:
            raise FeatureError(f"feature spec: bar_seconds must divide {DAY}, got {self.bar_seconds}")
        if self.anchor_bars < self.bar_window + WARM_UP_BARS:
            raise FeatureError(
                f"feature spec: anchor_bars must be at least bar_window + {WARM_UP_BARS}, got {self.anchor_bars}"
            )
        if type(self.indicators) is not tuple or not self.indicators:
            raise FeatureError("feature spec: indicators must be a non-empty tuple of column names")
        unknown = [name for name in self.indicators if name not in COLUMNS]
        if unknown or len(set(self.indicators)) != len(self.indicators):
            raise FeatureError(f"feature spec: unknown or repeated columns {unknown or list(self.indicators)}")
        if self.version != FEATURE_VERSION:
            raise FeatureError(f"feature spec: version {self.version}, this install has {FEATURE_VERSION}")

    @property
    def sha256(self) -> str:
        """Hash of the values, the columns' definitions and the TA-Lib series this install would compute them with."""
        content = {
            "spec": self.to_dict(),
            "columns": [COLUMNS[name].definition for name in self.indicators],
            "ta_lib": ".".join(talib.__version__.split(".")[:2]),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {**asdict(self), "indicators": list(self.indicators)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FeatureSpec:
        """Inverse of ``to_dict``.

        Raises:
            FeatureError: for a missing or unknown key, or a wrong value.
        """
        names = {f.name for f in fields(cls)}
        if set(values) != names:
            raise FeatureError(f"feature spec: keys {sorted(set(values) ^ names)} missing or unknown")
        columns = values["indicators"]
        if not isinstance(columns, list | tuple) or not all(isinstance(name, str) for name in columns):
            raise FeatureError("feature spec: indicators must be a list of column names")
        return cls(**{**values, "indicators": tuple(columns)})


DEFAULT_SPEC = FeatureSpec()
