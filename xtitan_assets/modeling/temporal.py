"""Temporal experts over closed candles: BiLSTM with attention (light) and a Temporal Fusion Transformer (full).

Both take (N, bar_window, columns) and return an embedding (N, width).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xtitan_assets.modeling.blocks import AttentionPool, GatedLinearUnit, GatedResidual, InterpretableAttention


class BiLstmExpert(nn.Module):
    """The light preset: a bidirectional LSTM and attention over time.

    Reading the window backwards as well is no look-ahead, because every candle in it has closed.
    """

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(columns, width // 2, batch_first=True, bidirectional=True)
        self.pool = AttentionPool(width // 2 * 2)
        self.out = nn.Linear(width // 2 * 2, width)

    def forward(self, candles: Tensor) -> Tensor:
        states, _ = self.lstm(candles)  # (N, bar_window, columns) -> (N, bar_window, width)
        embedding: Tensor = self.out(self.pool(states))  # (N, width)
        return embedding


class VariableSelection(nn.Module):
    """Soft choice among the columns at every step (Lim et al. 2021, section 4.2).

    Every column has its own small embedding network; they are computed side by side with batched matrices.
    """

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        bound = width**-0.5
        self.scale = nn.Parameter(torch.empty(columns, width).uniform_(-1.0, 1.0))
        self.shift = nn.Parameter(torch.zeros(columns, width))
        self.mix = nn.Parameter(torch.empty(columns, width, width).uniform_(-bound, bound))
        self.weights = GatedResidual(columns * width, width, columns)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, time, columns) to (selected (N, time, width), weights (N, time, columns) that sum to one)."""
        embedded = x.unsqueeze(-1) * self.scale + self.shift  # (N, time, columns, width)
        # (N, time, columns * width) -> (N, time, columns)
        weight = torch.softmax(self.weights(embedded.flatten(-2)), dim=-1)
        # One matrix per column: (N, time, columns, width), same shape out.
        transformed = embedded + nn.functional.elu(torch.einsum("ntkw,kwv->ntkv", embedded, self.mix))
        return (weight.unsqueeze(-1) * transformed).sum(dim=2), weight


class FusionTransformerExpert(nn.Module):
    """The full preset: variable selection, LSTM, gated skip, interpretable attention from the last step.

    There are no known future inputs and no static ones, so the last step takes the place of the decoder.

    Source: Lim et al. 2021, figure 2.
    """

    def __init__(self, columns: int, width: int, heads: int = 4) -> None:
        super().__init__()
        self.select = VariableSelection(columns, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.lstm_gate = GatedLinearUnit(width, width)
        self.lstm_norm = nn.LayerNorm(width)
        self.enrich = GatedResidual(width, width, width)
        self.attention = InterpretableAttention(width, heads)
        self.attention_gate = GatedLinearUnit(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = GatedResidual(width, width, width)

    def forward(self, candles: Tensor) -> Tensor:
        selected, _ = self.select(candles)  # (N, bar_window, columns) -> (N, bar_window, width)
        states, _ = self.lstm(selected)  # (N, bar_window, width)
        enriched = self.enrich(self.lstm_norm(selected + self.lstm_gate(states)))  # (N, bar_window, width)
        attended, _ = self.attention(enriched)  # (N, width), from the last step
        mixed = self.attention_norm(enriched[:, -1] + self.attention_gate(attended))  # (N, width)
        embedding: Tensor = self.feed_forward(mixed)
        return embedding
