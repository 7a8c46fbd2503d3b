"""Checks of the runner's journal and of its evidence: each function answers with a finding."""

from __future__ import annotations

from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.report import read_report
from xtitan_assets.steps.shadow.evidence import ShadowReport
from xtitan_assets.workspace.paths import Home
from xtitan_core.journal import ShadowSettlementRecord, ShadowTradeRecord, read_journal


def journal_complete(home: Home) -> Finding:
    """Every shadow trade has settled except the few that are still open, and every settlement belongs to a trade."""
    opened: set[str] = set()
    settled: set[str] = set()
    for segment in read_journal(home.journal):
        opened.update(r.trade_id for r in segment.records if isinstance(r, ShadowTradeRecord))
        settled.update(r.trade_id for r in segment.records if isinstance(r, ShadowSettlementRecord))
    waiting, orphans = len(opened - settled), len(settled - opened)
    summary = f"{len(opened)} shadow trades, {waiting} without settlement, {orphans} settlements without trade"
    details = {"trades": len(opened), "unsettled": waiting, "orphans": orphans}
    return Finding(orphans == 0 and waiting <= max(2, len(opened) // 100), summary, details)


def shadow_sample(home: Home) -> Finding:
    """At least thirty counted trades."""
    trades = read_report(home, ShadowReport).certificate.trades
    return Finding(trades >= 30, f"{trades} counted shadow trades", {"trades": trades})


def shadow_verdict(home: Home) -> Finding:
    """The gate opened for the candidate."""
    report = read_report(home, ShadowReport)
    certificate = report.certificate
    details = {
        "e_own": certificate.e_own,
        "e_lineage": certificate.e_lineage,
        "need_own": certificate.need_own,
        "need_lineage": certificate.need_lineage,
        "need_alone": certificate.need_alone,
    }
    return Finding(report.decided == "promoted", f"{report.decided}: {report.why}", details)
