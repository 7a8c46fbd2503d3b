"""Checks of the training snapshot, on its files: each function answers with a finding."""

from __future__ import annotations

from xtitan_assets.steps.dataset.snapshot import leakage, load_samples
from xtitan_assets.steps.finding import Finding
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY


def dataset_leakage(home: Home, params: Params) -> Finding:
    """No label or embargo of an earlier split reaches into a later one."""
    faults = leakage(load_samples(home), params)
    return Finding(not faults, "; ".join(faults) or "splits are purged and embargoed", {"faults": faults})


def dataset_drift(home: Home, params: Params) -> Finding:
    """The volatility of the newest day is within a tenth of the whole snapshot's."""
    samples = load_samples(home)
    newest = samples.epochs >= samples.epochs[-1] - DAY
    whole = float(samples.ticks[:, -1].std())
    recent = float(samples.ticks[newest, -1].std())
    ratio = recent / whole if whole > 0 else 0.0
    return Finding(
        0.9 <= ratio <= 1.1,
        f"return volatility of the newest day is {ratio:.3f} of the snapshot's",
        {"ratio": ratio, "sigma": whole, "newest_day_sigma": recent},
    )
