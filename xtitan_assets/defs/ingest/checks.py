"""Checks of every symbol-day before anything is computed from it (blocking), and of freshness (a warning)."""

import dagster as dg

from xtitan_assets.defs.findings import error, warning
from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.partitions import split, symbol_day


@dg.asset_check(
    asset="ticks_raw",
    blocking=True,
    partitions_def=symbol_day,
    description="Epochs increase inside the day and on the grid; quotes are positive",
)
def monotonic(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.ingest import checks

    return error(checks.check_days(workspace.home(), checks.order, split(context.partition_keys)))


@dg.asset_check(asset="ticks_raw", blocking=True, partitions_def=symbol_day, description="No epoch twice")
def duplicates(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.ingest import checks

    return error(checks.check_days(workspace.home(), checks.duplicates, split(context.partition_keys)))


@dg.asset_check(
    asset="ticks_raw",
    blocking=True,
    partitions_def=symbol_day,
    description="At most 2 % of the day's ticks are missing, no hole is longer than ten minutes",
)
def gaps(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.ingest import checks

    return error(checks.check_days(workspace.home(), checks.gaps, split(context.partition_keys)))


@dg.asset_check(
    asset="ticks_raw",
    blocking=True,
    partitions_def=symbol_day,
    description="At most three returns beyond eight nominal standard deviations",
)
def spikes(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.ingest import checks

    return error(checks.check_days(workspace.home(), checks.spikes, split(context.partition_keys)))


@dg.asset_check(asset="ticks_raw", description="Every symbol's newest day is at most two days behind the venue")
def fresh_per_symbol(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.finding import Finding
    from xtitan_assets.steps.ingest.checks import freshness
    from xtitan_assets.steps.ingest.venue import VenueUnreachable, venue_epoch

    params = workspace.params()
    try:
        return warning(freshness(workspace.home(), [params.data.symbol], venue_epoch(params)))
    except VenueUnreachable as unreachable:  # what is on disk is still good
        return warning(Finding(False, str(unreachable)))
