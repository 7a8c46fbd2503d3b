"""Spatial expert: a causal convolutional network over the last ticks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xtitan_assets.modeling.blocks import CausalConv, PairConv

LEVELS = 3
"""Halvings of the time axis above the first layer."""


class TickExpert(nn.Module):
    """Reads normalised log returns, newest last.

    Returns and their signs are separate channels. Where the sign carries the edge and the size is noise, the network
    then need not learn a step function first. The first layer looks at three neighbouring ticks at full resolution,
    each further one halves the time axis. The last one keeps every position, because it matters how long ago something
    happened.

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
        x = ticks[:, -self.used :]  # (N, used)
        fine = self.fine(torch.stack([x, torch.sign(x)], dim=2))  # (N, used, 2) -> (N, used, width)
        # (N, width) of the newest tick and (N, used / 2**LEVELS * width) of the last layer -> (N, size)
        return torch.cat([fine[:, -1], self.coarse(fine).flatten(1)], dim=1)
