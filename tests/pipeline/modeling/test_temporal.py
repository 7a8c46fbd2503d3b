"""The temporal experts read every step of the window."""

from __future__ import annotations

import torch

from xtitan_assets.modeling.temporal import FusionTransformerExpert, VariableSelection


def test_variable_selection_weights_sum_to_one():
    torch.manual_seed(4)
    selected, weight = VariableSelection(5, 8)(torch.randn(3, 7, 5))
    assert tuple(selected.shape) == (3, 7, 8)
    torch.testing.assert_close(weight.sum(dim=-1), torch.ones(3, 7))


def test_fusion_transformer_uses_every_step():
    torch.manual_seed(5)
    expert = FusionTransformerExpert(5, 8).eval()
    x = torch.randn(2, 9, 5, requires_grad=True)
    expert(x).square().sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().sum(dim=(0, 2)) > 0).all()
