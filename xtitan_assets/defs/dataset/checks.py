"""The gate before training."""

import dagster as dg

from xtitan_assets.defs.findings import error, warning
from xtitan_assets.resources.workspace import WorkspaceResource


@dg.asset_check(asset="training_dataset", blocking=True, description="Great Expectations, once per snapshot")
def great_expectations_suite(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.dataset.expectations import run_suite

    return error(run_suite(workspace.home(), workspace.params()))


@dg.asset_check(asset="training_dataset", blocking=True, description="Splits are purged and embargoed")
def no_leakage(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.dataset import checks

    return error(checks.dataset_leakage(workspace.home(), workspace.params()))


@dg.asset_check(asset="training_dataset", description="The newest day looks like the rest of the snapshot")
def drift(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.dataset import checks

    return warning(checks.dataset_drift(workspace.home(), workspace.params()))
