"""Checks of features and labels of symbol-days, on the files themselves: each function answers with a finding."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from xtitan_assets.steps.finding import Finding
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home

Partitions = Sequence[tuple[str, date]]


def features_finite(home: Home, params: Params, partitions: Partitions) -> Finding:
    """No NaN or infinity in any window that can be used."""
    from xtitan_assets.steps.features.inputs import load_partition

    details: dict[str, Any] = {}
    for symbol, day in partitions:
        built = load_partition(symbol, day, home, params)
        bad = int(np.count_nonzero(~np.isfinite(built.returns)) + np.count_nonzero(~np.isfinite(built.candles)))
        details[f"{symbol} {day}"] = {"not_finite": bad, "usable_ticks": int(built.valid.sum())}
    broken = [where for where, found in details.items() if found["not_finite"]]
    summary = f"not finite: {', '.join(broken)}" if broken else f"{len(details)} symbol-days are finite"
    return Finding(not broken, summary, details)


def features_parity(home: Home, params: Params, partitions: Partitions) -> Finding:
    """Streamed tick by tick, the features are the stored bytes."""
    from xtitan_assets.steps.features.inputs import parity_sample

    return _sampled("streamed and stored bytes", parity_sample, home, params, partitions)


def features_look_ahead(home: Home, params: Params, partitions: Partitions) -> Finding:
    """Another future does not change a byte of the past."""
    from xtitan_assets.steps.features.inputs import lookahead_sample

    return _sampled("features under another future", lookahead_sample, home, params, partitions)


def _sampled(what: str, sample: Any, home: Home, params: Params, partitions: Partitions) -> Finding:
    details: dict[str, Any] = {}
    for symbol, day in partitions:
        outcome = sample(symbol, day, home, params)
        details[f"{symbol} {day}"] = {"checked": outcome.checked, "mismatches": outcome.mismatches}
    failed = [where for where, found in details.items() if found["mismatches"]]
    checked = sum(found["checked"] for found in details.values())
    summary = f"{what} differ: {', '.join(failed)}" if failed else f"{what}: {checked} comparisons equal"
    return Finding(not failed, summary, details)


def outcome_rates(home: Home, params: Params, partitions: Partitions) -> Finding:
    """Rises and falls are about as frequent, hardly anything ties, and nearly every contract of a day is known."""
    from xtitan_assets.modeling.samples import LABELS
    from xtitan_assets.steps.features.labels import load_partition

    details: dict[str, Any] = {}
    failed: list[str] = []
    for symbol, day in partitions:
        ends = load_partition(symbol, day, home, params)
        known = ends.known
        rates = ends.won[known].mean(axis=0) if known.any() else np.zeros(len(LABELS))
        found = {name: round(float(rate), 4) for name, rate in zip(LABELS, rates, strict=True)}
        found["known"] = round(float(known.mean()), 4)
        details[f"{symbol} {day}"] = found
        if not (0.4 <= found["CALL"] <= 0.6 and 0.4 <= found["PUT"] <= 0.6 and found["known"] >= 0.95):
            failed.append(f"{symbol} {day}")
    summary = f"unlikely outcomes: {', '.join(failed)}" if failed else f"{len(details)} symbol-days are plausible"
    return Finding(not failed, summary, details)
