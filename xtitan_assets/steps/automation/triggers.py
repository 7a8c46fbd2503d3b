"""Why a run should start: a new journal segment, a model to replace, a candidate to promote."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from xtitan_assets.steps.ingest.ticks import days_on_disk
from xtitan_assets.steps.registry import promotion_ledger as ledger
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
    if _report(home.reports / "drift.json").get("advice") == "demote":
        reasons.append("drift")
    if _report(home.reports / "shadow.json").get("decided") == "futile":
        reasons.append("futile")
    snapshot = _report(home.dataset / "manifest.json")
    if not reasons or not snapshot:
        return None
    newest = date.fromisoformat(snapshot["days"][-1])
    if not any(day > newest for day in days_on_disk(home, params.data.symbol)):
        return None
    return f"{snapshot['snapshot_id'][:16]}:{'+'.join(reasons)}"


def promotion_cause(home: Home, params: Params) -> str | None:
    """The bundle that the last evaluation would promote and that is not champion yet; None in manual mode.

    Raises:
        LedgerError: the promotion ledger is broken.
    """
    if os.environ.get(PROMOTION_MODE, "manual") != "auto":
        return None
    report = _report(home.reports / "shadow.json")
    if report.get("decided") != "promoted":
        return None
    bundle = str(report["bundle_id"])
    return None if ledger.champion(ledger.read(home.ledger), params.model_name) == bundle else bundle


def _report(path: Path) -> dict[str, Any]:
    """A JSON report, empty when it is not there. Reports are replaced atomically, so it is never half written."""
    try:
        report: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return report
