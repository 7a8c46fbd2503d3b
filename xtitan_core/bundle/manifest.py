"""The manifest of a bundle: everything a runner must know about a model before it trusts it.

Closed, strict and finite. Its canonical bytes are what is signed; their SHA-256 is the bundle's id. Times are venue
time. ``min_edge`` and ``latency_seconds`` are in the runner's settings, too: the larger value counts. No value of a
manifest changes one of the runner's limits.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xtitan_core.calibration import Platt
from xtitan_core.contracts import ONE_BARRIER, RISE_FALL, TWO_BARRIERS, ContractType, DurationUnit
from xtitan_core.features.spec import FeatureSpec
from xtitan_core.symbols import SYMBOLS

MANIFEST_SCHEMA: Literal[1] = 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Epoch = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
Version = Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){2}$")]


class Part(BaseModel):
    """Base of the manifest and its sections."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class FileEntry(Part):
    """One file of the bundle."""

    sha256: Sha256
    bytes: int = Field(ge=1)


class Calibration(Part):
    """Platt parameters of one output: ``p = sigmoid(a * logit + b)``."""

    a: float
    b: float

    @property
    def platt(self) -> Platt:
        """The map itself."""
        return Platt(self.a, self.b)


class Head(Part):
    """Which column of which model output says that a contract wins.

    ``barrier_sigmas`` is None for rise/fall; for touch contracts the signed distance of the barrier from the entry in
    tick sigmas (positive = upper); for two-barrier contracts the distance of both, positive.
    """

    contract_type: ContractType
    duration: int = Field(ge=1)
    unit: DurationUnit
    output: Literal["rise_fall", "touch", "stay"]
    index: int = Field(ge=0, le=15)
    calibration: Calibration
    barrier_sigmas: float | None = None

    @model_validator(mode="after")
    def _barrier_fits(self) -> Head:
        sigmas, kind = self.barrier_sigmas, self.contract_type
        fits = (
            (kind in RISE_FALL and sigmas is None)
            or (kind in ONE_BARRIER and sigmas is not None and sigmas != 0)
            or (kind in TWO_BARRIERS and sigmas is not None and sigmas > 0)
        )
        if not fits:
            raise ValueError(f"barrier_sigmas {sigmas} does not fit {kind.value}")
        return self


class DecisionRule(Part):
    """How the model wants to be used: abstain below ``min_edge``, decide once per slot."""

    min_edge: float = Field(ge=0, lt=1)
    slot_seconds: int = Field(ge=1)
    latency_seconds: int = Field(ge=0)


class Training(Part):
    """What the weights saw."""

    snapshot_id: str = Field(min_length=1, max_length=128)
    first_epoch: Epoch
    last_epoch: Epoch
    params_sha256: Sha256
    candidate: Literal["logistic", "network"]
    seed: int


class Evaluation(Part):
    """What was measured on data the weights never saw.

    Losses are in nats; ``edge_*`` is the backtest's expected value per unit of stake with its interval, None when the
    backtest made no trade or has not run. ``beats_baseline`` is False for a model that is packaged although nothing
    beat the closed-form price.
    """

    log_loss: float = Field(ge=0)
    baseline_log_loss: float = Field(ge=0)
    ece: float = Field(ge=0, le=1)
    n: int = Field(ge=0)
    edge_mean: float | None = None
    edge_low: float | None = None
    edge_high: float | None = None
    beats_baseline: bool = False


class Lineage(Part):
    """Runs that made it; empty where there was none."""

    dagster_run_id: str = ""
    mlflow_run_id: str = ""


class Runtime(Part):
    """What the runner needs to run it."""

    opset: int = Field(ge=7, le=64)
    min_runner_version: Version
    max_latency_ms: float = Field(gt=0, le=1_000)


class Manifest(Part):
    """The whole manifest.

    ``sequence`` counts registrations of a model name and never goes back; ``files`` is filled in by ``write_bundle``.
    """

    schema_version: Literal[1] = MANIFEST_SCHEMA
    model_name: Name
    sequence: int = Field(ge=1)
    created_epoch: Epoch
    expires_epoch: Epoch
    created_by: str = Field(min_length=1, max_length=128, description="version or commit of the code that trained it")
    files: dict[str, FileEntry] = Field(default_factory=dict)
    feature_spec: dict[str, Any]
    feature_sha256: Sha256
    heads: tuple[Head, ...] = Field(min_length=1, max_length=64)
    symbols: tuple[str, ...] = Field(min_length=1)
    decision: DecisionRule
    training: Training
    evaluation: Evaluation
    lineage: Lineage = Lineage()
    runtime: Runtime

    @model_validator(mode="after")
    def _hangs_together(self) -> Manifest:
        if self.expires_epoch <= self.created_epoch:
            raise ValueError("expires_epoch is not after created_epoch")
        if self.training.last_epoch < self.training.first_epoch:
            raise ValueError("training ends before it begins")
        unknown = sorted(set(self.symbols) - set(SYMBOLS))
        if unknown or len(set(self.symbols)) != len(self.symbols):
            raise ValueError(f"unknown or repeated symbols {unknown or list(self.symbols)}")
        contracts = {(h.contract_type, h.duration, h.unit, h.barrier_sigmas) for h in self.heads}
        if len(contracts) != len(self.heads) or len({(h.output, h.index) for h in self.heads}) != len(self.heads):
            raise ValueError("two heads share a contract or an output column")
        return self

    @property
    def spec(self) -> FeatureSpec:
        """The feature specification.

        Raises:
            FeatureError: when this install cannot serve it.
        """
        return FeatureSpec.from_dict(self.feature_spec)

    def canonical_bytes(self) -> bytes:
        """The one byte form of this manifest: sorted keys, no spaces, ASCII, UTF-8."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
        ).encode()
