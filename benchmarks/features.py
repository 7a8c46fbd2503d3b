"""Features: one tick in serving, one day in training, each against the same work by pandas."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from xtitan_core.clock import DAY
from xtitan_core.features.batch import day_features, windows
from xtitan_core.features.spec import DEFAULT_SPEC
from xtitan_core.features.stream import FeatureStream
from xtitan_core.randomness import stream
from xtitan_core.symbols import symbol


def market(days: int) -> tuple[np.ndarray, np.ndarray]:
    """A simulated R_100."""
    r100 = symbol("R_100")
    epochs = np.arange(0, days * DAY, r100.tick_seconds, dtype=np.int64)
    steps = stream(1, "benchmark").normal(0.0, r100.tick_sigma, len(epochs))
    return epochs, np.round(640.0 * np.exp(np.cumsum(steps)), r100.decimals)


def measure() -> dict[str, Any]:
    """Medians over one simulated day after a warm-up day."""
    import pandas as pd

    epochs, quotes = market(2)
    t = time.perf_counter()
    day = day_features(DAY, epochs, quotes, DEFAULT_SPEC)
    batch = time.perf_counter() - t
    usable = np.flatnonzero(day.valid)
    t = time.perf_counter()
    windows(day, usable[:4_096], DEFAULT_SPEC)
    gather = time.perf_counter() - t

    features = FeatureStream(DEFAULT_SPEC)
    half = len(epochs) // 2
    for e, q in zip(epochs[:half].tolist(), quotes[:half].tolist(), strict=True):
        features.push(e, q)
    t = time.perf_counter()
    for e, q in zip(epochs[half:].tolist(), quotes[half:].tolist(), strict=True):
        features.push(e, q)
    push = (time.perf_counter() - t) / (len(epochs) - half)

    t = time.perf_counter()
    series = pd.Series(quotes, index=pd.to_datetime(epochs, unit="s"))
    bars = series.resample("60s").ohlc()
    for window in (10, 14, 20):
        bars["close"].rolling(window).mean()
        bars["close"].rolling(window).std()
        bars["close"].ewm(span=window).mean()
    peer = time.perf_counter() - t
    return {
        "serving, microseconds a tick": round(push * 1e6, 1),
        "share of a 2-second tick": f"{push / 2:.1e}",
        "training, seconds a day of 43,200 ticks": round(batch, 3),
        "ratio to pandas bars and nine rolling columns": round(batch / peer, 2),
        "gathering 4,096 model inputs, ms": round(gather * 1e3, 1),
    }
