"""Calibration on data the weights never saw: one Platt map per head. Importing this loads torch.

A head that shows no skill is muted: it then answers its base rate, whatever the model says.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xtitan_assets.modeling.data import predict
from xtitan_assets.modeling.samples import CALIBRATION, LABELS, TRAIN, Samples
from xtitan_assets.modeling.trainer import single_thread
from xtitan_assets.steps.dataset.snapshot import load_manifest, load_samples, non_overlapping
from xtitan_assets.steps.model.baseline import closed_form
from xtitan_assets.steps.model.reports import CalibrationReport, HeadCalibration
from xtitan_assets.steps.model.trained_model import load_trained
from xtitan_assets.steps.report import write_json
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.calibration import Platt, ece_report, fit_platt
from xtitan_core.randomness import stream
from xtitan_core.symbols import symbol as look_up

LEAST_SLOPE_SIGMAS = 2.0
"""A slope must lie this many standard errors above zero; otherwise the head is muted."""


def calibration_path(home: Home) -> Path:
    """Where the parameters are, beside the weights they belong to."""
    return home.checkpoint / "calibration.json"


def fit(home: Home, params: Params) -> CalibrationReport:
    """Fit on the calibration span of the current snapshot and write the parameters.

    Raises:
        StepError: no dataset, no model, or a model of another dataset.
    """
    samples, manifest = load_samples(home), load_manifest(home)
    model, description = load_trained(home, manifest)
    index = np.flatnonzero(samples.split == CALIBRATION)
    with single_thread():
        logits = predict(model, samples, index)
    base = _base_rates(samples, index, params)
    apart = non_overlapping(samples.epochs[index], samples.exit_epochs[index])
    heads = [
        _fit_head(column, logits[:, column], samples.labels[index, column], apart, float(base[column]), params)
        for column in range(len(LABELS))
    ]
    passed = all(head.ece <= head.ece_null for head in heads)
    report = CalibrationReport(description["sha256"], heads, len(index), passed)
    write_json(
        calibration_path(home), {"model_sha256": description["sha256"], "heads": [asdict(head) for head in heads]}
    )
    report.write(home)
    return report


def load(home: Home, model_sha256: str) -> list[HeadCalibration]:
    """The parameters that belong to a model.

    Raises:
        StepError: there are none, or they belong to other weights.
    """
    path = calibration_path(home)
    try:
        stored: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        raise StepError(f"{path}: no calibration; run `xtitan run train` first") from None
    if stored["model_sha256"] != model_sha256:
        raise StepError(f"{path}: belongs to other weights; run `xtitan run train` again")
    return [HeadCalibration(**head) for head in stored["heads"]]


def slope_error(logits: npt.NDArray[np.float64], platt: Platt, effective: float) -> float:
    """Standard error of a Platt slope when only ``effective`` of the decisions are independent.

    Args:
        logits: uncalibrated, shape (n,).
    """
    p = platt.apply(logits)
    weight = p * (1.0 - p)
    information = np.array(
        [[(weight * logits * logits).sum(), (weight * logits).sum()], [(weight * logits).sum(), weight.sum()]]
    )
    determinant = float(np.linalg.det(information))
    if determinant <= 0.0:
        return math.inf
    return math.sqrt(float(information[1, 1]) / determinant * len(logits) / max(effective, 1.0))


def _fit_head(
    column: int,
    logits: npt.NDArray[np.float64],
    outcome: npt.NDArray[np.uint8],
    apart: npt.NDArray[np.int64],
    base: float,
    params: Params,
) -> HeadCalibration:
    """Fit one head, mute it without skill, and measure its error where labels do not overlap."""
    sigmas = 0.0
    fitted = Platt(0.0, math.log(base / (1.0 - base)))
    if 0 < int(outcome.sum()) < len(outcome):
        proposed = fit_platt(logits, outcome)
        error = slope_error(logits, proposed, len(apart))
        sigmas = proposed.a / error if math.isfinite(error) and error > 0 else 0.0
        if sigmas >= LEAST_SLOPE_SIGMAS:
            fitted = proposed
    rng = stream(params.train.seed, "calibration", column)
    measured = ece_report(fitted.apply(logits[apart]), outcome[apart], rng, level=0.99)
    return HeadCalibration(
        label=LABELS[column],
        a=fitted.a,
        b=fitted.b,
        slope_sigmas=round(sigmas, 4),
        muted=fitted.a == 0.0,
        ece=measured.value,
        ece_null=measured.null_quantile,
        n=measured.n,
    )


def _base_rates(samples: Samples, index: npt.NDArray[np.int64], params: Params) -> npt.NDArray[np.float64]:
    """What a muted head answers: the closed form for rise and fall, the observed rate for the others."""
    known = (samples.split == TRAIN) | (samples.split == CALIBRATION)
    rate = (samples.labels[known].sum(axis=0) + 1.0) / (known.sum() + 2.0)
    market = look_up(params.data.symbol)
    fair = closed_form(market, samples.quotes[index], params.labels.duration, params.labels.unit)
    rate[:2] = fair.mean(axis=0)
    return np.asarray(rate, dtype=np.float64)
