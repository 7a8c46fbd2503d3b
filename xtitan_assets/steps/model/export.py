"""From the trained model to a signed bundle: ONNX, manifest, signature, golden vectors. Importing this loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

import xtitan_core
from xtitan_assets.modeling.network import Architecture, Model
from xtitan_assets.modeling.onnx_export import OPSET, to_onnx
from xtitan_assets.modeling.samples import CALIBRATION, LABELS, TEST, TRAIN, Samples
from xtitan_assets.steps.dataset.snapshot import load_manifest, load_samples
from xtitan_assets.steps.features.inputs import feature_spec
from xtitan_assets.steps.model import calibrate, evaluation
from xtitan_assets.steps.model.onnx_model import OUTPUTS, Latency, OnnxModel
from xtitan_assets.steps.model.reports import ExportReport, HeadCalibration
from xtitan_assets.steps.model.signed_bundle import TOLERANCE, signing_key
from xtitan_assets.steps.model.trained_model import load_trained
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle import keys
from xtitan_core.bundle.errors import BundleError
from xtitan_core.bundle.manifest import Calibration, DecisionRule, Head, Lineage, Manifest, Runtime, Training
from xtitan_core.bundle.manifest import Evaluation as ManifestEvaluation
from xtitan_core.bundle.writing import write_bundle
from xtitan_core.clock import DAY
from xtitan_core.contracts import ContractType, DurationUnit

PARITY_SAMPLES = 256
GOLDEN_VECTORS = 64
FROM_THE_EVALUATION = (
    "beats_baseline",
    "log_loss",
    "baseline_log_loss",
    "ece",
    "n",
    "edge_mean",
    "edge_low",
    "edge_high",
)
"""Fields that the report takes over from the manifest's evaluation under the same names."""

MAX_LATENCY_MS = 20.0
"""What one decision may take on the trading host before the runner refuses the model."""

Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Tested:
    """The exported model, compared with torch and timed.

    Attributes:
        parity, compared: largest difference between torch and ONNX, and over how many decisions.
        golden: the golden vectors, inputs and outputs.
    """

    model: bytes
    exporter: str
    parity: float
    compared: int
    golden: dict[str, npt.NDArray[np.float32]]
    latency: Latency
    onnx_model: OnnxModel


def export(
    home: Home, params: Params, *, sequence: int, venue_epoch: int, lineage: Mapping[str, str] | None = None
) -> ExportReport:
    """Write the bundle of the trained model to ``home.bundle``.

    Args:
        sequence: registration counter of the model name, never going back.
        venue_epoch: venue time of creation, seconds; the bundle expires ``registry.expires_days`` later.
        lineage: ``dagster_run_id`` and ``mlflow_run_id`` where they exist.

    Raises:
        StepError: nothing trained or calibrated, another dataset, or ONNX that does not equal torch.
    """
    samples, snapshot = load_samples(home), load_manifest(home)
    model, description = load_trained(home, snapshot)
    heads = calibrate.load(home, description["sha256"])
    tested = _export_and_test(model, Architecture(**description["architecture"]), samples)
    test = np.flatnonzero(samples.split == TEST)
    judged = evaluation.evaluate(
        samples,
        test,
        tested.onnx_model.logits(samples, test),
        [head.platt for head in heads],
        evaluation.terms(home, params),
        params,
    )
    created = Lineage(**dict(lineage or {}))
    manifest = _manifest(params, samples, description, heads, judged, sequence, int(venue_epoch), created)
    private = signing_key(home)
    try:
        bundle_id = write_bundle(home.bundle, manifest, tested.model, tested.golden, keys.load_private(private))
    except (BundleError, keys.KeyFileError) as error:
        raise StepError(f"bundle: {error}") from error
    report = _report(home, bundle_id, manifest, tested, keys.public_path(private))
    report.write(home)
    return report


def _export_and_test(model: Model, architecture: Architecture, samples: Samples) -> _Tested:
    """Export to ONNX, compare with torch on held-back decisions, and take golden vectors and latency.

    Raises:
        StepError: ONNX does not equal torch.
    """
    exported = to_onnx(model, architecture)
    onnx_model = OnnxModel(exported.model)
    compared = _spread(np.flatnonzero(samples.split != TRAIN), PARITY_SAMPLES)
    parity = parity_difference(model, onnx_model, samples, compared)
    if not parity <= TOLERANCE:
        raise StepError(f"ONNX differs from torch by {parity:.2e} (at most {TOLERANCE:.0e}); the model is not exported")
    golden = golden_vectors(onnx_model, samples, _spread(np.flatnonzero(samples.split == CALIBRATION), GOLDEN_VECTORS))
    latency = onnx_model.latency(golden["ticks"], golden["candles"])
    return _Tested(exported.model, exported.exporter, parity, len(compared), golden, latency, onnx_model)


def _manifest(
    params: Params,
    samples: Samples,
    description: dict[str, Any],
    heads: list[HeadCalibration],
    judged: evaluation.Evaluation,
    sequence: int,
    created_epoch: int,
    lineage: Lineage,
) -> Manifest:
    """What the trading host is told about the model."""
    spec = feature_spec(params)
    return Manifest(
        model_name=params.model_name,
        sequence=sequence,
        created_epoch=created_epoch,
        expires_epoch=created_epoch + params.registry.expires_days * DAY,
        created_by=f"xtitan {xtitan_core.__version__}",
        feature_spec=spec.to_dict(),
        feature_sha256=spec.sha256,
        heads=_heads(heads, params),
        symbols=(params.data.symbol,),
        decision=DecisionRule(
            min_edge=params.decision.min_edge,
            slot_seconds=params.labels.slot_seconds,
            latency_seconds=params.labels.latency_seconds,
        ),
        training=Training(
            snapshot_id=description["snapshot_id"],
            first_epoch=description["first_epoch"],
            # The test span is part of what this model was chosen on: evidence starts after all of it.
            last_epoch=int(samples.exit_epochs.max()),
            params_sha256=description["params_sha256"],
            candidate=description["candidate"],
            seed=description["seed"],
        ),
        evaluation=manifest_evaluation(judged, description["beats_baseline"]),
        lineage=lineage,
        runtime=Runtime(opset=OPSET, min_runner_version=xtitan_core.__version__, max_latency_ms=MAX_LATENCY_MS),
    )


def _report(home: Home, bundle_id: str, manifest: Manifest, tested: _Tested, public_key: Path) -> ExportReport:
    """The bundle in numbers: the manifest's summary and evaluation, and what the tests of the export found."""
    judged = manifest.evaluation.model_dump()
    return ExportReport(
        bundle_id=bundle_id,
        folder=str(home.bundle),
        public_key=str(public_key),
        model_name=manifest.model_name,
        sequence=manifest.sequence,
        candidate=manifest.training.candidate,
        exporter=tested.exporter,
        bytes=len(tested.model),
        parity=tested.parity,
        parity_samples=tested.compared,
        golden_vectors=len(tested.golden["ticks"]),
        latency_p50_ms=round(tested.latency.p50, 4),
        latency_p99_ms=round(tested.latency.p99, 4),
        cpu_p50_ms=round(tested.latency.cpu_p50, 4),
        cpu_p99_ms=round(tested.latency.cpu_p99, 4),
        max_latency_ms=MAX_LATENCY_MS,
        created_epoch=manifest.created_epoch,
        expires_epoch=manifest.expires_epoch,
        **{name: judged[name] for name in FROM_THE_EVALUATION},
    )


def parity_difference(model: Model, onnx_model: OnnxModel, samples: Samples, index: Index) -> float:
    """Largest difference between torch's and onnxruntime's outputs, single decisions included."""
    ticks, candles = samples.ticks[index], samples.candles[samples.rows[index]]
    with torch.inference_mode():
        wanted = model(torch.from_numpy(ticks), torch.from_numpy(candles))
    got = onnx_model.run(ticks, candles)
    single = onnx_model.run(ticks[:1], candles[:1])
    worst = 0.0
    for name in OUTPUTS:
        reference = getattr(wanted, name).numpy()
        worst = max(
            worst,
            float(np.abs(got[name] - reference).max()),
            float(np.abs(single[name] - reference[:1]).max()),
        )
    return worst


def golden_vectors(onnx_model: OnnxModel, samples: Samples, index: Index) -> dict[str, npt.NDArray[np.float32]]:
    """Inputs and the outputs they must give on every machine, within ``TOLERANCE``."""
    inputs = {"ticks": samples.ticks[index], "candles": samples.candles[samples.rows[index]]}
    return inputs | onnx_model.run(inputs["ticks"], inputs["candles"])


def manifest_evaluation(judged: evaluation.Evaluation, beats_baseline: bool) -> ManifestEvaluation:
    """The manifest's summary of an evaluation; ``n`` and the edge count the trades the model wanted."""
    edge = judged.traded
    return ManifestEvaluation(
        log_loss=judged.log_loss,
        baseline_log_loss=judged.baseline_log_loss,
        ece=max(head.ece for head in judged.heads[:2]),
        n=sum(row.decision.buy for row in judged.slots),
        edge_mean=edge.mean if edge else None,
        edge_low=edge.low if edge else None,
        edge_high=edge.high if edge else None,
        beats_baseline=beats_baseline,
    )


def _heads(calibrated: list[HeadCalibration], params: Params) -> tuple[Head, ...]:
    """One head per label column."""
    chosen = params.labels
    where: list[tuple[ContractType, Any, int, float | None]] = [
        (ContractType.CALL, "rise_fall", 0, None),
        (ContractType.PUT, "rise_fall", 1, None),
        (ContractType.ONETOUCH, "touch", 0, chosen.touch_sigmas),
        (ContractType.ONETOUCH, "touch", 1, -chosen.touch_sigmas),
        (ContractType.RANGE, "stay", 0, chosen.range_sigmas),
    ]
    assert len(where) == len(calibrated) == len(LABELS)
    return tuple(
        Head(
            contract_type=contract_type,
            duration=chosen.duration,
            unit=DurationUnit(chosen.unit),
            output=output,
            index=index,
            calibration=Calibration(a=head.a, b=head.b),
            barrier_sigmas=sigmas,
        )
        for (contract_type, output, index, sigmas), head in zip(where, calibrated, strict=True)
    )


def _spread(index: Index, count: int) -> Index:
    """At most ``count`` positions, evenly spread."""
    return index[np.unique(np.linspace(0, len(index) - 1, min(count, len(index))).astype(np.int64))]
