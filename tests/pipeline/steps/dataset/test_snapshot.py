"""The snapshot: identified by its content, split by time, without a leak."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from xtitan_assets.modeling.samples import CALIBRATION, TEST, TRAIN, Samples, SamplesError
from xtitan_assets.steps.dataset import snapshot as dataset
from xtitan_assets.workspace.errors import StepError


def test_the_same_inputs_give_the_same_snapshot(fair):
    before = dataset.samples_path(fair.home).read_bytes()
    first = dataset.build_dataset(fair.home, fair.params, fair.days)
    again = dataset.build_dataset(fair.home, fair.params, fair.days)
    assert first == again
    assert dataset.samples_path(fair.home).read_bytes() == before
    assert dataset.load_manifest(fair.home)["snapshot_id"] == first.snapshot_id


def test_other_labels_make_another_snapshot(fair, momentum):
    ids = {dataset.load_manifest(world.home)["snapshot_id"] for world in (fair, momentum)}
    assert len(ids) == 2


def test_splits_are_in_order_of_time_with_the_embargo_between(fair):
    samples = dataset.load_samples(fair.home)
    embargo = fair.params.splits.embargo_seconds
    parts = [np.flatnonzero(samples.split == code) for code in (TRAIN, CALIBRATION, TEST)]
    assert all(len(part) > 1_000 for part in parts)
    for before, after in itertools.pairwise(parts):
        gap = samples.epochs[after].min() - samples.exit_epochs[before].max()
        assert embargo < gap < embargo + 60, "nothing leaks, and no more is thrown away than needed"
    assert samples.slot[parts[2]].all()
    assert (samples.epochs[parts[2]] % 14 == 0).all(), "judged where the runner decides"
    assert dataset.leakage(samples, fair.params) == []


def test_folds_expand_and_never_touch_what_they_are_judged_on(fair):
    samples = dataset.load_samples(fair.home)
    folds = list(dataset.walk_forward(samples, fair.params))
    assert [fold.number for fold in folds] == [1, 2]
    assert len(folds[1].train) > len(folds[0].train)
    for fold in folds:
        assert (samples.split[fold.train] == TRAIN).all()
        last_label = samples.exit_epochs[fold.train].max()
        assert last_label + fair.params.splits.embargo_seconds < samples.epochs[fold.validation].min()


def test_samples_carry_their_own_windows(fair):
    """Each row's newest return must be the one into its own decision tick, and its candles the last closed ones."""
    samples = dataset.load_samples(fair.home)
    epochs, quotes = fair.ticks()
    for row in range(0, len(samples), 1_777):
        k = int(np.searchsorted(epochs, samples.epochs[row]))
        assert quotes[k] == samples.quotes[row]
        returns = np.log(quotes[k - 63 : k + 1] / quotes[k - 64 : k])
        np.testing.assert_allclose(samples.ticks[row], returns, rtol=1e-5, atol=1e-9)
        minute = epochs[k] // 60 * 60
        at = {edge: int(np.searchsorted(epochs, edge)) for edge in (minute - 60, minute)}
        closed = quotes[at[minute - 60] : at[minute]]
        before = quotes[at[minute - 60] - 1]
        assert samples.candles[samples.rows[row]][-1, 0] == pytest.approx(np.log(closed[-1] / before), rel=1e-5)


@pytest.mark.parametrize("fault", ["overlap", "repeated", "instant"])
def test_leakage_is_noticed(fair, fault):
    samples = dataset.load_samples(fair.home)
    exits, epochs = samples.exit_epochs.copy(), samples.epochs.copy()
    if fault == "overlap":
        exits[np.flatnonzero(samples.split == TRAIN)[-1]] += 300
    elif fault == "repeated":
        epochs[5] = epochs[4]
    else:
        exits[7] = epochs[7]
    assert dataset.leakage(replace(samples, exit_epochs=exits, epochs=epochs), fair.params)


def test_decisions_that_do_not_overlap():
    epochs = np.arange(0, 40, 6)
    chosen = dataset.non_overlapping(epochs, epochs + 12)
    assert epochs[chosen].tolist() == [0, 18, 36]


def test_too_little_data_is_one_clear_line(fair):
    with pytest.raises(StepError, match="not there; run `xtitan run retrain`"):
        dataset.build_dataset(fair.home, fair.params, [fair.days[0] + timedelta(days=1)])
    stingy = fair.params.model_copy(update={"train": fair.params.train.model_copy(update={"stride_ticks": 100})})
    with pytest.raises(StepError, match=r"too few; raise data\.days"):
        dataset.build_dataset(fair.home, stingy, fair.days)


def test_a_broken_dataset_says_what_to_do(tmp_path):
    path = tmp_path / "samples.npz"
    with pytest.raises(SamplesError, match="no dataset; run `xtitan run dataset` first"):
        Samples.load(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(SamplesError, match="cannot be read"):
        Samples.load(path)


def test_the_manifest_names_every_partition(fair):
    manifest = json.loads(dataset.manifest_path(fair.home).read_text())
    assert [part["day"] for part in manifest["partitions"]] == [day.isoformat() for day in fair.days]
    assert all(len(part["features_sha256"]) == 64 for part in manifest["partitions"])
    assert manifest["train"] + manifest["calibration"] + manifest["test"] == manifest["rows"]
