"""The spatial expert reads the whole window, the newest tick included."""

from __future__ import annotations

import pytest
import torch

from xtitan_assets.modeling.spatial import TickExpert


@pytest.mark.parametrize("window", [8, 32, 37, 64])
def test_tick_expert_uses_the_newest_tick_and_the_window(window):
    torch.manual_seed(2)
    expert = TickExpert(window, 8)
    x = torch.randn(3, window, requires_grad=True)
    out = expert(x)
    assert tuple(out.shape) == (3, expert.size)
    (slope,) = torch.autograd.grad(out.square().sum(), x)
    seen = slope.abs().sum(dim=0) > 0
    assert seen[-(window // 8 * 8) :].all()
