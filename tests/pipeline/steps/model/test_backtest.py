"""The backtest finds the planted edge, finds none on a fair market, and does its sums right."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from xtitan_assets.modeling.samples import TEST
from xtitan_assets.steps.dataset import snapshot as dataset
from xtitan_assets.steps.model import backtest, evaluation, signed_bundle
from xtitan_assets.steps.model.onnx_model import OnnxModel
from xtitan_assets.workspace.errors import StepError
from xtitan_core.contracts import Contract as CoreContract
from xtitan_core.contracts import ContractType, DurationUnit, settle

ORACLE = 0.638
"""Best possible win rate of 5-tick rise/fall on the momentum market: 1/2 + arctan(m/s)/pi with one tick of delay."""


@pytest.fixture(scope="module")
def planted(momentum_bundle):
    return backtest.backtest(momentum_bundle.home, momentum_bundle.params)


@pytest.fixture(scope="module")
def random_walk(fair_bundle):
    return backtest.backtest(fair_bundle.home, fair_bundle.params)


def test_the_planted_edge_is_found(planted):
    every = planted.every_slot
    assert every.trades > 1_800
    error = (ORACLE * (1 - ORACLE) / every.trades) ** 0.5
    assert every.win_rate > 0.60
    assert every.win_rate < ORACLE + 3 * error, "better than the oracle is a leak"
    assert planted.beats_baseline
    assert planted.wanted.win_rate >= every.win_rate, "abstaining drops the worst slots"
    assert planted.wanted.edge_low > 0.1


def test_realised_wins_are_what_was_predicted(planted):
    spread = planted.wanted.trades**0.5 / 2
    assert abs(planted.wanted.wins - planted.wanted.expected_wins) < 3.3 * spread


def test_a_fair_market_shows_no_edge(random_walk):
    assert not random_walk.beats_baseline
    assert random_walk.wanted.trades == 0
    assert random_walk.decisions_by_reason == {"no_edge": random_walk.slots}
    every = random_walk.every_slot
    error = 0.5 / every.trades**0.5
    assert abs(every.win_rate - 0.495) < 3 * error
    assert every.edge_low < 0 < random_walk.break_even - every.win_rate + 3 * error


def test_every_trade_settles_as_the_core_settles_it(momentum_bundle, planted):
    """Equity is recomputed from the ticks, not from the labels."""
    world = momentum_bundle
    epochs, quotes = world.ticks()
    samples = dataset.load_samples(world.home)
    test = np.flatnonzero(samples.split == TEST)
    bundle = signed_bundle.load_bundle(world.home)
    logits = OnnxModel(bundle.model).logits(samples, test)
    sides = np.where(logits[:, 0] >= logits[:, 1], 0, 1)
    wins = 0
    for epoch, side in zip(samples.epochs[test].tolist(), sides.tolist(), strict=True):
        kind = (ContractType.CALL, ContractType.PUT)[side]
        settled = settle(CoreContract(kind, 5, DurationUnit.TICKS), epoch, epochs, quotes, 2)
        assert settled is not None
        assert settled.entry_epoch == epoch + 2
        wins += bool(settled.won)
    # Calibration may turn the two sides' order round where they are nearly level; never by more than a few slots.
    assert abs(wins - planted.every_slot.wins) <= 0.02 * len(test)
    with open(world.home.reports / "equity.csv") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == planted.slots
    assert int(rows[-1]["wanted_cents"]) == planted.wanted.profit_cents
    assert int(rows[-1]["every_slot_cents"]) == planted.every_slot.profit_cents
    assert sum(int(row["bought"]) for row in rows) == planted.wanted.trades


def test_the_manifest_carries_the_same_numbers(momentum_bundle, planted):
    stated = signed_bundle.load_bundle(momentum_bundle.home).manifest.evaluation
    assert stated.n == planted.wanted.trades
    assert stated.edge_mean == pytest.approx(planted.wanted.edge)
    assert stated.log_loss == pytest.approx(planted.log_loss)
    assert stated.baseline_log_loss == pytest.approx(planted.baseline_log_loss)


def test_reports_are_on_disk(momentum_bundle, planted):
    stored = json.loads((momentum_bundle.home.reports / "backtest.json").read_text())
    assert stored == json.loads(json.dumps(planted.as_metadata()))
    with open(momentum_bundle.home.reports / "reliability.csv") as f:
        rows = list(csv.DictReader(f))
    assert {row["head"] for row in rows} == {"CALL", "PUT", "ONETOUCH +2", "ONETOUCH -2", "RANGE +3"}
    assert sum(int(row["n"]) for row in rows if row["head"] == "CALL") == planted.slots
    assert all(head["ece"] < 0.06 for head in stored["heads"])


def test_quotes_come_from_the_commission_until_the_journal_has_some(fair_bundle, tmp_path):
    home = replace(fair_bundle.home, data=tmp_path)
    paper = evaluation.terms(home, fair_bundle.params)
    assert {deal.source for deal in paper.values()} == {"paper_commission"}
    assert paper[ContractType.CALL].ask_cents / paper[ContractType.CALL].payout_cents == pytest.approx(0.512, abs=1e-3)
    folder = home.data / "raw" / "quotes"
    folder.mkdir(parents=True)
    rows = [[1, "R_100", "CALL", 1_000, payout] for payout in (1_900, 1_910, 1_990)]
    rows.append([1, "R_25", "PUT", 1_000, 1_500])
    (folder / "date=2026-01-06.json").write_text(json.dumps({"rows": rows}))
    recorded = evaluation.terms(home, fair_bundle.params)
    assert recorded[ContractType.CALL] == evaluation.Terms(ContractType.CALL, 1_000, 1_910, "journal")
    assert recorded[ContractType.PUT].source == "paper_commission", "another symbol's quotes do not count"
    (folder / "date=2026-01-07.json").write_text("torn")
    with pytest.raises(StepError, match="not a quotes file"):
        evaluation.terms(home, fair_bundle.params)


def test_a_bundle_of_another_dataset_is_refused(momentum_bundle, fair, tmp_path):
    home = replace(momentum_bundle.home, data=tmp_path)
    shutil.copytree(momentum_bundle.home.bundle, home.bundle)
    shutil.copytree(fair.home.dataset, home.dataset)
    with pytest.raises(StepError, match="of another dataset"):
        backtest.backtest(home, momentum_bundle.params)
