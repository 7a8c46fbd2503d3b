"""Fit the candidates, let them compete on purged walk-forward folds, keep the simplest one that earned its place."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from xtitan_assets.modeling.samples import TRAIN, Samples
from xtitan_assets.steps.dataset.snapshot import leakage, load_manifest, load_samples, walk_forward
from xtitan_assets.steps.model.baseline import closed_form
from xtitan_assets.steps.report import Report, canonical_sha256, write_csv
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.symbols import symbol as look_up

if TYPE_CHECKING:
    from xtitan_assets.modeling.network import Architecture
    from xtitan_assets.modeling.trainer import Settings

Progress = Callable[[str], None]
Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
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
        beats_baseline: False when nothing beat the closed form; the logistic head is then packaged all the same, so
            that the rest of the chain can say "no edge" with numbers.
        losses: walk-forward log loss of rise/fall by candidate, nats for one contract.
        decisions: walk-forward decisions behind them.
        loss_curve: epochs of the network by fold: (fold, epoch, train, held out).
        finite: no loss was NaN or infinite.
    """

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


def train(home: Home, params: Params, report_progress: Progress | None = None) -> TrainReport:
    """Train on the current snapshot and write the chosen model to ``home.checkpoint``.

    A run that was killed goes on after the last whole epoch when data and parameters are the same.

    Raises:
        StepError: no dataset, a leaking one, or a fit that cannot go on.
    """
    from xtitan_assets.modeling.trainer import TrainingError, single_thread

    say = report_progress or (lambda _line: None)
    samples, manifest = load_samples(home), load_manifest(home)
    faults = leakage(samples, params)
    if faults:
        raise StepError(f"dataset leaks: {faults[0]}; run `xtitan run dataset` again")
    try:
        with single_thread():
            return _train(home, params, samples, manifest, say)
    except TrainingError as error:
        raise StepError(str(error)) from error


def _train(home: Home, params: Params, samples: Samples, manifest: dict[str, Any], say: Progress) -> TrainReport:
    from xtitan_assets.modeling.checkpoint import write_model
    from xtitan_assets.modeling.data import predict
    from xtitan_assets.modeling.objectives import log_loss, log_loss_of_logits
    from xtitan_assets.modeling.trainer import fit_logistic, fit_network

    started = time.perf_counter()
    market = look_up(params.data.symbol)
    settings = _settings(params)
    params_sha256 = canonical_sha256(params.model_dump(mode="json", include={"labels", "features", "splits", "train"}))
    resume = home.checkpoint / "resume"
    curve: list[tuple[int, int, float, float]] = []
    losses: dict[str, list[Floats]] = {"closed_form": [], "logistic": [], "network": []}
    epochs: list[npt.NDArray[np.int64]] = []

    def network(name: str, index: Index) -> Any:
        fingerprint = canonical_sha256([manifest["snapshot_id"], params_sha256, name])
        model, history = fit_network(
            _architecture("network", samples, params),
            samples,
            index,
            settings,
            state=resume / name,
            fingerprint=fingerprint,
            progress=lambda line: say(f"network, {name}: {line}"),
            device=_device(),
        )
        number = int(name.removeprefix("fold-")) if name.startswith("fold-") else 0
        curve.extend((number, row.epoch, row.train, row.held_out) for row in history)
        return model

    for fold in walk_forward(samples, params):
        outcome = samples.labels[fold.validation][:, :2]
        fair = closed_form(market, samples.quotes[fold.validation], params.labels.duration, params.labels.unit)
        logistic = fit_logistic(_architecture("logistic", samples, params), samples, fold.train)
        fitted = network(f"fold-{fold.number}", fold.train)
        losses["closed_form"].append(log_loss(fair, outcome).mean(axis=1))
        for name, model in (("logistic", logistic), ("network", fitted)):
            logits = predict(model, samples, fold.validation)[:, :2]
            losses[name].append(log_loss_of_logits(logits, outcome).mean(axis=1))
        epochs.append(samples.epochs[fold.validation])
        said = ", ".join(f"{name} {loss[-1].mean():.5f}" for name, loss in losses.items())
        say(f"fold {fold.number}/{params.splits.folds}: {said}")
    if not epochs:
        raise StepError("no walk-forward fold has samples; raise data.days or lower splits.folds")
    whole = {name: np.concatenate(parts) for name, parts in losses.items()}
    candidate, beats, comparisons = choose(whole, np.concatenate(epochs))
    training = np.flatnonzero(samples.split == TRAIN)
    architecture = _architecture(candidate, samples, params)
    say(
        f"{candidate} chosen{'' if beats else ' although nothing beats the closed form'}; fitting {len(training)} samples"
    )
    model = network("whole", training) if candidate == "network" else fit_logistic(architecture, samples, training)
    description = {
        "candidate": candidate,
        "beats_baseline": beats,
        "snapshot_id": manifest["snapshot_id"],
        "samples_sha256": manifest["samples_sha256"],
        "params_sha256": params_sha256,
        "seed": params.train.seed,
        "first_epoch": int(samples.epochs[training[0]]),
        "last_epoch": int(samples.exit_epochs[training].max()),
        "walk_forward": {name: float(loss.mean()) for name, loss in whole.items()},
    }
    digest = write_model(home.checkpoint, model, architecture, description)
    report = TrainReport(
        snapshot_id=manifest["snapshot_id"],
        candidate=candidate,
        beats_baseline=beats,
        losses={name: float(loss.mean()) for name, loss in whole.items()},
        comparisons=comparisons,
        decisions=sum(map(len, epochs)),
        folds=len(epochs),
        samples=len(training),
        parameters=sum(p.numel() for p in model.parameters()),
        loss_curve=curve,
        finite=all(bool(np.isfinite(loss).all()) for loss in whole.values()),
        params_sha256=params_sha256,
        model_sha256=digest,
        seconds=round(time.perf_counter() - started, 3),
    )
    report.write(home.reports / "train.json")
    write_csv(home.reports / "loss.csv", ("fold", "epoch", "train", "held_out"), curve)
    shutil.rmtree(resume, ignore_errors=True)
    return report


def choose(losses: dict[str, Floats], epochs: npt.NDArray[np.int64]) -> tuple[Candidate, bool, list[Comparison]]:
    """The simplest candidate that nothing simpler matches.

    The logistic head has to beat the closed form, the network both of them, each by more than one standard error of
    the paired difference. When neither does, the logistic head is returned with False.

    Args:
        losses: log loss per walk-forward decision for ``closed_form``, ``logistic`` and ``network``, shape (n,).
        epochs: decision epochs, shape (n,).
    """
    from xtitan_assets.modeling.objectives import paired_difference

    def compare(simpler: str, richer: str) -> Comparison:
        found = paired_difference(losses[simpler], losses[richer], epochs)
        return Comparison(simpler, richer, found.mean, found.standard_error, found.wins)

    logistic = compare("closed_form", "logistic")
    network = compare("closed_form", "network")
    between = compare("logistic", "network")
    comparisons = [logistic, network, between]
    if network.won and between.won:
        return "network", True, comparisons
    return "logistic", logistic.won, comparisons


def _architecture(kind: Candidate, samples: Samples, params: Params) -> Architecture:
    from xtitan_assets.modeling.network import Architecture

    return Architecture(
        kind=kind,
        tick_window=samples.ticks.shape[1],
        bar_window=samples.candles.shape[1],
        columns=samples.candles.shape[2],
        width=params.train.width,
        preset=params.train.preset,
    )


def _settings(params: Params) -> Settings:
    from xtitan_assets.modeling.trainer import Settings

    chosen = params.train
    return Settings(chosen.epochs, chosen.batch_size, chosen.learning_rate, chosen.patience, chosen.seed)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
