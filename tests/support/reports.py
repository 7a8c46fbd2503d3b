"""Reports of an evaluation that never took place."""

from __future__ import annotations

from typing import Literal

from xtitan_assets.steps.shadow.evidence import ShadowReport, SlotsReport
from xtitan_core.evidence.certificate import Certificate


def shadow_report(decided: Literal["promoted", "continue", "futile"]) -> ShadowReport:
    """A report on the bundle "bbb..." with numbers that are all different."""
    certificate = Certificate(
        model_name="R_100-rise_fall-5t",
        model_version="3",
        bundle_id="b" * 64,
        account_id="VRTC1",
        symbol="R_100",
        registered_epoch=1_767_225_600,
        last_epoch=1_767_312_000,
        promote=decided == "promoted",
        rule="lineage" if decided == "promoted" else "",
        e_lineage=41.5,
        e_own=21.25,
        need_lineage=40.0,
        need_own=20.0,
        need_alone=2_000.0,
        edges=(0.01, 0.02),
        haircut=0.015,
        trades=120,
        wins=70,
        refunds=1,
        open_trades=2,
        ratio=1.95,
        break_even=0.5128,
        win_rate=0.5882,
        win_rate_low=0.5,
        edge_low=-0.0125,
        edge_high=0.225,
        max_overlap=3,
        candidates=4,
        budget_left=46,
        missed={"not_quoted": 5},
        excluded={"before_registration": 6},
        trades_sha256="c" * 64,
    )
    slots = SlotsReport(trades=900, wins=450, refunds=7, win_rate=0.5, ratio=1.94, edge_high=0.0375)
    path = [(0, 1.0, 1.0), (60, 4.5, 9.0), (120, 21.25, 41.5)]
    return ShadowReport(decided, "the rule behind it", certificate, slots, path, "shadow_trades.csv")
