"""Fits learn what is there, refuse what cannot be learned from, and are resumed exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from support.small_models import SETTINGS, architecture
from xtitan_assets.modeling.data import predict
from xtitan_assets.modeling.samples import Samples
from xtitan_assets.modeling.trainer import Settings, TrainingError, fit_logistic, fit_network


def test_logistic_fit_finds_the_four_returns_that_matter(samples):
    model = fit_logistic(architecture("logistic"), samples, np.arange(1_500))
    weight = model.linear.weight[0, :32].detach().abs()
    assert set(weight.argsort()[-4:].tolist()) == {28, 29, 30, 31}
    held_out = np.arange(1_500, 2_000)
    right = (predict(model, samples, held_out)[:, 0] > 0) == samples.labels[held_out, 0]
    assert right.mean() > 0.7


def test_a_label_that_never_varies_gets_a_finite_logit(samples):
    labels = samples.labels.copy()
    labels[:, 4] = 1
    constant = Samples(**{name: getattr(samples, name) for name in Samples.names() if name != "labels"}, labels=labels)
    model = fit_logistic(architecture("logistic"), constant, np.arange(1_000))
    logits = predict(model, constant, np.arange(1_000, 1_010))
    assert np.isfinite(logits).all()
    assert (logits[:, 4] > 5).all()


def test_network_learns_and_a_resumed_run_equals_an_unbroken_one(samples, tmp_path):
    index = np.arange(1_600)
    whole, history = fit_network(architecture(), samples, index, SETTINGS)
    right = (predict(whole, samples, np.arange(1_600, 2_000))[:, 0] > 0) == samples.labels[1_600:, 0]
    assert right.mean() > 0.65

    class Killed(Exception):
        pass

    def kill(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise Killed

    state = tmp_path / "state"
    with pytest.raises(Killed):
        fit_network(architecture(), samples, index, SETTINGS, state=state, fingerprint="a", progress=kill)
    lines: list[str] = []
    resumed, rest = fit_network(
        architecture(), samples, index, SETTINGS, state=state, fingerprint="a", progress=lines.append
    )
    assert len(lines) == 1, "only the third epoch was left to do"
    assert rest == history
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    lines.clear()
    fit_network(architecture(), samples, index, SETTINGS, state=state, fingerprint="b", progress=lines.append)
    assert len(lines) == 3, "the state of other data or parameters is not taken over"


def test_a_torn_state_is_ignored(samples, tmp_path):
    fit_network(architecture(), samples, np.arange(800), SETTINGS, state=tmp_path, fingerprint="a")
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    lines: list[str] = []
    fit_network(
        architecture(), samples, np.arange(800), SETTINGS, state=tmp_path, fingerprint="a", progress=lines.append
    )
    assert len(lines) == SETTINGS.training_epochs


def test_hopeless_fits_are_refused(samples):
    with pytest.raises(TrainingError, match=r"too few for batches of 64; raise data\.days"):
        fit_network(architecture(), samples, np.arange(60), SETTINGS)
    wild = Settings(training_epochs=2, batch_size=64, learning_rate=float("inf"), patience=2, seed=0)
    with pytest.raises(TrainingError, match=r"not finite in epoch 1; lower train\.learning_rate"):
        fit_network(architecture(), samples, np.arange(800), wild)
