"""params.yaml as typed models, one for each section; unknown keys are refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xtitan_assets.workspace.errors import PipelineError


class ParamsError(PipelineError, ValueError):
    """params.yaml or an override is wrong; the message names the key."""


class Section(BaseModel):
    """Base of every section: unknown keys are errors, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class VenueParams(Section):
    url: str = Field("http://127.0.0.1:8700", description="the paper exchange; Deriv is https://api.derivws.com")
    acknowledge_deriv_terms: bool = Field(False, description="must be true to download from Deriv")
    retention_days: int = Field(0, ge=0, description="delete Deriv's ticks older than this; 0 keeps them for ever")


class DataParams(Section):
    symbol: str = Field("R_100", description="what this run trains on")
    days: int = Field(
        4, ge=2, le=3_650, description="whole UTC days before the venue's today; the first serve as warm-up"
    )


class LabelParams(Section):
    duration: int = Field(5, ge=1, description="duration of the rise/fall contract that is traded")
    unit: Literal["t", "s", "m", "h"] = Field("t", description="its unit: ticks, seconds, minutes or hours")
    slot_seconds: int = Field(14, ge=1, description="one decision each time the epoch is a multiple of this")
    latency_seconds: int = Field(0, ge=0, description="measured delay between decision and purchase")
    touch_sigmas: float = Field(2.0, gt=0, description="barrier of the touch heads, in tick sigmas from the entry")
    range_sigmas: float = Field(3.0, gt=0, description="both barriers of the stays-between head, in tick sigmas")


class FeatureParams(Section):
    tick_window: int = Field(64, ge=8, le=4_096, description="log returns of ticks that a model sees")
    bar_seconds: int = Field(60, ge=10, description="length of a bar; divides a day")
    bar_window: int = Field(32, ge=4, le=1_000, description="closed bars that a model sees")
    anchor_bars: int = Field(
        1_000, ge=250, description="closed bars before midnight that each day's indicators start from"
    )


class SplitParams(Section):
    folds: int = Field(3, ge=2, description="walk-forward folds inside the training span")
    test_fraction: float = Field(0.15, gt=0, lt=0.5, description="of the time span, at its end: backtest only")
    calibration_fraction: float = Field(0.15, gt=0, lt=0.5, description="before the test span: calibration only")
    embargo_seconds: int = Field(
        300, ge=0, description="a sample whose label ends so close to a later split is dropped"
    )


class TrainParams(Section):
    preset: Literal["light", "full"] = Field(
        "light", description="light: BiLSTM with attention; full: Temporal Fusion Transformer"
    )
    width: int = Field(16, ge=4, le=512, description="the one dial: every other size of the network follows from it")
    epochs: int = Field(6, ge=1, description="most passes over the training samples")
    batch_size: int = Field(512, ge=8, description="samples of one optimiser step")
    learning_rate: float = Field(2e-3, gt=0, description="peak of the cosine schedule")
    stride_ticks: int = Field(3, ge=1, description="one training sample every so many ticks")
    patience: int = Field(2, ge=1, description="stop after so many passes without a better loss")
    seed: int = Field(7, description="of weights, order of samples and resampling")


class QuoteParams(Section):
    commission: float = Field(
        0.012,
        gt=0,
        lt=0.5,
        description="the paper profile's, of payout; used until a journal with recorded quotes exists",
    )
    stake_cents: int = Field(1_000, ge=35, description="stake that a quote is computed for while none is recorded")


class DecisionParams(Section):
    min_edge: float = Field(0.02, ge=0, lt=1, description="abstain below this expected value per unit of stake")


class GateParams(Section):
    lineages: int = Field(1, ge=1, description="declared lineages; every threshold of the gate rises with it")
    budget: int = Field(50, ge=1, description="registrations a lineage and year")
    haircut: float = Field(0.01, ge=0, lt=1, description="taken off the payout ratio of each shadow fill")
    max_trades: int = Field(3_000, ge=1, description="stop for futility after so many counted shadow trades")
    max_days: float = Field(30.0, gt=0, description="stop for futility after so many market days")


class RegistryParams(Section):
    model_name: str = Field("", description="the lineage; empty derives it from symbol and contract")
    expires_days: int = Field(30, ge=1, description="days after packaging, in venue time, that a bundle may be used")


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
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ParamsError(f"{path}: cannot be read ({reason}); give a YAML file, or set XTITAN_PARAMS") from error
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML ({error}); fix that line") from error
    if not isinstance(raw, dict):
        raise ParamsError(f"{path}: expected sections, got {type(raw).__name__}; write `section:` with its keys below")
    for item in [*filter(None, os.environ.get("XTITAN_SET", "").split(";")), *(overrides or [])]:
        key, separator, value = item.partition("=")
        section, dot, name = key.strip().partition(".")
        if not separator or not dot:
            raise ParamsError(f"override {item!r} is no setting; write section.key=value, in --set or XTITAN_SET")
        chosen = raw.setdefault(section, {})
        if not isinstance(chosen, dict):
            raise ParamsError(f"{path}: {section}: expected keys, got {type(chosen).__name__}; correct it")
        try:
            chosen[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ParamsError(f"override {item!r}: the value is not YAML; quote it") from None
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        advice = "remove it or check its spelling" if first["type"] == "extra_forbidden" else "correct it"
        raise ParamsError(f"{path} or its overrides: {where}: {first['msg']}; {advice}") from error
