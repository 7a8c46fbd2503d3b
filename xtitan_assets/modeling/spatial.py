"""Spatial expert: a causal convolutional network over the last ticks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xtitan_assets.modeling.blocks import CausalConv


class TickExpert(nn.Module):
    """Reads normalised log returns, newest last.

    Returns and their signs are separate channels: on a market whose sign carries the edge and whose size is noise,
    the convolution need not learn the step function first.

    Args:
        width: channels; the embedding has twice as many entries (the present, and the mean over the window).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            CausalConv(2, width, dilation=1),
            CausalConv(width, width, dilation=2),
            CausalConv(width, width, dilation=4),
            CausalConv(width, width, dilation=8),
        )

    def forward(self, ticks: Tensor) -> Tensor:
        """(N, tick_window) to (N, 2 * width)."""
        x = self.layers(torch.stack([ticks, torch.sign(ticks)], dim=1))
        return torch.cat([x[:, :, -1], x.mean(dim=2)], dim=1)
