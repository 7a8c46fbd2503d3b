"""Fit the candidates, compare them on purged walk-forward folds, and keep the simplest one that no other beats.

The candidates are the closed-form price, a logistic head and the network. ``epoch`` is a time in seconds, as
everywhere in this package; a pass over the training samples is a ``training_epoch``. Importing this loads torch.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xtitan_assets.modeling.checkpoint import write_model
from xtitan_assets.modeling.data import predict
from xtitan_assets.modeling.network import Architecture, Model
from xtitan_assets.modeling.samples import TRAIN, Samples
from xtitan_assets.modeling.scores import log_loss, log_loss_of_logits, paired_difference
from xtitan_assets.modeling.trainer import Settings, TrainingError, fit_logistic, fit_network, single_thread
from xtitan_assets.steps.dataset.snapshot import leakage, load_manifest, load_samples, walk_forward
from xtitan_assets.steps.model.baseline import closed_form
from xtitan_assets.steps.model.reports import Candidate, Comparison, TrainReport
from xtitan_assets.steps.report import canonical_sha256, write_csv
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.symbols import symbol as look_up

Progress = Callable[[str], None]
Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass
class _Run:
    """One training run: what it works on, and the network's loss curve so far.

    Attributes:
        manifest: of the dataset.
        params_sha256: of the sections of params.yaml that a fit depends on.
        show: prints a progress line.
        curve: as ``TrainReport.loss_curve``.
    """

    home: Home
    params: Params
    samples: Samples
    manifest: dict[str, Any]
    params_sha256: str
    show: Progress
    curve: list[tuple[int, int, float, float]] = field(default_factory=list)

    def logistic(self, index: Index) -> Model:
        """The logistic head, fitted on the decisions at ``index``."""
        return fit_logistic(self.architecture("logistic"), self.samples, index)

    def network(self, index: Index, fold: int = 0) -> Model:
        """The network, fitted on the decisions at ``index``; a fit that was killed goes on.

        Args:
            fold: number of the walk-forward fold; 0 for the fit on the whole training span.
        """
        name = f"fold-{fold}" if fold else "whole"
        model, history = fit_network(
            self.architecture("network"),
            self.samples,
            index,
            _settings(self.params),
            state=self.resume / name,
            fingerprint=canonical_sha256([self.manifest["snapshot_id"], self.params_sha256, name]),
            progress=lambda line: self.show(f"network, {name}: {line}"),
            device="cuda" if torch.cuda.is_available() else "cpu",
        )
        self.curve.extend((fold, row.training_epoch, row.train, row.held_out) for row in history)
        return model

    def architecture(self, kind: Candidate) -> Architecture:
        """Sizes of a candidate, from the samples and params.yaml."""
        return Architecture(
            kind=kind,
            tick_window=self.samples.ticks.shape[1],
            bar_window=self.samples.candles.shape[1],
            columns=self.samples.candles.shape[2],
            width=self.params.train.width,
            preset=self.params.train.preset,
        )

    @property
    def resume(self) -> Path:
        """Folder of the states that a killed run goes on from."""
        return self.home.checkpoint / "resume"


@dataclass(frozen=True, slots=True)
class _WalkForward:
    """Scores of all candidates on the walk-forward folds.

    Attributes:
        losses: log loss of rise/fall per decision, by candidate, shape (n,).
        epochs: decision epochs, seconds, shape (n,).
        folds: folds that had samples.
    """

    losses: dict[str, Floats]
    epochs: Index
    folds: int

    @property
    def means(self) -> dict[str, float]:
        """Mean loss by candidate."""
        return {name: float(loss.mean()) for name, loss in self.losses.items()}


def train(home: Home, params: Params, report_progress: Progress | None = None) -> TrainReport:
    """Train on the current snapshot and write the chosen model to ``home.checkpoint``.

    A run that was killed goes on after the last complete training epoch when data and parameters are the same.

    Raises:
        StepError: no dataset, a leaking one, or a fit that cannot go on.
    """
    samples, manifest = load_samples(home), load_manifest(home)
    faults = leakage(samples, params)
    if faults:
        raise StepError(f"dataset leaks: {faults[0]}; run `xtitan run dataset` again")
    sections = params.model_dump(mode="json", include={"labels", "features", "splits", "train"})
    show = report_progress or (lambda _line: None)
    try:
        with single_thread():
            return _train(_Run(home, params, samples, manifest, canonical_sha256(sections), show))
    except TrainingError as error:
        raise StepError(str(error)) from error


def _train(run: _Run) -> TrainReport:
    started = time.perf_counter()
    scores = _walk_forward(run)
    candidate, beats, comparisons = choose(scores.losses, scores.epochs)
    training = np.flatnonzero(run.samples.split == TRAIN)
    unbeaten = "" if beats else " although nothing beats the closed form"
    run.show(f"{candidate} chosen{unbeaten}; fitting {len(training)} samples")
    model = run.network(training) if candidate == "network" else run.logistic(training)
    description = _description(run, candidate, beats, scores, training)
    model_sha256 = write_model(run.home.checkpoint, model, run.architecture(candidate), description)
    report = TrainReport(
        snapshot_id=run.manifest["snapshot_id"],
        candidate=candidate,
        beats_baseline=beats,
        losses=scores.means,
        comparisons=comparisons,
        decisions=len(scores.epochs),
        folds=scores.folds,
        samples=len(training),
        parameters=sum(p.numel() for p in model.parameters()),
        loss_curve=run.curve,
        finite=all(bool(np.isfinite(loss).all()) for loss in scores.losses.values()),
        params_sha256=run.params_sha256,
        model_sha256=model_sha256,
        seconds=round(time.perf_counter() - started, 3),
    )
    report.write(run.home)
    write_csv(run.home.reports / "loss.csv", ("fold", "epoch", "train", "held_out"), run.curve)
    shutil.rmtree(run.resume, ignore_errors=True)
    return report


def _walk_forward(run: _Run) -> _WalkForward:
    """Fit every candidate on each fold's past and score it on the fold.

    Raises:
        StepError: no fold has samples.
        TrainingError: a fit that cannot go on.
    """
    samples, labels = run.samples, run.params.labels
    market = look_up(run.params.data.symbol)
    losses: dict[str, list[Floats]] = {"closed_form": [], "logistic": [], "network": []}
    epochs: list[Index] = []
    for fold in walk_forward(samples, run.params):
        outcome = samples.labels[fold.validation][:, :2]
        fair = closed_form(market, samples.quotes[fold.validation], labels.duration, labels.unit)
        fitted = {"logistic": run.logistic(fold.train), "network": run.network(fold.train, fold.number)}
        losses["closed_form"].append(log_loss(fair, outcome).mean(axis=1))
        for name, model in fitted.items():
            logits = predict(model, samples, fold.validation)[:, :2]
            losses[name].append(log_loss_of_logits(logits, outcome).mean(axis=1))
        epochs.append(samples.epochs[fold.validation])
        means = ", ".join(f"{name} {loss[-1].mean():.5f}" for name, loss in losses.items())
        run.show(f"fold {fold.number}/{run.params.splits.folds}: {means}")
    if not epochs:
        raise StepError("no walk-forward fold has samples; raise data.days or lower splits.folds")
    whole = {name: np.concatenate(parts) for name, parts in losses.items()}
    return _WalkForward(whole, np.concatenate(epochs), len(epochs))


def _description(run: _Run, candidate: Candidate, beats: bool, scores: _WalkForward, training: Index) -> dict[str, Any]:
    """What is written beside the weights: where the model comes from."""
    return {
        "candidate": candidate,
        "beats_baseline": beats,
        "snapshot_id": run.manifest["snapshot_id"],
        "samples_sha256": run.manifest["samples_sha256"],
        "params_sha256": run.params_sha256,
        "seed": run.params.train.seed,
        "first_epoch": int(run.samples.epochs[training[0]]),
        "last_epoch": int(run.samples.exit_epochs[training].max()),
        "walk_forward": scores.means,
    }


def choose(losses: dict[str, Floats], epochs: Index) -> tuple[Candidate, bool, list[Comparison]]:
    """The simplest candidate that no richer one beats, whether it beats the closed form, and the comparisons.

    The logistic head has to beat the closed form, the network both of them, each by more than one standard error of
    the paired difference. When neither does, the logistic head is returned with False.

    Args:
        losses: log loss per walk-forward decision for ``closed_form``, ``logistic`` and ``network``, shape (n,).
        epochs: decision epochs, seconds, shape (n,).
    """

    def compare(simpler: str, richer: str) -> Comparison:
        difference = paired_difference(losses[simpler], losses[richer], epochs)
        return Comparison(simpler, richer, difference.mean, difference.standard_error, difference.wins)

    logistic = compare("closed_form", "logistic")
    network = compare("closed_form", "network")
    between = compare("logistic", "network")
    comparisons = [logistic, network, between]
    if network.won and between.won:
        return "network", True, comparisons
    return "logistic", logistic.won, comparisons


def _settings(params: Params) -> Settings:
    chosen = params.train
    return Settings(chosen.epochs, chosen.batch_size, chosen.learning_rate, chosen.patience, chosen.seed)
