"""Spatial expert: a causal convolutional network over the last ticks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xtitan_assets.modeling.blocks import CausalConv, PairConv

LEVELS = 3
"""Halvings of the time axis above the first layer."""


class TickExpert(nn.Module):
    """Reads normalised log returns, newest last.

    Returns and their signs are separate channels: on a market whose sign carries the edge and whose size is noise,
    the network need not learn the step function first. The first layer looks at three neighbouring ticks at full
    resolution, each further one halves the time axis, and the top keeps every position, because how long ago
    something happened matters.

    Args:
        tick_window: returns in the window; the newest multiple of ``2 ** LEVELS`` is used.
        width: channels; the embedding has ``size`` entries.
    """

    def __init__(self, tick_window: int, width: int) -> None:
        super().__init__()
        self.used = tick_window // 2**LEVELS * 2**LEVELS
        self.fine = CausalConv(2, width)
        self.coarse = nn.Sequential(*(PairConv(width) for _ in range(LEVELS)))
        self.size = width * (1 + self.used // 2**LEVELS)

    def forward(self, ticks: Tensor) -> Tensor:
        """(N, tick_window) to (N, size): the present at full resolution, then the whole top."""
        x = ticks[:, -self.used :]
        fine = self.fine(torch.stack([x, torch.sign(x)], dim=2))
        return torch.cat([fine[:, -1], self.coarse(fine).flatten(1)], dim=1)
