"""The gate before training."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource


@dg.asset_check(asset="training_dataset", blocking=True, description="Great Expectations, once per snapshot")
def great_expectations_suite(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.dataset.expectations import run_suite

    finding = run_suite(workspace.home(), workspace.params())
    return dg.AssetCheckResult(passed=finding.passed, description=finding.summary, metadata=finding.details)


@dg.asset_check(asset="training_dataset", blocking=True, description="Splits are purged and embargoed")
def no_leakage(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.dataset.checks import dataset_leakage

    finding = dataset_leakage(workspace.home(), workspace.params())
    return dg.AssetCheckResult(passed=finding.passed, description=finding.summary, metadata=finding.details)


@dg.asset_check(asset="training_dataset", description="The newest day looks like the rest of the snapshot")
def drift(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.dataset.checks import dataset_drift

    finding = dataset_drift(workspace.home(), workspace.params())
    return dg.AssetCheckResult(
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding.summary,
        metadata=finding.details,
    )
