"""The candidates' competition: simplest first, and no edge is an answer."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest

from xtitan_assets.modeling import checkpoint
from xtitan_assets.modeling.network import DerivOmniModel, LogisticModel
from xtitan_assets.steps.dataset import snapshot as dataset
from xtitan_assets.steps.model import train
from xtitan_assets.steps.model.baseline import closed_form
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.symbols import symbol


def report(world):
    return json.loads((world.home.reports / "train.json").read_text())


def test_a_linear_edge_is_left_to_the_logistic_head(momentum_bundle):
    found = report(momentum_bundle)
    assert (found["candidate"], found["beats_baseline"], found["finite"]) == ("logistic", True, True)
    assert found["losses"]["logistic"] < found["losses"]["closed_form"] - 0.03
    assert found["losses"]["network"] < found["losses"]["closed_form"] - 0.03, "the network finds the edge too"
    model, description = checkpoint.read_model(momentum_bundle.home.checkpoint)
    assert isinstance(model, LogisticModel)
    assert description["snapshot_id"] == dataset.load_manifest(momentum_bundle.home)["snapshot_id"]


def test_on_a_fair_market_nothing_beats_the_closed_form(fair_bundle):
    found = report(fair_bundle)
    assert (found["candidate"], found["beats_baseline"]) == ("logistic", False)
    assert not any(c["won"] for c in found["comparisons"] if c["simpler"] == "closed_form")


@pytest.mark.slow
def test_an_edge_that_is_not_linear_is_won_by_the_network(parity_bundle):
    found = report(parity_bundle)
    assert (found["candidate"], found["beats_baseline"]) == ("network", True)
    assert found["losses"]["logistic"] > found["losses"]["closed_form"] - 0.002, "a linear model sees nothing here"
    assert found["losses"]["network"] < found["losses"]["closed_form"] - 0.02
    model, _ = checkpoint.read_model(parity_bundle.home.checkpoint)
    assert isinstance(model, DerivOmniModel)


@pytest.mark.slow
def test_the_loss_curve_is_written(parity_bundle):
    with open(parity_bundle.home.reports / "loss.csv") as f:
        rows = list(csv.DictReader(f))
    assert {row["fold"] for row in rows} == {"0", "1", "2"}, "two folds and the whole"
    first, last = (float(row["train"]) for row in (rows[0], rows[-1]))
    assert last < first


def test_choice_rules():
    epochs = np.arange(3_000) * 14
    rng = np.random.default_rng(0)

    def losses(logistic: float, network: float) -> dict[str, np.ndarray]:
        base = 0.69 + 0.01 * rng.standard_normal(3_000)
        noise = 0.005 * rng.standard_normal((2, 3_000))
        return {"closed_form": base, "logistic": base - logistic + noise[0], "network": base - network + noise[1]}

    assert train.choose(losses(0.01, 0.01), epochs)[:2] == ("logistic", True)
    assert train.choose(losses(0.01, 0.02), epochs)[:2] == ("network", True)
    assert train.choose(losses(-0.01, 0.01), epochs)[:2] == ("network", True)
    assert train.choose(losses(-0.02, -0.01), epochs)[:2] == ("logistic", False)
    assert train.choose(losses(0.01, -0.01), epochs)[:2] == ("logistic", True)


def test_the_closed_form_loses_ties_on_both_sides():
    """Counted on a simulated driftless market with prices in cents."""
    rng = np.random.default_rng(1)
    market = symbol("R_100")
    start = rng.uniform(600, 680, 400_000).round(2)
    end = np.round(start * np.exp(market.tick_sigma * 5**0.5 * rng.standard_normal(len(start))), 2)
    rise, fall = closed_form(market, start, 5, "t").mean(axis=0)
    assert rise == pytest.approx((end > start).mean(), abs=0.0025)
    assert fall == pytest.approx((end < start).mean(), abs=0.0025)
    assert rise + fall == pytest.approx(1 - (end == start).mean(), abs=0.0015)
    assert closed_form(market, start[:1], 10, "s") == pytest.approx(closed_form(market, start[:1], 5, "t"))


def test_training_without_or_with_a_leaking_dataset_is_refused(fair, tmp_path):
    home = Home(tmp_path, tmp_path / "data")
    with pytest.raises(StepError, match="no dataset; run `xtitan run dataset` first"):
        train.train(home, fair.params)
    shutil.copytree(fair.home.dataset, home.dataset)
    samples = dataset.load_samples(home)
    samples.exit_epochs[samples.split == 0] += 10_000
    samples.save(dataset.samples_path(home))
    with pytest.raises(StepError, match="dataset leaks: train reaches into calibration"):
        train.train(home, fair.params)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_the_same(momentum_bundle, tmp_path):
    world = momentum_bundle
    home = Home(tmp_path, tmp_path / "data")
    shutil.copytree(world.home.dataset, home.dataset)

    class Killed(Exception):
        pass

    def kill(line: str) -> None:
        if line.startswith("network, fold-2: epoch 2/"):
            raise Killed

    with pytest.raises(Killed):
        train.train(home, world.params, kill)
    lines: list[str] = []
    found = train.train(home, world.params, lines.append)
    assert sum(line.startswith("network, fold-1: epoch") for line in lines) == 0, "a finished fold is not repeated"
    assert sum(line.startswith("network, fold-2: epoch") for line in lines) == 2
    unbroken = report(world)
    assert found.model_sha256 == unbroken["model_sha256"]
    assert found.losses == unbroken["losses"]
    assert not (home.checkpoint / "resume").exists()
