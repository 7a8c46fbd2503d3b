"""The volatility expert tells unusual windows from usual ones."""

from __future__ import annotations

import torch

from xtitan_assets.modeling.volatility import VolatilityAutoencoder


def test_autoencoder_calls_a_burst_strange():
    """Trained on calm windows, its error must rank a volatility burst above every calm window it has not seen."""
    torch.manual_seed(6)
    expert = VolatilityAutoencoder(32, 8)
    optimizer = torch.optim.Adam(expert.parameters(), 1e-2)
    for _ in range(200):
        loss = expert(torch.randn(128, 32))[1].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    burst = torch.randn(50, 32)
    burst[:, 16:24] *= 8
    assert expert(burst)[1].min() > expert(torch.randn(500, 32))[1].max()
