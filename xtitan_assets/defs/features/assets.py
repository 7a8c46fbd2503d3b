"""Features and labels of one symbol-day."""

from datetime import timedelta

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.lineage import stage
from xtitan_assets.workspace.partitions import key, split, symbol_day, warm_up

# Dagster's own `all_deps_blocking_checks_passed` is true for a day when *one* of the days it maps to passed, so a
# broken day whose warm-up day passed would be used. This condition requires that no dependency has a blocking check
# that did not pass.
NO_FAILED_DEPENDENCY = ~dg.AutomationCondition.any_deps_match(
    ~dg.AutomationCondition.all_checks_match(
        dg.AutomationCondition.check_passed() | dg.AutomationCondition.will_be_requested(), blocking_only=True
    )
).with_label("any_dep_without_passed_checks")

# eager() looks at the newest day only and misses a late download, so this looks back a week. For older days a person
# starts a backfill.
WHEN_READY = (
    dg.AutomationCondition.in_latest_time_window(lookback_delta=timedelta(days=7))
    & (dg.AutomationCondition.newly_missing() | dg.AutomationCondition.any_deps_updated()).since_last_handled()
    & ~dg.AutomationCondition.any_deps_missing()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
    & NO_FAILED_DEPENDENCY
).with_label("ready_within_a_week")

TICKS = [dg.AssetDep("ticks_raw", partition_mapping=warm_up(1))]


@dg.asset(
    deps=TICKS,
    partitions_def=symbol_day,
    group_name="features",
    kinds={"numpy"},
    automation_condition=WHEN_READY,
    metadata=stage("dataset", ["features", "train"]),
    owners=["team:data"],
)
def features(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Model inputs of one symbol-day, bit for bit what the runner computes tick by tick."""
    from xtitan_assets.steps.features.inputs import build_partition

    home, params = workspace.home(), workspace.params()
    for symbol, day in split(context.partition_keys):
        report = build_partition(symbol, day, home, params)
        context.add_asset_metadata(report.as_metadata(), partition_key=key(symbol, day))
    return dg.MaterializeResult()


@dg.asset(
    deps=TICKS,
    partitions_def=symbol_day,
    group_name="features",
    kinds={"numpy"},
    automation_condition=WHEN_READY,
    metadata=stage("dataset", ["labels"]),
    owners=["team:data"],
)
def labels(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """How every contract that could have been bought on one symbol-day would have ended."""
    from xtitan_assets.steps.features.labels import build_partition

    home, params = workspace.home(), workspace.params()
    for symbol, day in split(context.partition_keys):
        report = build_partition(symbol, day, home, params)
        context.add_asset_metadata(report.as_metadata(), partition_key=key(symbol, day))
    return dg.MaterializeResult()
