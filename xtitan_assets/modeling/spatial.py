"""Spatial expert: a causal convolutional network over the last ticks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xtitan_assets.modeling.blocks import CausalConv


class TickExpert(nn.Module):
    """Reads normalised log returns, newest last.

    Returns and their signs are separate channels: on a market whose sign carries the edge and whose size is noise,
    the convolution need not learn the step function first.

    A pyramid: full resolution first, then three layers that each halve it. It reaches 30 ticks back from the present
    at half the cost of dilated layers.

    Args:
        width: channels; the embedding has three times as many entries: the present at full resolution, the present
            at the top, and the mean at the top.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fine = CausalConv(2, width)
        self.coarse = nn.Sequential(*(CausalConv(width, width, stride=2) for _ in range(3)))

    def forward(self, ticks: Tensor) -> Tensor:
        """(N, tick_window) to (N, 3 * width)."""
        fine = self.fine(torch.stack([ticks, torch.sign(ticks)], dim=1))
        coarse = self.coarse(fine)
        return torch.cat([fine[:, :, -1], coarse[:, :, -1], coarse.mean(dim=2)], dim=1)
