"""Building blocks: causality, the library's results, attention weights, normalisers."""

from __future__ import annotations

import pytest
import torch

from xtitan_assets.modeling.blocks import CausalConv, InterpretableAttention, Normaliser, PairConv


def test_convolution_sees_the_present_and_two_steps_back():
    torch.manual_seed(2)
    layer = CausalConv(2, 3)
    x = torch.randn(1, 40, 2, requires_grad=True)
    for position in (2, 17, 39):
        (slope,) = torch.autograd.grad(layer(x)[0, position].sum(), x)
        assert torch.nonzero(slope.abs().sum(dim=(0, 2))).flatten().tolist() == [position - 2, position - 1, position]


def test_convolution_equals_the_library():
    torch.manual_seed(2)
    layer = CausalConv(2, 3)
    x = torch.randn(4, 40, 2)
    weight = layer.linear.weight.reshape(3, 3, 2).transpose(1, 2)
    padded = torch.nn.functional.pad(x.transpose(1, 2), (2, 0))
    wanted = torch.nn.functional.gelu(torch.nn.functional.conv1d(padded, weight, layer.linear.bias)).transpose(1, 2)
    torch.testing.assert_close(layer(x), wanted)
    pair = PairConv(3)
    y = torch.randn(4, 40, 3)
    strided = torch.nn.functional.conv1d(
        y.transpose(1, 2), pair.linear.weight.reshape(3, 2, 3).transpose(1, 2), pair.linear.bias, stride=2
    )
    torch.testing.assert_close(pair(y), torch.nn.functional.gelu(strided).transpose(1, 2))


def test_attention_weights_sum_to_one_and_follow_their_input():
    torch.manual_seed(3)
    attention = InterpretableAttention(8, 4)
    out, weight = attention(torch.randn(6, 9, 8))
    assert tuple(out.shape) == (6, 8)
    torch.testing.assert_close(weight.sum(dim=1), torch.ones(6))
    assert weight.std() > 0
    with pytest.raises(ValueError, match="multiple of 3 heads"):
        InterpretableAttention(8, 3)


def test_normaliser_standardises_and_survives_a_constant_column():
    x = torch.cat([torch.randn(500, 1) * 3 + 7, torch.full((500, 1), 2.0)], dim=1)
    norm = Normaliser(2)
    norm.fit(x)
    out = norm(x)
    assert abs(float(out[:, 0].mean())) < 1e-5
    assert float(out[:, 0].std(unbiased=False)) == pytest.approx(1.0, abs=1e-5)
    assert torch.equal(out[:, 1], torch.zeros(500))
    assert float(norm(torch.tensor([[1e9, 2.0]]))[0, 0]) == norm.limit


def test_uncentred_normaliser_keeps_signs():
    norm = Normaliser(1, centre=False)
    norm.fit(torch.randn(200, 4) + 0.5)
    x = torch.tensor([-0.1, 0.0, 0.1])
    assert torch.equal(torch.sign(norm(x)), torch.sign(x))
