"""From samples to batches of tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from xtitan_assets.modeling.network import Model
from xtitan_assets.modeling.samples import Samples

Index = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """N decisions with the B candle windows they need, each window once.

    Attributes:
        ticks: float32 (N, tick_window).
        candles: float32 (B, bar_window, columns).
        rows: int64 (N,): for each decision its row in ``candles``.
        labels: float32 (N, 5).
    """

    ticks: Tensor
    candles: Tensor
    rows: Tensor
    labels: Tensor


def gather(samples: Samples, index: Index, device: str = "cpu") -> Batch:
    """The batch of the decisions at ``index``."""
    needed, rows = np.unique(samples.rows[index], return_inverse=True)
    return Batch(
        torch.from_numpy(samples.ticks[index]).to(device),
        torch.from_numpy(samples.candles[needed]).to(device),
        torch.from_numpy(rows.astype(np.int64)).to(device),
        torch.from_numpy(samples.labels[index].astype(np.float32)).to(device),
    )


def shuffled(samples: Samples, index: Index, batch_size: int, rng: np.random.Generator) -> Iterator[Index]:
    """Batches that keep the decisions of one bar together, bars in random order.

    Decisions of one bar share their candle window, and the temporal expert is the slowest part of the network. Batches
    by bar make a training epoch several times faster than drawing decisions one by one.

    Args:
        index: positions of the decisions, shape (n,).

    Yields:
        Positions of at most ``batch_size`` decisions.
    """
    order = np.argsort(samples.rows[index], kind="stable")
    bars, first = np.unique(samples.rows[index][order], return_index=True)
    groups = np.split(order, first[1:])
    shuffled_bars = np.concatenate([groups[k] for k in rng.permutation(len(bars))])
    for start in range(0, len(shuffled_bars), batch_size):
        yield index[shuffled_bars[start : start + batch_size]]


def predict(model: Model, samples: Samples, index: Index, *, batch_size: int = 4_096) -> npt.NDArray[np.float64]:
    """Logits (n, 5) of the decisions at ``index``."""
    device = str(next(model.parameters()).device)
    model.eval()
    parts = [np.empty((0, 5))]
    with torch.inference_mode():
        for start in range(0, len(index), batch_size):
            batch = gather(samples, index[start : start + batch_size], device)
            logits = model(batch.ticks, batch.candles, batch.rows).labels()
            parts.append(logits.double().cpu().numpy())
    return np.concatenate(parts)
