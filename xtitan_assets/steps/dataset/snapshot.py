"""From symbol-days to one identified snapshot of samples with purged, embargoed splits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from xtitan_assets.modeling.samples import CALIBRATION, LABELS, NO_FOLD, TEST, TRAIN, Samples, SamplesError
from xtitan_assets.steps.features import inputs as features
from xtitan_assets.steps.features import labels
from xtitan_assets.steps.report import Report, canonical_sha256, content_sha256, write_json
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.features.batch import windows
from xtitan_core.features.spec import FeatureSpec

Index = npt.NDArray[np.int64]

SMALLEST = 500
"""Fewest training samples; with less, nothing useful can be said about an edge."""


@dataclass(frozen=True, slots=True)
class PartitionNote:
    """What one symbol-day contributed."""

    day: str
    rows: int
    first_epoch: int
    last_epoch: int
    features_sha256: str
    labels_sha256: str


@dataclass(frozen=True, slots=True)
class DatasetReport(Report):
    """One snapshot.

    Attributes:
        snapshot_id: hash of everything that went in; the same inputs give the same id.
        rows: samples kept; ``train``, ``calibration`` and ``test`` add up to it.
        purged: samples dropped because their label or the embargo touches a later split.
        bars: distinct candle windows.
        rates: share of wins by label over the training samples.
    """

    FILE: ClassVar[str] = "manifest.json"

    snapshot_id: str
    symbol: str
    days: list[str]
    rows: int
    train: int
    calibration: int
    test: int
    purged: int
    bars: int
    first_epoch: int
    last_epoch: int
    rates: dict[str, float]

    @classmethod
    def where(cls, home: Home) -> Path:
        """In the manifest of the snapshot, among other fields."""
        return home.dataset / cls.FILE


class Fold(NamedTuple):
    """One step of the walk-forward scheme: positions of samples to fit on and to judge on."""

    number: int
    train: Index
    validation: Index


def samples_path(home: Home) -> Path:
    """Where the samples of the snapshot are."""
    return home.dataset / "samples.npz"


def manifest_path(home: Home) -> Path:
    """Where the snapshot's manifest is."""
    return DatasetReport.where(home)


def build_dataset(home: Home, params: Params, days: Sequence[date]) -> DatasetReport:
    """Write ``samples.npz`` and ``manifest.json`` from the partitions of ``days``.

    Raises:
        StepError: a partition is missing or stale, or there is too little to learn from.
    """
    symbol = params.data.symbol
    spec = features.feature_spec(params)
    parts: list[Samples] = []
    notes: list[PartitionNote] = []
    for day in sorted(days):
        part, note = _day_samples(symbol, day, home, params, spec)
        notes.append(note)
        if len(part):
            parts.append(part)
    if not parts:
        raise StepError(
            f"{symbol}: no day of {len(notes)} has {spec.anchor_bars} closed bars before it; "
            "download more days or lower features.anchor_bars"
        )
    whole = _join(parts)
    samples, purged = assign_splits(whole, params)
    counts = {name: int((samples.split == code).sum()) for name, code in _CODES.items()}
    if counts["train"] < SMALLEST or min(counts.values()) == 0:
        raise StepError(
            f"{symbol}: {counts['train']} training, {counts['calibration']} calibration and {counts['test']} test "
            f"samples from {len(notes)} day(s) are too few; raise data.days"
        )
    identity = {
        "symbol": symbol,
        "feature_sha256": spec.sha256,
        "labels": params.labels.model_dump(mode="json"),
        "splits": params.splits.model_dump(mode="json"),
        "stride_ticks": params.train.stride_ticks,
        "partitions": [asdict(note) for note in notes],
    }
    training = samples.labels[samples.split == TRAIN].mean(axis=0)
    report = DatasetReport(
        snapshot_id=canonical_sha256(identity),
        symbol=symbol,
        days=[note.day for note in notes],
        rows=len(samples),
        **counts,
        purged=purged,
        bars=len(samples.candles),
        first_epoch=int(samples.epochs[0]),
        last_epoch=int(samples.epochs[-1]),
        rates={name: round(float(rate), 6) for name, rate in zip(LABELS, training, strict=True)},
    )
    samples.save(samples_path(home))
    write_json(
        manifest_path(home),
        {
            **identity,
            **report.as_metadata(),
            "feature_spec": spec.to_dict(),
            "samples_sha256": content_sha256(*(getattr(samples, name) for name in Samples.names())),
        },
    )
    return report


def load_samples(home: Home) -> Samples:
    """The samples of the current snapshot.

    Raises:
        StepError: they are missing or broken.
    """
    try:
        return Samples.load(samples_path(home))
    except SamplesError as error:
        raise StepError(str(error)) from error


def load_manifest(home: Home) -> dict[str, Any]:
    """The manifest of the current snapshot.

    Raises:
        StepError: it is missing or broken.
    """
    try:
        manifest: dict[str, Any] = json.loads(manifest_path(home).read_text())
    except FileNotFoundError:
        raise StepError(f"{manifest_path(home)}: no dataset; run `xtitan run dataset` first") from None
    except (OSError, ValueError) as error:
        raise StepError(f"{manifest_path(home)}: cannot be read ({error}); run `xtitan run dataset`") from error
    return manifest


def assign_splits(samples: Samples, params: Params) -> tuple[Samples, int]:
    """Split by time into train, calibration and test; drop what would leak across a border.

    A sample before a border is dropped when its label interval or the embargo after it reaches the border. Nothing
    that is fitted can then have seen an outcome that a later split is judged on. The test span keeps only the
    decision instants of the runner (``slot``).

    Returns:
        The kept samples, and how many were dropped for reaching a border.
    """
    first, last = int(samples.epochs[0]), int(samples.epochs[-1]) + 1
    test_from = int(last - params.splits.test_fraction * (last - first))
    calibration_from = int(test_from - params.splits.calibration_fraction * (last - first))
    split = np.where(
        samples.epochs >= test_from, TEST, np.where(samples.epochs >= calibration_from, CALIBRATION, TRAIN)
    )
    keep = np.ones(len(samples), bool)
    for before, border in ((TRAIN, calibration_from), (CALIBRATION, test_from)):
        keep &= ~((split == before) & (samples.exit_epochs + params.splits.embargo_seconds >= border))
    purged = int((~keep & samples.stride).sum())
    keep &= np.where(split == TEST, samples.slot, samples.stride)
    blocks = params.splits.folds + 1
    block = (samples.epochs - first) * blocks // (calibration_from - first)
    fold = np.where(split == TRAIN, block, NO_FOLD)
    return _take(samples, np.flatnonzero(keep), split.astype(np.uint8), fold.astype(np.int8)), purged


def walk_forward(samples: Samples, params: Params) -> Iterator[Fold]:
    """Expanding folds inside the training span: fold k is judged on block k and fitted on the blocks before it."""
    for number in range(1, params.splits.folds + 1):
        validation = np.flatnonzero(samples.fold == number)
        if len(validation) == 0:
            continue
        border = samples.epochs[validation[0]]
        earlier = (samples.fold >= 0) & (samples.fold < number)
        clear = samples.exit_epochs + params.splits.embargo_seconds < border
        yield Fold(number, np.flatnonzero(earlier & clear), validation)


def leakage(samples: Samples, params: Params) -> list[str]:
    """Every way in which a later outcome reaches an earlier fit, one line each; empty when there is none."""
    faults: list[str] = []
    if (np.diff(samples.epochs) <= 0).any():
        faults.append("decisions are repeated or out of order")
    if (samples.exit_epochs <= samples.epochs).any():
        faults.append("a label is known at its own decision")
    embargo = params.splits.embargo_seconds
    pairs = [
        ("train", samples.split == TRAIN, "calibration", samples.split == CALIBRATION),
        ("calibration", samples.split == CALIBRATION, "test", samples.split == TEST),
    ]
    for name, before, later_name, after in pairs:
        if before.any() and after.any() and samples.exit_epochs[before].max() + embargo >= samples.epochs[after].min():
            faults.append(f"{name} reaches into {later_name}")
    for fold in walk_forward(samples, params):
        if len(fold.train) and samples.exit_epochs[fold.train].max() + embargo >= samples.epochs[fold.validation].min():
            faults.append(f"fold {fold.number}: training reaches into validation")
    return faults


def non_overlapping(epochs: npt.NDArray[np.int64], exit_epochs: npt.NDArray[np.int64]) -> Index:
    """Positions of the longest run of decisions, earliest first, whose labels do not overlap.

    Overlapping labels are not independent evidence, so every stated uncertainty counts these decisions only.

    Args:
        epochs, exit_epochs: when each decision is taken and when its labels are known, seconds, shape (n,).
    """
    kept: list[int] = []
    free_from = -1
    for position, (start, end) in enumerate(zip(epochs.tolist(), exit_epochs.tolist(), strict=True)):
        if start > free_from:
            kept.append(position)
            free_from = end
    return np.array(kept, dtype=np.int64)


_CODES = {"train": TRAIN, "calibration": CALIBRATION, "test": TEST}


def _day_samples(
    symbol: str, day: date, home: Home, params: Params, spec: FeatureSpec
) -> tuple[Samples, PartitionNote]:
    """The rows one day contributes, and its note."""
    seen = features.load_partition(symbol, day, home, params)
    ends = labels.load_partition(symbol, day, home, params)
    if not np.array_equal(seen.epochs, ends.epochs):
        raise StepError(f"{symbol} {day}: features and labels are from different ticks; run `xtitan run retrain`")
    slot = seen.epochs % params.labels.slot_seconds == 0
    stride = np.arange(len(seen.epochs)) % params.train.stride_ticks == 0
    index = np.flatnonzero(seen.valid & ends.known & (slot | stride))
    ticks, candles = windows(seen, index, spec)
    _, first, rows = np.unique(seen.bar_ready[index], return_index=True, return_inverse=True)
    count = len(index)
    part = Samples(
        epochs=seen.epochs[index],
        exit_epochs=ends.exit_epochs[index],
        quotes=seen.quotes[index],
        ticks=ticks,
        candles=candles[first],
        rows=rows.astype(np.int32),
        labels=ends.won[index],
        split=np.zeros(count, np.uint8),
        fold=np.full(count, NO_FOLD, np.int8),
        slot=slot[index],
        stride=stride[index],
    )
    note = PartitionNote(
        day=day.isoformat(),
        rows=count,
        first_epoch=int(seen.epochs[0]),
        last_epoch=int(seen.epochs[-1]),
        features_sha256=content_sha256(seen.epochs, seen.quotes, seen.returns, seen.candles, seen.valid),
        labels_sha256=content_sha256(ends.epochs, ends.exit_epochs, ends.won, ends.known),
    )
    return part, note


def _join(parts: Sequence[Samples]) -> Samples:
    """Days one after the other; rows of candles are renumbered."""
    shift = np.cumsum([0, *(len(part.candles) for part in parts[:-1])])
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Samples.names() if name != "rows"
    }
    rows = np.concatenate([part.rows + offset for part, offset in zip(parts, shift, strict=True)])
    return Samples(**joined, rows=rows.astype(np.int32))


def _take(samples: Samples, index: Index, split: npt.NDArray[np.uint8], fold: npt.NDArray[np.int8]) -> Samples:
    """The chosen rows with their split and fold; candle windows that no row needs any more are dropped."""
    needed, rows = np.unique(samples.rows[index], return_inverse=True)
    per_row = ("epochs", "exit_epochs", "quotes", "ticks", "labels", "slot", "stride")
    return Samples(
        **{name: getattr(samples, name)[index] for name in per_row},
        candles=samples.candles[needed],
        rows=rows.astype(np.int32),
        split=split[index],
        fold=fold[index],
    )
