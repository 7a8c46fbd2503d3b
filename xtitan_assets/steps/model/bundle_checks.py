"""Checks of the signed bundle as the trading host will find it: each function answers with a finding."""

from __future__ import annotations

from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.model.reports import ExportReport
from xtitan_assets.steps.model.signed_bundle import TOLERANCE, check_bundle
from xtitan_assets.steps.report import read_report
from xtitan_assets.workspace.paths import Home


def torch_equals_onnx(home: Home) -> Finding:
    """The exported graph gives torch's numbers."""
    report = read_report(home, ExportReport)
    summary = f"largest difference {report.parity:.1e} over {report.parity_samples} decisions, {report.exporter}"
    return Finding(report.parity <= TOLERANCE, summary, {"difference": report.parity, "tolerance": TOLERANCE})


def golden_vectors(home: Home) -> Finding:
    """The signed bundle verifies, loads as on the trading host and replays its golden vectors."""
    found = check_bundle(home)
    summary = f"largest difference {found.golden_difference:.1e} (at most {TOLERANCE:.0e})"
    return Finding(found.golden_passed, summary, {"difference": found.golden_difference, "bundle_id": found.bundle_id})


def latency(home: Home) -> Finding:
    """One decision stays within the bundle's own budget of CPU time on one thread.

    Time on the wall is reported and not judged: other programs on the machine lengthen it.
    """
    found = check_bundle(home)
    summary = f"CPU time p50 {found.cpu_p50_ms} ms, p99 {found.cpu_p99_ms} ms of {found.max_latency_ms} ms allowed"
    if found.latency_p99_ms > found.max_latency_ms:
        summary += f"; warning: p99 on the wall is {found.latency_p99_ms} ms, so this machine is busy or too slow"
    details = {
        "p50_ms": found.latency_p50_ms,
        "p99_ms": found.latency_p99_ms,
        "cpu_p50_ms": found.cpu_p50_ms,
        "cpu_p99_ms": found.cpu_p99_ms,
        "max_ms": found.max_latency_ms,
    }
    return Finding(found.latency_passed, summary, details)
