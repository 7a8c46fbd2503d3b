"""Volatility expert: an autoencoder over the recent profile of absolute returns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

POOL = 4
"""Ticks averaged into one point of the profile."""


class VolatilityAutoencoder(nn.Module):
    """Compresses how much the market moved lately; its reconstruction error says how unusual that was.

    Args:
        tick_window: ticks in the window; the profile has ``tick_window // POOL`` points.
        width: size of the embedding.
    """

    def __init__(self, tick_window: int, width: int) -> None:
        super().__init__()
        self.points = tick_window // POOL
        bottleneck = max(2, width // 4)
        self.encode = nn.Sequential(nn.Linear(self.points, width), nn.GELU(), nn.Linear(width, bottleneck))
        self.decode = nn.Sequential(nn.Linear(bottleneck, width), nn.GELU(), nn.Linear(width, self.points))
        self.out = nn.Linear(bottleneck, width)

    def forward(self, ticks: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised returns (N, tick_window) to (embedding (N, width), mean squared reconstruction error (N,))."""
        recent = ticks[:, -self.points * POOL :].abs().reshape(-1, self.points, POOL)  # (N, points, POOL)
        profile = recent.mean(dim=2)  # (N, points)
        code = self.encode(profile)  # (N, bottleneck)
        error = (self.decode(code) - profile).square().mean(dim=1)  # (N,)
        return self.out(torch.nn.functional.gelu(code)), error
