"""Reports of training, calibration and export, apart from those steps, so that reading one loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from xtitan_assets.steps.report import Report
from xtitan_core.calibration import Platt

Candidate = Literal["logistic", "network"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two candidates on the same walk-forward decisions.

    Attributes:
        simpler, richer: their names.
        gain: log loss of the simpler less that of the richer, in nats for one contract; positive favours the richer.
        standard_error: of the gain, over blocks of time.
        won: True when the gain exceeds one standard error.
    """

    simpler: str
    richer: str
    gain: float
    standard_error: float
    won: bool


@dataclass(frozen=True, slots=True)
class TrainReport(Report):
    """What was trained and why that candidate.

    Attributes:
        candidate: which model is packaged.
        beats_baseline: False when nothing beat the closed form. The logistic head is packaged nevertheless, so that
            the later steps can show with numbers that there is no edge.
        losses: walk-forward log loss of rise/fall by candidate, nats for one contract.
        decisions: walk-forward decisions behind them.
        loss_curve: the network's losses: (fold, training epoch, train, held out); fold 0 is the fit on all folds.
        finite: no loss was NaN or infinite.
    """

    FILE: ClassVar[str] = "train.json"

    snapshot_id: str
    candidate: Candidate
    beats_baseline: bool
    losses: dict[str, float]
    comparisons: list[Comparison]
    decisions: int
    folds: int
    samples: int
    parameters: int
    loss_curve: list[tuple[int, int, float, float]]
    finite: bool
    params_sha256: str
    model_sha256: str
    seconds: float


@dataclass(frozen=True, slots=True)
class HeadCalibration:
    """One head.

    Attributes:
        label: column name.
        a, b: the Platt map; ``a`` is 0 when the head is muted, so that it always answers its base rate.
        slope_sigmas: fitted slope over its standard error, overlap accounted for.
        muted: True when the slope was not clearly positive.
        ece: calibration error on decisions that do not overlap, after calibration.
        ece_null: what a perfectly calibrated model stays below in 99 of 100 cases.
        n: those decisions.
    """

    label: str
    a: float
    b: float
    slope_sigmas: float
    muted: bool
    ece: float
    ece_null: float
    n: int

    @property
    def platt(self) -> Platt:
        """The map itself."""
        return Platt(self.a, self.b)


@dataclass(frozen=True, slots=True)
class CalibrationReport(Report):
    """All heads.

    Attributes:
        passed: no head's calibration error is larger than chance explains (``ece_null``).
    """

    FILE: ClassVar[str] = "calibration.json"

    model_sha256: str
    heads: list[HeadCalibration]
    samples: int
    passed: bool


@dataclass(frozen=True, slots=True)
class ExportReport(Report):
    """One bundle.

    Attributes:
        parity: largest difference between torch and ONNX over ``parity_samples`` decisions.
        latency_p50_ms, latency_p99_ms: one decision on one thread of this machine, by the clock on the wall.
        cpu_p50_ms, cpu_p99_ms: the same in CPU time; 0 in a file of a version that did not measure it.
        edge_mean: expected value per unit of stake on the test span, None when the model made no trade.
    """

    FILE: ClassVar[str] = "export.json"

    bundle_id: str
    folder: str
    public_key: str
    model_name: str
    sequence: int
    candidate: str
    beats_baseline: bool
    exporter: str
    bytes: int
    parity: float
    parity_samples: int
    golden_vectors: int
    latency_p50_ms: float
    latency_p99_ms: float
    max_latency_ms: float
    created_epoch: int
    expires_epoch: int
    log_loss: float
    baseline_log_loss: float
    ece: float
    n: int
    edge_mean: float | None
    edge_low: float | None
    edge_high: float | None
    cpu_p50_ms: float = 0.0
    cpu_p99_ms: float = 0.0
