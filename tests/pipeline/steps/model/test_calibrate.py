"""Calibration: says what it knows, is silent where it knows nothing."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from xtitan_assets.steps.model import calibrate
from xtitan_assets.steps.model.reports import HeadCalibration
from xtitan_assets.workspace.errors import StepError
from xtitan_core.calibration import Platt, fit_platt


def heads(world):
    stored = json.loads((world.home.checkpoint / "calibration.json").read_text())
    return {head["label"]: HeadCalibration(**head) for head in stored["heads"]}


def test_heads_with_skill_keep_their_slope(momentum_bundle):
    for name in ("CALL", "PUT"):
        head = heads(momentum_bundle)[name]
        assert not head.muted
        assert 0.7 < head.a < 1.4
        assert head.slope_sigmas > 5


def test_heads_without_skill_answer_their_base_rate(fair_bundle):
    found = heads(fair_bundle)
    assert found["CALL"].muted
    assert found["PUT"].muted
    said = found["CALL"].platt.apply(np.array([-3.0, 0.0, 3.0]))
    assert np.ptp(said) == 0
    assert 0.49 < said[0] < 0.5, "the closed form, less half a tie"


@pytest.mark.parametrize("world", ["momentum_bundle", "fair_bundle"])
def test_errors_are_within_chance_on_the_span_it_was_fitted_on(world, request):
    report = json.loads((request.getfixturevalue(world).home.reports / "calibration.json").read_text())
    assert report["passed"]
    assert all(0 <= head["ece"] <= head["ece_null"] for head in report["heads"])


def test_slope_error_matches_its_spread():
    """Against refits on fresh draws, and larger by the root of the overlap when decisions repeat."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 0.5, 2_000)
    slopes = [fit_platt(logits, rng.random(2_000) < 1 / (1 + np.exp(-logits))).a for _ in range(200)]
    stated = calibrate.slope_error(logits, Platt(1.0, 0.0), 2_000)
    assert stated == pytest.approx(np.std(slopes), rel=0.15)
    assert calibrate.slope_error(logits, Platt(1.0, 0.0), 500) == pytest.approx(2 * stated)
    assert calibrate.slope_error(np.zeros(100), Platt(), 100) == math.inf


def test_parameters_belong_to_their_weights(fair_bundle, tmp_path):
    with pytest.raises(StepError, match="belongs to other weights"):
        calibrate.load(fair_bundle.home, "0" * 64)
    other = type(fair_bundle.home)(tmp_path, tmp_path)
    with pytest.raises(StepError, match="no calibration; run `xtitan run train` first"):
        calibrate.load(other, "0" * 64)
