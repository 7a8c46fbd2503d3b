"""Samples whose labels can be learned, and one thread for every test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from xtitan_assets.modeling.samples import Samples
from xtitan_assets.modeling.trainer import single_thread


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As training runs; small tensors are slower on many threads."""
    with single_thread():
        yield


@pytest.fixture(scope="session")
def samples() -> Samples:
    """Labels that follow the sum of the last four returns; ten decisions share a candle window."""
    rng = np.random.default_rng(0)
    n = 2_000
    ticks = rng.normal(0, 2.5e-4, (n, 32)).astype(np.float32)
    up = ticks[:, -4:].sum(axis=1) + rng.normal(0, 4e-4, n) > 0
    labels = np.stack([up, ~up, rng.random(n) < 0.3, rng.random(n) < 0.3, rng.random(n) < 0.5], axis=1)
    epochs = 1_000_000 + 6 * np.arange(n, dtype=np.int64)
    return Samples(
        epochs=epochs,
        exit_epochs=epochs + 12,
        quotes=np.full(n, 640.0),
        ticks=ticks,
        candles=rng.normal(0, 1, (n // 10, 8, 5)).astype(np.float32),
        rows=(np.arange(n) // 10).astype(np.int32),
        labels=labels.astype(np.uint8),
        split=np.zeros(n, np.uint8),
        fold=np.zeros(n, np.int8),
        slot=np.ones(n, bool),
        stride=np.ones(n, bool),
    )
