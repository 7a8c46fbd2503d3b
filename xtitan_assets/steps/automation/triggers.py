"""Why a run should start: a new journal segment, a model to replace, a candidate to promote."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from xtitan_assets.steps.ingest.ticks import days_on_disk
from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.report import find_report
from xtitan_assets.steps.shadow.drift import DriftReport
from xtitan_assets.steps.shadow.evidence import ShadowReport
from xtitan_assets.steps.shadow.journal_pull import PATTERN
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home

PROMOTION_MODE = "XTITAN_PROMOTION_MODE"
"""``manual`` (default): a person promotes. ``auto``: the promotion sensor does, when the gate opened."""


def newest_segment(source: Path) -> str | None:
    """Identity of the newest journal segment of a folder; None without one."""
    segments = sorted(source.glob(PATTERN)) if source.is_dir() else []
    return f"{segments[-1].name}:{segments[-1].stat().st_size}" if segments else None


def retrain_cause(home: Home, params: Params) -> str | None:
    """``snapshot:reason`` when the running model should be replaced and there is a new day to learn from."""
    reasons = []
    drift, shadow = find_report(home, DriftReport), find_report(home, ShadowReport)
    if drift is not None and drift.advice == "demote":
        reasons.append("drift")
    if shadow is not None and shadow.decided == "futile":
        reasons.append("futile")
    if not reasons:
        return None
    # Loads pandas, which the sensors' server would keep; without a reason it is not needed.
    from xtitan_assets.steps.dataset.snapshot import DatasetReport

    snapshot = find_report(home, DatasetReport)
    if snapshot is None:
        return None
    newest = date.fromisoformat(snapshot.days[-1])
    if not any(day > newest for day in days_on_disk(home, params.data.symbol)):
        return None
    return f"{snapshot.snapshot_id[:16]}:{'+'.join(reasons)}"


def promotion_cause(home: Home, params: Params) -> str | None:
    """The bundle that the last evaluation would promote and that is not champion yet; None in manual mode.

    Raises:
        LedgerError: the promotion ledger is broken.
    """
    if os.environ.get(PROMOTION_MODE, "manual") != "auto":
        return None
    report = find_report(home, ShadowReport)
    if report is None or report.decided != "promoted":
        return None
    bundle = report.certificate.bundle_id
    return None if ledger.champion(ledger.read(home.ledger), params.model_name) == bundle else bundle
