"""The two models that can be served: a logistic head and DerivOmniModel. Both take raw features."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from xtitan_assets.modeling.blocks import GatedResidual, Normaliser
from xtitan_assets.modeling.spatial import TickExpert
from xtitan_assets.modeling.temporal import BiLstmExpert, FusionTransformerExpert
from xtitan_assets.modeling.volatility import VolatilityAutoencoder

OUTPUTS = ("rise_fall", "touch", "stay")
"""Names of the logit outputs, in the order of the label columns."""

SIGN_TICKS = 16
"""Latest returns whose sign is a feature of the logistic head."""


class Logits(NamedTuple):
    """What a model answers for N decisions.

    Attributes:
        rise_fall: (N, 2): CALL wins, PUT wins.
        touch: (N, 2): upper barrier touched, lower barrier touched.
        stay: (N, 1): both barriers stay untouched.
        anomaly: (N,): how unusual the recent volatility is; larger is more unusual.
    """

    rise_fall: Tensor
    touch: Tensor
    stay: Tensor
    anomaly: Tensor

    def labels(self) -> Tensor:
        """The five logits side by side, in the order of the label columns."""
        return torch.cat([self.rise_fall, self.touch, self.stay], dim=1)


@dataclass(frozen=True, slots=True)
class Architecture:
    """Everything that is needed to rebuild a model before its weights are loaded."""

    kind: Literal["logistic", "network"]
    tick_window: int
    bar_window: int
    columns: int
    width: int = 16
    preset: Literal["light", "full"] = "light"

    def build(self) -> LogisticModel | DerivOmniModel:
        """A model with fresh weights (seed torch before)."""
        return LogisticModel(self) if self.kind == "logistic" else DerivOmniModel(self)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class LogisticModel(nn.Module):
    """Linear logits on recent returns, their signs and the last closed candle."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.tick_norm = Normaliser(1, centre=False)
        self.candle_norm = Normaliser(architecture.columns)
        self.signs = min(SIGN_TICKS, architecture.tick_window)
        self.linear = nn.Linear(architecture.tick_window + self.signs + architecture.columns, 5)

    def fit_normalisers(self, ticks: Tensor, candles: Tensor) -> None:
        """Take means and scales from training data: ticks (N, tick_window), candles (B, bar_window, columns)."""
        self.tick_norm.fit(ticks)
        self.candle_norm.fit(candles)

    def features(self, ticks: Tensor, candles: Tensor) -> Tensor:
        """The design matrix (N, features) that the linear map reads."""
        x = self.tick_norm(ticks)  # (N, tick_window)
        # returns, signs of the latest ones, last closed candle -> (N, tick_window + signs + columns)
        return torch.cat([x, torch.sign(x[:, -self.signs :]), self.candle_norm(candles[:, -1])], dim=1)

    def forward(self, ticks: Tensor, candles: Tensor, rows: Tensor | None = None) -> Logits:
        last = candles if rows is None else candles[rows]  # (N, bar_window, columns)
        out = self.linear(self.features(ticks, last))  # (N, 5)
        # A logistic head has no autoencoder. The mean squared return takes its place; it is 1 on a typical window.
        anomaly = self.tick_norm(ticks).square().mean(dim=1)
        return Logits(out[:, 0:2], out[:, 2:4], out[:, 4:5], anomaly)


class DerivOmniModel(nn.Module):
    """Three experts, gated fusion, one head per contract family.

    Every size inside follows from the architecture's ``width``.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.width
        self.tick_norm = Normaliser(1, centre=False)
        self.candle_norm = Normaliser(architecture.columns)
        self.spatial = TickExpert(architecture.tick_window, width)
        expert = BiLstmExpert if architecture.preset == "light" else FusionTransformerExpert
        self.temporal = expert(architecture.columns, width)
        self.volatility = VolatilityAutoencoder(architecture.tick_window, width)
        fused = 2 * width
        self.project = nn.ModuleList([nn.Linear(size, fused) for size in (self.spatial.size, width, width)])
        self.gate = nn.Linear(3 * fused, 3)
        self.mix = GatedResidual(fused, fused, fused)
        self.rise_fall = nn.Linear(fused, 2)
        self.touch = nn.Linear(fused, 2)
        self.stay = nn.Linear(fused, 1)

    def fit_normalisers(self, ticks: Tensor, candles: Tensor) -> None:
        """Take means and scales from training data: ticks (N, tick_window), candles (B, bar_window, columns)."""
        self.tick_norm.fit(ticks)
        self.candle_norm.fit(candles)

    def forward(self, ticks: Tensor, candles: Tensor, rows: Tensor | None = None) -> Logits:
        """Logits of N decisions.

        Args:
            ticks: log returns, (N, tick_window).
            candles: (N, bar_window, columns), or (B, bar_window, columns) with ``rows``.
            rows: for each decision its row in ``candles``. Decisions of one minute share their candles, so training
                runs the temporal expert once per bar instead of once per tick.
        """
        x = self.tick_norm(ticks)  # (N, tick_window)
        temporal = self.temporal(self.candle_norm(candles))  # (N, width), or (B, width) with rows
        if rows is not None:
            temporal = temporal[rows]  # (B, width) -> (N, width)
        volatility, anomaly = self.volatility(x)  # (N, width), (N,)
        # Three experts, each projected to (N, fused); fused = 2 * width.
        parts = [layer(h) for layer, h in zip(self.project, (self.spatial(x), temporal, volatility), strict=True)]
        gates = torch.softmax(self.gate(torch.cat(parts, dim=1)), dim=1)  # (N, 3 * fused) -> (N, 3), sums to one
        # Weighted sum over the experts: (N, 3, 1) * (N, 3, fused) -> (N, fused)
        fused = self.mix((gates.unsqueeze(-1) * torch.stack(parts, dim=1)).sum(dim=1))
        return Logits(self.rise_fall(fused), self.touch(fused), self.stay(fused), anomaly)


Model = LogisticModel | DerivOmniModel
