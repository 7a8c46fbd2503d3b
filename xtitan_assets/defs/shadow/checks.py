"""Checks of the runner's journal and of its evidence. They show the numbers; the promotion step decides."""

import dagster as dg

from xtitan_assets.defs.findings import error, warning
from xtitan_assets.resources.workspace import WorkspaceResource


@dg.asset_check(asset="live_journal", blocking=True, description="Shadow trades and settlements match")
def complete(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.shadow import checks

    return error(checks.journal_complete(workspace.home()))


@dg.asset_check(asset="shadow_report", description="Enough counted trades to say anything")
def sample_size(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.shadow import checks

    return warning(checks.shadow_sample(workspace.home()))


@dg.asset_check(asset="shadow_report", description="The bankroll of evidence passed its threshold")
def sequential_test(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.shadow import checks

    return warning(checks.shadow_verdict(workspace.home()))
