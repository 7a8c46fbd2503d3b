"""params.yaml as typed, closed models: one section, one model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class ParamsError(ValueError):
    """params.yaml or an override is wrong; the message names the key."""


class Section(BaseModel):
    """Base of every section: unknown keys are errors, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class VenueParams(Section):
    url: str = "http://127.0.0.1:8700"
    acknowledge_deriv_terms: bool = False
    retention_days: int = Field(0, ge=0)


class DataParams(Section):
    symbol: str = "R_100"
    days: int = Field(4, ge=2, le=3_650)


class LabelParams(Section):
    duration: int = Field(5, ge=1)
    unit: Literal["t", "s", "m", "h"] = "t"
    slot_seconds: int = Field(14, ge=1)
    latency_seconds: int = Field(0, ge=0)
    touch_sigmas: float = Field(2.0, gt=0)
    range_sigmas: float = Field(3.0, gt=0)


class FeatureParams(Section):
    tick_window: int = Field(64, ge=8, le=4_096)
    bar_seconds: int = Field(60, ge=10)
    bar_window: int = Field(32, ge=4, le=1_000)
    anchor_bars: int = Field(1_000, ge=250)


class SplitParams(Section):
    folds: int = Field(3, ge=2)
    test_fraction: float = Field(0.15, gt=0, lt=0.5)
    calibration_fraction: float = Field(0.15, gt=0, lt=0.5)
    embargo_seconds: int = Field(300, ge=0)


class TrainParams(Section):
    preset: Literal["light", "full"] = "light"
    width: int = Field(16, ge=4, le=512)
    epochs: int = Field(6, ge=1)
    batch_size: int = Field(512, ge=8)
    learning_rate: float = Field(2e-3, gt=0)
    stride_ticks: int = Field(3, ge=1)
    patience: int = Field(2, ge=1)
    seed: int = 7


class QuoteParams(Section):
    commission: float = Field(0.012, gt=0, lt=0.5)
    stake_cents: int = Field(1_000, ge=35)


class DecisionParams(Section):
    min_edge: float = Field(0.02, ge=0, lt=1)


class GateParams(Section):
    lineages: int = Field(1, ge=1)
    budget: int = Field(50, ge=1)
    haircut: float = Field(0.01, ge=0, lt=1)
    max_trades: int = Field(3_000, ge=1)


class RegistryParams(Section):
    model_name: str = ""
    expires_days: int = Field(30, ge=1)


class Params(Section):
    """The whole of params.yaml."""

    venue: VenueParams = VenueParams()
    data: DataParams = DataParams()
    labels: LabelParams = LabelParams()
    features: FeatureParams = FeatureParams()
    splits: SplitParams = SplitParams()
    train: TrainParams = TrainParams()
    quotes: QuoteParams = QuoteParams()
    decision: DecisionParams = DecisionParams()
    gate: GateParams = GateParams()
    registry: RegistryParams = RegistryParams()

    @property
    def model_name(self) -> str:
        """Registered model name: the lineage."""
        if self.registry.model_name:
            return self.registry.model_name
        return f"{self.data.symbol}-rise_fall-{self.labels.duration}{self.labels.unit}"


SYMBOLS = ("R_100", "PLANTED_100")
"""Symbols with a partition. Adding one adds partitions and changes nothing else."""


def load_params(path: Path, overrides: list[str] | None = None) -> Params:
    """Read params.yaml and apply ``section.key=value`` overrides.

    Overrides come from ``XTITAN_SET`` (separated by semicolons) and then from ``overrides``; values are YAML.

    Raises:
        ParamsError: naming the file or key, and what is wrong with it.
    """
    try:
        raw: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError:
        raise ParamsError(f"{path}: no such file; run from the project's root or set XTITAN_PARAMS") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML ({error})") from error
    if not isinstance(raw, dict):
        raise ParamsError(f"{path}: expected sections, got {type(raw).__name__}")
    for item in [*filter(None, os.environ.get("XTITAN_SET", "").split(";")), *(overrides or [])]:
        key, separator, value = item.partition("=")
        section, dot, name = key.strip().partition(".")
        if not separator or not dot:
            raise ParamsError(f"override {item!r}: write section.key=value")
        raw.setdefault(section, {})[name] = yaml.safe_load(value)
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ParamsError(f"{path}: {where}: {first['msg']}") from error
