"""Checks of what came back from the runner. The gate itself lives in the promotion step; here it is shown."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource


@dg.asset_check(asset="live_journal", blocking=True, description="Shadow trades and settlements match")
def complete(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.shadow.checks import journal_complete

    finding = journal_complete(workspace.home())
    return dg.AssetCheckResult(passed=finding.passed, description=finding.summary, metadata=finding.details)


@dg.asset_check(asset="shadow_report", description="Enough counted trades to say anything")
def sample_size(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.shadow.checks import shadow_sample

    finding = shadow_sample(workspace.home())
    return dg.AssetCheckResult(
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding.summary,
        metadata=finding.details,
    )


@dg.asset_check(asset="shadow_report", description="The bankroll of evidence passed its threshold")
def sequential_test(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.shadow.checks import shadow_verdict

    finding = shadow_verdict(workspace.home())
    return dg.AssetCheckResult(
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding.summary,
        metadata=finding.details,
    )
