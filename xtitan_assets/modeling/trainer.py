"""The two fits: a logistic head (scikit-learn) and the network (torch), which can be resumed after any training epoch.

``epoch`` is a time in seconds in this package; a pass over the training samples is a ``training_epoch``.
"""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from xtitan_assets.modeling import checkpoint
from xtitan_assets.modeling.checkpoint import EpochLoss
from xtitan_assets.modeling.data import Index, gather, predict, shuffled
from xtitan_assets.modeling.network import Architecture, DerivOmniModel, LogisticModel
from xtitan_assets.modeling.objectives import multi_task_loss
from xtitan_assets.modeling.samples import Samples
from xtitan_assets.modeling.scores import log_loss_of_logits
from xtitan_assets.workspace.errors import PipelineError
from xtitan_core.randomness import stream

LOGISTIC_STRENGTH = 0.02
"""Inverse penalty (scikit-learn's C) of the logistic head, whose features have unit variance.

Small enough to shrink the weights of features that are noise, large enough to leave a real edge in place.
"""

STOP_FRACTION = 0.1
"""Last part of the training samples, kept back to choose the training epoch. Candidates are judged on later samples."""

Progress = Callable[[str], None]


class TrainingError(PipelineError, RuntimeError):
    """Training cannot go on; the message says why and what to change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the network is fitted.

    Attributes:
        training_epochs: passes over the training samples, at most.
        batch_size: decisions in a step.
        learning_rate: peak of the cosine schedule.
        patience: training epochs without improvement before stopping.
        seed: of initial weights and order.
    """

    training_epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    seed: int


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """Run torch and BLAS on one thread inside the block.

    Small models are no slower that way, and sums always add up in the same order. BLAS threads spin while they wait:
    beside another busy process a logistic fit took 10 s with them and 0.2 s without.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def fit_logistic(architecture: Architecture, samples: Samples, index: Index) -> LogisticModel:
    """Fit one logistic regression per label and put their coefficients into a torch module.

    Args:
        index: positions of the training decisions, shape (n,).
    """
    model = LogisticModel(architecture)
    batch = gather(samples, index)
    model.fit_normalisers(batch.ticks, batch.candles)
    with torch.inference_mode():
        features = model.features(batch.ticks, batch.candles[batch.rows]).double().numpy()
    weight = np.zeros((5, features.shape[1]))
    bias = np.zeros(5)
    for column in range(5):
        label = samples.labels[index, column]
        wins = int(label.sum())
        if wins in (0, len(label)):
            # A label that never varies has no slope. Counting one observation more of each kind keeps the logit finite.
            bias[column] = math.log((wins + 1) / (len(label) - wins + 1))
            continue
        fitted = LogisticRegression(C=LOGISTIC_STRENGTH, max_iter=200).fit(features, label)
        weight[column], bias[column] = fitted.coef_[0], fitted.intercept_[0]
    with torch.no_grad():
        model.linear.weight.copy_(torch.from_numpy(weight))
        model.linear.bias.copy_(torch.from_numpy(bias))
    return model.eval()


def fit_network(
    architecture: Architecture,
    samples: Samples,
    index: Index,
    settings: Settings,
    *,
    state: Path | None = None,
    fingerprint: str = "",
    progress: Progress | None = None,
    device: str = "cpu",
) -> tuple[DerivOmniModel, list[EpochLoss]]:
    """Fit the network and keep the weights of the training epoch that did best on the last part of the training span.

    Args:
        index: positions of the training decisions in time order, shape (n,). The last ``STOP_FRACTION`` of them
            chooses the training epoch; decisions before it whose labels reach into it are left out.
        state: folder for the resumable state; None keeps none. A state with another fingerprint is ignored.
        fingerprint: identifies data, parameters and fold.
        progress: called after each training epoch with a line to show.
        device: torch's name of the device to fit on; the returned model is on the CPU.

    Returns:
        The model, and the loss curve with one row per training epoch.

    Raises:
        TrainingError: too few samples, or a loss that is not finite.
    """
    cut = int(len(index) * (1.0 - STOP_FRACTION))
    held_out = index[cut:]
    fit = index[:cut]
    if len(held_out):
        fit = fit[samples.exit_epochs[fit] < samples.epochs[held_out[0]]]
    if len(fit) < settings.batch_size or len(held_out) < 32:
        raise TrainingError(
            f"{len(index)} training samples are too few for batches of {settings.batch_size}; raise data.days"
        )
    torch.manual_seed(settings.seed)
    model = DerivOmniModel(architecture)
    first = gather(samples, fit)
    model.fit_normalisers(first.ticks, first.candles)
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=1e-2)
    best, history = copy.deepcopy(model.state_dict()), list[EpochLoss]()
    restored = checkpoint.restore(state, fingerprint, model, optimizer) if state else None
    if restored is not None:
        best, history = restored
    steps = math.ceil(len(fit) / settings.batch_size)
    for training_epoch in range(len(history) + 1, settings.training_epochs + 1):
        if _stale(history) >= settings.patience:
            break
        started = time.perf_counter()
        train = _one_pass(model, optimizer, samples, fit, settings, training_epoch, steps, device)
        logits = predict(model, samples, held_out)
        if not (math.isfinite(train) and np.isfinite(logits).all()):
            raise TrainingError(f"loss is not finite in epoch {training_epoch}; lower train.learning_rate")
        loss = float(log_loss_of_logits(logits, samples.labels[held_out]).mean())
        if all(loss < row.held_out for row in history):
            best = copy.deepcopy(model.state_dict())
        history.append(EpochLoss(training_epoch, train, loss))
        if state is not None:
            checkpoint.store(state, fingerprint, model, optimizer, best, history)
        if progress is not None:
            seconds = time.perf_counter() - started
            progress(
                f"epoch {training_epoch}/{settings.training_epochs}: "
                f"train {train:.5f}, held out {loss:.5f}, {seconds:.1f} s"
            )
    model.load_state_dict(best)
    return model.to("cpu").eval(), history


def _one_pass(
    model: DerivOmniModel,
    optimizer: torch.optim.Optimizer,
    samples: Samples,
    fit: Index,
    settings: Settings,
    training_epoch: int,
    steps: int,
    device: str,
) -> float:
    """One pass over the samples at ``fit`` in ``steps`` batches; returns the mean training loss."""
    model.train()
    # The order depends on seed and pass alone, so a resumed run sees the same batches as an unbroken one.
    rng = stream(settings.seed, "order", training_epoch)
    total = 0.0
    for step, chosen in enumerate(shuffled(samples, fit, settings.batch_size, rng)):
        done = ((training_epoch - 1) * steps + step) / (settings.training_epochs * steps)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * (0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * done)))
        batch = gather(samples, chosen, device)
        loss = multi_task_loss(model(batch.ticks, batch.candles, batch.rows), batch.labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += float(loss.detach()) * len(chosen)
    return total / len(fit)


def _stale(history: list[EpochLoss]) -> int:
    """Training epochs since the best one."""
    if not history:
        return 0
    best = min(range(len(history)), key=lambda k: history[k].held_out)
    return len(history) - 1 - best
