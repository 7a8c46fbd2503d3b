"""Features of one symbol-day, and samples that prove they equal what serving computes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from xtitan_assets.steps.features.partition_files import partition_path, read_partition, write_partition
from xtitan_assets.steps.ingest.ticks import midnight, read_ordered_day, tick_path, warm_up_days
from xtitan_assets.steps.report import Report, content_sha256
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.features.batch import DayFeatures, day_features, windows
from xtitan_core.features.spec import FeatureError, FeatureSpec
from xtitan_core.features.stream import FeatureStream
from xtitan_core.randomness import stream


@dataclass(frozen=True, slots=True)
class FeaturesReport(Report):
    """One built partition.

    Attributes:
        ticks: ticks of the day.
        valid: ticks at which a decision is possible; 0 on a day without enough warm-up before it.
        finite: no NaN or infinity among the features.
        sha256: of the feature arrays.
    """

    symbol: str
    day: str
    ticks: int
    valid: int
    bars: int
    columns: int
    finite: bool
    feature_sha256: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SampleCheck(Report):
    """Outcome of a check on sampled ticks.

    Attributes:
        checked: comparisons made.
        mismatches: comparisons that failed; must be 0.
    """

    checked: int
    mismatches: int

    @property
    def passed(self) -> bool:
        """True when something was compared and nothing differed, or the day has no valid tick to compare."""
        return self.mismatches == 0


def feature_spec(params: Params) -> FeatureSpec:
    """The specification that params.yaml asks for.

    Raises:
        StepError: when it cannot be served.
    """
    chosen = params.features
    try:
        return FeatureSpec(chosen.tick_window, chosen.bar_seconds, chosen.bar_window, chosen.anchor_bars)
    except FeatureError as error:
        raise StepError(f"params.yaml, features: {error}") from error


def features_path(home: Home, symbol: str, day: date) -> Path:
    """Where the features of a symbol-day are."""
    return partition_path(home.features, symbol, day)


def ticks_with_warm_up(symbol: str, day: date, home: Home, params: Params) -> tuple[Epochs, Quotes]:
    """The ticks of the warm-up days and then of the day itself.

    Warm-up days are taken back to the first one that is not on disk.

    Returns:
        ``(epochs, quotes)``, shape (n,).
    """
    chosen = params.features
    parts = [read_ordered_day(home, symbol, day)]
    for back in range(1, warm_up_days(chosen.anchor_bars, chosen.bar_seconds) + 1):
        earlier = day - timedelta(days=back)
        if not tick_path(home, symbol, earlier).exists():
            break
        parts.insert(0, read_ordered_day(home, symbol, earlier))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def build_partition(symbol: str, day: date, home: Home, params: Params) -> FeaturesReport:
    """Compute and write the features of one symbol-day.

    Raises:
        StepError: missing or broken ticks.
    """
    spec = feature_spec(params)
    epochs, quotes = ticks_with_warm_up(symbol, day, home, params)
    built = _compute(day, epochs, quotes, spec)
    arrays: dict[str, Any] = {f.name: np.asarray(getattr(built, f.name)) for f in fields(DayFeatures)}
    write_partition(features_path(home, symbol, day), arrays, _parameters(spec))
    return FeaturesReport(
        symbol=symbol,
        day=day.isoformat(),
        ticks=len(built.epochs),
        valid=int(built.valid.sum()),
        bars=len(built.candles),
        columns=len(spec.indicators),
        finite=bool(np.isfinite(built.returns).all() and np.isfinite(built.candles).all()),
        feature_sha256=spec.sha256,
        sha256=content_sha256(built.epochs, built.quotes, built.returns, built.candles, built.bar_ready, built.valid),
    )


def load_partition(symbol: str, day: date, home: Home, params: Params) -> DayFeatures:
    """Read a built partition.

    Raises:
        StepError: it is missing, broken or was built with another specification.
    """
    arrays = read_partition(features_path(home, symbol, day), _parameters(feature_spec(params)))
    scalars = {name: int(arrays.pop(name)) for name in ("midnight", "lead")}
    return DayFeatures(**scalars, **arrays)  # type: ignore[arg-type]


def parity_sample(symbol: str, day: date, home: Home, params: Params, points: int = 8) -> SampleCheck:
    """Replay the day through the streaming features and compare bytes with the stored ones at sampled ticks."""
    spec = feature_spec(params)
    stored = load_partition(symbol, day, home, params)
    chosen = _sample(stored, points, "parity", symbol, day)
    epochs, quotes = ticks_with_warm_up(symbol, day, home, params)
    live = FeatureStream(spec)
    mismatches = 0
    at = 0
    for index in chosen:
        end = int(np.searchsorted(epochs, stored.epochs[index], side="right"))
        live.extend(zip(epochs[at:end].tolist(), quotes[at:end].tolist(), strict=True))
        at = end
        ticks, candles = windows(stored, [index], spec)
        streamed = live.windows() if live.ready else None
        same = streamed is not None and (
            streamed[0].tobytes() == ticks.tobytes() and streamed[1].tobytes() == candles.tobytes()
        )
        mismatches += not same
    return SampleCheck(len(chosen), mismatches)


def lookahead_sample(symbol: str, day: date, home: Home, params: Params, points: int = 6) -> SampleCheck:
    """Change the future of sampled ticks, and cut it off: the features up to them must keep every bit.

    The two variants find centred windows, candles labelled by their opening time, back-filling and global
    normalisers; each of these was planted and found.
    """
    spec = feature_spec(params)
    stored = load_partition(symbol, day, home, params)
    epochs, quotes = ticks_with_warm_up(symbol, day, home, params)
    checked = mismatches = 0
    for index in _sample(stored, points, "lookahead", symbol, day):
        now = int(np.searchsorted(epochs, stored.epochs[index], side="right"))
        shock = stream(params.train.seed, "lookahead", symbol, day, index).normal(0.0, 1e-3, len(quotes) - now)
        other = np.concatenate([quotes[:now], quotes[now:] * np.exp(np.cumsum(shock))])
        before = [i for i in (index - 600, index - 1, index) if i >= 0 and stored.valid[i]]
        truth = windows(stored, before, spec)
        for alternative in (
            _compute(day, epochs, other, spec),
            _compute(day, epochs[:now], quotes[:now], spec),
        ):
            seen = windows(alternative, before, spec)
            checked += len(before)
            same = truth[0].tobytes() == seen[0].tobytes() and truth[1].tobytes() == seen[1].tobytes()
            mismatches += 0 if same else len(before)
    return SampleCheck(checked, mismatches)


def _sample(stored: DayFeatures, points: int, *names: object) -> list[int]:
    """Sorted positions of some valid ticks, the same on every run."""
    valid = np.flatnonzero(stored.valid)
    if len(valid) == 0:
        return []
    rng = stream(0, *names)
    return sorted({int(i) for i in rng.choice(valid, size=min(points, len(valid)), replace=False)})


def _compute(day: date, epochs: Epochs, quotes: Quotes, spec: FeatureSpec) -> DayFeatures:
    try:
        return day_features(midnight(day), epochs, quotes, spec)
    except FeatureError as error:
        raise StepError(f"{day}: {error}; the tick checks of this day name the fault") from error


def _parameters(spec: FeatureSpec) -> dict[str, Any]:
    return {"feature_sha256": spec.sha256}
