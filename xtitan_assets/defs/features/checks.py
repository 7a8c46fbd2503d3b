"""Checks of every day of features and labels; all block the dataset."""

import dagster as dg

from xtitan_assets.defs.findings import error
from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.partitions import split, symbol_day


@dg.asset_check(
    asset="features", blocking=True, partitions_def=symbol_day, description="No NaN or infinity in any window"
)
def finite(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.features import checks

    return error(checks.features_finite(workspace.home(), workspace.params(), split(context.partition_keys)))


@dg.asset_check(
    asset="features",
    blocking=True,
    partitions_def=symbol_day,
    description="Streamed tick by tick, a sample gives the stored bytes",
)
def batch_equals_stream(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.features import checks

    return error(checks.features_parity(workspace.home(), workspace.params(), split(context.partition_keys)))


@dg.asset_check(
    asset="features",
    blocking=True,
    partitions_def=symbol_day,
    description="Another future does not change a byte of the past",
)
def no_look_ahead(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.features import checks

    return error(checks.features_look_ahead(workspace.home(), workspace.params(), split(context.partition_keys)))


@dg.asset_check(
    asset="labels",
    blocking=True,
    partitions_def=symbol_day,
    description="Rises and falls are about as frequent and nearly all are known",
)
def outcome_rates(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.features import checks

    return error(checks.outcome_rates(workspace.home(), workspace.params(), split(context.partition_keys)))
