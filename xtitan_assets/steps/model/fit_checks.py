"""Checks of the weights and of their calibration, read from reports: each function answers with a finding."""

from __future__ import annotations

from dataclasses import asdict

from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.model.reports import CalibrationReport, TrainReport
from xtitan_assets.steps.report import read_report
from xtitan_assets.workspace.paths import Home


def finite_loss(home: Home) -> Finding:
    """Training never saw a loss that is not a number."""
    report = read_report(home, TrainReport)
    return Finding(report.finite, f"{report.candidate}: losses {report.losses}", report.losses)


def beats_closed_form(home: Home) -> Finding:
    """Something beat the closed form on walk-forward validation; on a fair market nothing should."""
    report = read_report(home, TrainReport)
    beaten, seen = report.beats_baseline, f"{report.candidate} beats the closed form"
    summary = seen if beaten else "nothing beats the closed form: no edge seen"
    return Finding(beaten, summary, {"comparisons": [asdict(comparison) for comparison in report.comparisons]})


def calibration_error(home: Home) -> tuple[Finding, bool]:
    """Calibration error of every head against what chance alone explains.

    Returns:
        The finding, and whether the excess is too large to be chance in any head (more than two points): with five
        heads, one in twenty good models lies beyond a 99 % quantile somewhere.
    """
    heads = read_report(home, CalibrationReport).heads
    over = [head for head in heads if head.ece > head.ece_null]
    serious = [head for head in over if head.ece > head.ece_null + 0.02]
    text = ", ".join(f"{head.label} {head.ece:.4f} (chance {head.ece_null:.4f})" for head in over or heads)
    details = {
        head.label: {"ece": head.ece, "ece_null": head.ece_null, "n": head.n, "muted": head.muted} for head in heads
    }
    return Finding(not over, f"calibration error {text}", details), bool(serious)
