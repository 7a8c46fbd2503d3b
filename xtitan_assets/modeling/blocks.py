"""Building blocks shared by the experts: normaliser, gated residual network, causal convolution, attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Normaliser(nn.Module):
    """``(x - mean) / scale``, clipped. The constants are part of the exported graph, so serving passes raw features.

    Args:
        columns: size of the last axis the constants broadcast over; 1 fits one constant to everything.
        centre: False keeps the mean at zero, so that the sign of a return survives.
        limit: clip after scaling. Fixed-payout returns are light-tailed, so this only guards against broken input.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, columns: int, *, centre: bool = True, limit: float = 8.0) -> None:
        super().__init__()
        self.centre, self.limit = centre, limit
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("scale", torch.ones(columns))

    def fit(self, x: Tensor) -> None:
        """Take mean and standard deviation from training data only; x has shape (..., columns)."""
        flat = x.reshape(-1, self.mean.numel()).double()  # (..., columns) -> (rows, columns)
        if self.centre:
            self.mean.copy_(flat.mean(0))
        scale = flat.std(0, unbiased=False)
        # A constant column carries no information; dividing by its rounding noise would make it huge.
        self.scale.copy_(torch.where(scale > 1e-12, scale, torch.ones_like(scale)))

    def forward(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.scale).clamp(-self.limit, self.limit)


class GatedLinearUnit(nn.Module):
    """``a * sigmoid(b)`` of one linear map: (..., inputs) to (..., outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * outputs)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.linear(x).chunk(2, dim=-1)  # (..., 2 * outputs) -> twice (..., outputs)
        gated: Tensor = value * torch.sigmoid(gate)
        return gated


class GatedResidual(nn.Module):
    """Gated residual network of the Temporal Fusion Transformer: (..., inputs) to (..., outputs).

    Source: Lim et al. 2021, section 4.1.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.skip = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs)
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.gate = GatedLinearUnit(hidden, outputs)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.second(nn.functional.elu(self.first(x)))
        out: Tensor = self.norm(self.skip(x) + self.gate(hidden))
        return out


class CausalConv(nn.Module):
    """Convolution over the present step and the ``kernel - 1`` before it, channels last: (N, time, channels).

    Written as one matrix product over shifted copies: with a dozen channels that is several times faster on a CPU
    than the library's convolution and its gradient.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.kernel = kernel
        self.linear = nn.Linear(kernel * inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        time = x.shape[1]
        padded = nn.functional.pad(x, (0, 0, self.kernel - 1, 0))  # (N, kernel - 1 + time, inputs), zeros first
        # kernel shifted copies side by side -> (N, time, kernel * inputs)
        shifted = torch.cat([padded[:, k : k + time] for k in range(self.kernel)], dim=2)
        return nn.functional.gelu(self.linear(shifted))


class PairConv(nn.Module):
    """Convolution of kernel and stride 2: halves the time axis, which must be even; (N, time, channels)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        pairs = x.reshape(-1, x.shape[1] // 2, 2 * x.shape[2])  # (N, time, channels) -> (N, time / 2, 2 * channels)
        return nn.functional.gelu(self.linear(pairs))


class AttentionPool(nn.Module):
    """Weighted mean over time with learned weights; shape (N, time, width) to (N, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.softmax(self.score(x), dim=1)  # (N, time, 1), sums to one over time
        return (weight * x).sum(dim=1)


class InterpretableAttention(nn.Module):
    """Multi-head attention with one value projection shared by all heads, so head weights can be averaged.

    Queries come from the last step only: the model predicts once, at the present.

    Source: Lim et al. 2021, section 4.4.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads, self.size = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, self.size)
        self.out = nn.Linear(self.size, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, time, width) to (output (N, width), mean weights (N, time))."""
        query = self.query(x[:, -1]).unflatten(-1, (self.heads, self.size))  # (N, width) -> (N, heads, size)
        key = self.key(x).unflatten(-1, (self.heads, self.size))  # (N, time, width) -> (N, time, heads, size)
        score = torch.einsum("nhs,nths->nht", query, key) / math.sqrt(self.size)  # (N, heads, time)
        weight = torch.softmax(score, dim=-1).mean(dim=1)  # (N, time), sums to one
        mixed = torch.einsum("nt,nts->ns", weight, self.value(x))  # (N, size)
        return self.out(mixed), weight
