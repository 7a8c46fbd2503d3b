"""Feature partitions: stored bytes are the served bytes, and no feature sees the future."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from xtitan_assets.steps.features import inputs as features
from xtitan_assets.steps.features.partition_files import read_partition, write_partition
from xtitan_assets.steps.ingest import ticks as tick_files
from xtitan_assets.workspace.errors import StepError


def test_a_day_with_warm_up_is_valid_at_every_tick(fair):
    stored = features.load_partition(fair.symbol, fair.days[0], fair.home, fair.params)
    assert stored.valid.all()
    assert len(stored.epochs) == 43_200
    assert stored.returns.dtype == stored.candles.dtype == np.float32


def test_a_day_without_warm_up_is_written_but_offers_no_decision(fair):
    report = features.build_partition(fair.symbol, fair.days[0] - timedelta(days=1), fair.home, fair.params)
    assert (report.ticks, report.valid, report.finite) == (43_200, 0, True)
    check = features.parity_sample(fair.symbol, fair.days[0] - timedelta(days=1), fair.home, fair.params)
    assert check.passed
    assert check.checked == 0


def test_building_twice_gives_the_same_bytes(fair):
    path = features.features_path(fair.home, fair.symbol, fair.days[0])
    before = path.read_bytes()
    features.build_partition(fair.symbol, fair.days[0], fair.home, fair.params)
    assert path.read_bytes() == before


def test_streamed_features_are_the_stored_bytes(momentum):
    check = features.parity_sample(momentum.symbol, momentum.days[0], momentum.home, momentum.params, points=5)
    assert check.checked == 5
    assert check.passed


def test_features_do_not_change_with_the_future(momentum):
    check = features.lookahead_sample(momentum.symbol, momentum.days[0], momentum.home, momentum.params, points=4)
    assert check.checked >= 16
    assert check.passed


@pytest.mark.parametrize("shift", [1, 30])
def test_the_checks_notice_a_planted_look_ahead(fair, tmp_path, shift):
    """Store returns moved towards the past, as a centred window would: both checks have to scream."""
    day = fair.days[0]
    home = type(fair.home)(tmp_path, tmp_path / "data")
    for each in (day - timedelta(days=1), day):
        tick_files.write_day(home, fair.symbol, each, *tick_files.read_day(fair.home, fair.symbol, each), {})
    features.build_partition(fair.symbol, day, home, fair.params)
    path = features.features_path(home, fair.symbol, day)
    parameters = {"feature_sha256": features.feature_spec(fair.params).sha256}
    arrays = read_partition(path, parameters)
    arrays["returns"] = np.roll(arrays["returns"], -shift)
    write_partition(path, arrays, parameters)
    assert not features.parity_sample(fair.symbol, day, home, fair.params).passed
    assert not features.lookahead_sample(fair.symbol, day, home, fair.params).passed


def test_a_specification_that_cannot_be_served_is_one_clear_line(fair):
    params = fair.params.model_copy(update={"features": fair.params.features.model_copy(update={"bar_seconds": 61})})
    with pytest.raises(StepError, match=r"params\.yaml, features: .*must divide 86400"):
        features.feature_spec(params)
