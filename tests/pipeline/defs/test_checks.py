"""The gates after the ticks, on a real snapshot and on the same snapshot with one thing broken."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xtitan_assets.modeling.samples import TRAIN, Samples
from xtitan_assets.steps.dataset import checks as dataset_checks
from xtitan_assets.steps.dataset import expectations
from xtitan_assets.steps.dataset import snapshot as dataset
from xtitan_assets.steps.features import checks as feature_checks
from xtitan_assets.steps.features import inputs as features
from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.model import backtest_checks, bundle_checks, fit_checks
from xtitan_assets.steps.model.backtest import BacktestReport, SideReport, backtest
from xtitan_assets.steps.model.onnx_model import OnnxModel
from xtitan_assets.steps.model.reports import CalibrationReport, HeadCalibration
from xtitan_assets.steps.report import Report, read_report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home

# Great Expectations' own imports.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")


@pytest.fixture(scope="module")
def samples(fair: Any) -> Samples:
    return dataset.load_samples(fair.home)


def judged(samples: Samples, params: Params) -> Finding:
    return expectations.validate(expectations.frame(samples), params)


def test_great_expectations_passes_a_real_snapshot(fair: Any) -> None:
    finding = expectations.run_suite(fair.home, fair.params)
    assert finding.passed, finding.summary
    assert finding.details["expectations"] >= 20
    assert finding.details["rows"] == len(dataset.load_samples(fair.home))


def reversed_time(s: Samples) -> dict[str, Any]:
    return {"epochs": s.epochs[::-1].copy()}


def poisoned_ticks(s: Samples) -> dict[str, Any]:
    ticks = s.ticks.copy()
    ticks[7, 3] = np.nan
    return {"ticks": ticks}


def poisoned_candles(s: Samples) -> dict[str, Any]:
    candles = s.candles.copy()
    candles[0, 0, 0] = np.inf
    return {"candles": candles}


def both_sides_win(s: Samples) -> dict[str, Any]:
    labels = s.labels.copy()
    labels[5, :2] = 1
    return {"labels": labels}


def one_sided(s: Samples) -> dict[str, Any]:
    labels = s.labels.copy()
    labels[:, 0], labels[:, 1] = 1, 0
    return {"labels": labels}


def known_at_once(s: Samples) -> dict[str, Any]:
    return {"exit_epochs": s.epochs.copy()}


def no_test_span(s: Samples) -> dict[str, Any]:
    return {"split": np.full(len(s), TRAIN, np.uint8)}


@pytest.mark.parametrize(
    ("break_it", "column"),
    [
        (reversed_time, "epoch"),
        (poisoned_ticks, "largest_return"),
        (poisoned_candles, "largest_candle_value"),
        (both_sides_win, "both_sides"),
        (one_sided, "CALL"),
        (known_at_once, "label_seconds"),
        (no_test_span, "split"),
    ],
)
def test_great_expectations_refuses_a_broken_snapshot(
    samples: Samples, fair: Any, break_it: Callable[[Samples], dict[str, Any]], column: str
) -> None:
    finding = judged(dataclasses.replace(samples, **break_it(samples)), fair.params)
    assert not finding.passed
    assert any(line.startswith(f"{column}:") for line in finding.details["failed"]), finding.summary


def test_features_are_finite_streamed_and_blind_to_the_future(fair: Any) -> None:
    partitions = [(fair.symbol, day) for day in fair.days]
    for gate in (
        feature_checks.features_finite,
        feature_checks.features_parity,
        feature_checks.features_look_ahead,
        feature_checks.outcome_rates,
    ):
        finding = gate(fair.home, fair.params, partitions)
        assert finding.passed, finding.summary


def test_a_stored_feature_that_changed_is_noticed(fair: Any, tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "data")
    shutil.copytree(fair.home.data, home.data)
    day = fair.days[-1]
    path = features.features_path(home, fair.symbol, day)
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["returns"] = np.nextafter(arrays["returns"], np.float32(1), dtype=np.float32)
    np.savez(path, **arrays)
    assert not feature_checks.features_parity(home, fair.params, [(fair.symbol, day)]).passed
    arrays["returns"][10] = np.nan
    np.savez(path, **arrays)
    assert not feature_checks.features_finite(home, fair.params, [(fair.symbol, day)]).passed


def test_leakage_and_drift_of_a_real_snapshot(fair: Any) -> None:
    assert dataset_checks.dataset_leakage(fair.home, fair.params).passed
    assert dataset_checks.dataset_drift(fair.home, fair.params).passed
    wider = fair.params.model_copy(update={"splits": fair.params.splits.model_copy(update={"embargo_seconds": 9_000})})
    assert not dataset_checks.dataset_leakage(fair.home, wider).passed


def test_the_bundle_gates_pass_a_real_bundle_and_refuse_another_backtest(fair_bundle: Any, tmp_path: Path) -> None:
    backtest(fair_bundle.home, fair_bundle.params)
    home = Home(tmp_path, tmp_path / "data")
    shutil.copytree(fair_bundle.home.data, home.data)
    shutil.copytree(fair_bundle.home.keys, home.keys)
    for gate in (
        fit_checks.finite_loss,
        bundle_checks.torch_equals_onnx,
        bundle_checks.golden_vectors,
        bundle_checks.latency,
        backtest_checks.backtest_consistent,
    ):
        finding = gate(home)
        assert finding.passed, finding.summary
    dataclasses.replace(read_report(home, BacktestReport), bundle_id="0" * 64).write(home)
    assert not backtest_checks.backtest_consistent(home).passed


def test_no_edge_is_said_on_a_fair_market(fair_bundle: Any) -> None:
    finding = fit_checks.beats_closed_form(fair_bundle.home)
    assert not finding.passed
    assert "no edge" in finding.summary
    assert not backtest_checks.edge_adjusted(fair_bundle.home, fair_bundle.params).passed


def copy_of_the_bundle(world: Any, root: Path) -> Home:
    home = Home(root, root / "data")
    shutil.copytree(world.home.bundle, home.bundle)
    shutil.copytree(world.home.keys, home.keys)
    return home


def test_the_latency_of_a_model_is_not_that_of_a_busy_machine(fair_bundle: Any, tmp_path: Path) -> None:
    """With two busy processes for every core."""
    home = copy_of_the_bundle(fair_bundle, tmp_path)
    burn = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(burn) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        finding = bundle_checks.latency(home)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    assert finding.passed, finding.summary
    assert finding.details["cpu_p99_ms"] < 10.0


class SlowModel(OnnxModel):
    """Each decision costs 25 ms: of computing, or of waiting."""

    computes = True

    def run(self, ticks: Any, candles: Any) -> Any:
        until = time.thread_time() + 0.025
        while self.computes and time.thread_time() < until:
            pass
        if not self.computes:
            time.sleep(0.025)
        return super().run(ticks, candles)

    def latency(self, ticks: Any, candles: Any, repeats: int = 20) -> Any:
        return super().latency(ticks, candles, repeats)


@pytest.mark.parametrize("computes", [True, False])
def test_a_model_that_computes_too_long_fails_and_one_that_waits_is_a_warning(
    fair_bundle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computes: bool
) -> None:
    home = copy_of_the_bundle(fair_bundle, tmp_path)
    monkeypatch.setattr("xtitan_assets.steps.model.signed_bundle.OnnxModel", SlowModel)
    monkeypatch.setattr(SlowModel, "computes", computes)
    finding = bundle_checks.latency(home)
    assert finding.passed is not computes, finding.summary
    assert "warning: p99 on the wall" in finding.summary


def in_an_empty_workspace(report: Report, root: Path) -> Home:
    home = Home(root, root / "data")
    report.write(home)
    return home


@pytest.mark.parametrize(("ece", "passed", "serious"), [(0.01, True, False), (0.03, False, False), (0.05, False, True)])
def test_calibration_blocks_only_beyond_chance_and_two_points(
    tmp_path: Path, ece: float, passed: bool, serious: bool
) -> None:
    head = HeadCalibration("CALL", 1.0, 0.0, 3.0, muted=False, ece=ece, ece_null=0.02, n=900)
    report = CalibrationReport("0" * 64, [head], 900, passed)
    finding, blocks = fit_checks.calibration_error(in_an_empty_workspace(report, tmp_path))
    assert (finding.passed, blocks) == (passed, serious)


def test_an_edge_must_pay_for_every_registration(
    fair_bundle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = SideReport(
        400, 220, 0.55, 210.0, edge=0.10, edge_low=0.01, edge_high=0.19, profit_cents=1, drawdown_cents=1
    )
    report = dataclasses.replace(backtest(fair_bundle.home, fair_bundle.params), wanted=wanted)
    home = in_an_empty_workspace(report, tmp_path)
    assert backtest_checks.edge_adjusted(home, Params()).details["adjusted_low"] == pytest.approx(0.01)
    monkeypatch.setattr("xtitan_assets.steps.model.backtest_checks.next_sequence", lambda home, name: 20)
    assert not backtest_checks.edge_adjusted(home, Params()).passed


def test_a_missing_report_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="train"):
        fit_checks.finite_loss(Home(tmp_path, tmp_path / "data"))
