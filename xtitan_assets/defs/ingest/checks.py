"""Checks of every symbol-day before anything is computed from it (blocking), and of freshness (a warning)."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.partitions import split, symbol_day


def tick_check(step: str, name: str, description: str) -> dg.AssetChecksDefinition:
    """A blocking check of ``ticks_raw`` that runs the function ``step`` of ``steps/quality.py`` on each partition."""

    @dg.asset_check(asset="ticks_raw", name=name, description=description, blocking=True, partitions_def=symbol_day)
    def run(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
        from xtitan_assets.steps.ingest import checks as quality

        finding = quality.check_days(workspace.home(), getattr(quality, step), split(context.partition_keys))
        return dg.AssetCheckResult(passed=finding.passed, description=finding.summary, metadata=finding.details)

    return run


monotonic = tick_check("order", "monotonic", "Epochs increase inside the day and on the grid; quotes are positive")
duplicates = tick_check("duplicates", "duplicates", "No epoch twice")
gaps = tick_check("gaps", "gaps", "At most 2 % of the day's ticks are missing, no hole is longer than ten minutes")
spikes = tick_check("spikes", "spikes", "At most three returns beyond eight nominal standard deviations")


@dg.asset_check(asset="ticks_raw", description="Every symbol's newest day is at most two days behind the venue")
def fresh_per_symbol(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.finding import Finding
    from xtitan_assets.steps.ingest.checks import freshness
    from xtitan_assets.steps.ingest.venue import VenueUnreachable, venue_epoch

    params = workspace.params()
    try:
        finding = freshness(workspace.home(), [params.data.symbol], venue_epoch(params))
    except VenueUnreachable as error:  # what is on disk is still good
        finding = Finding(False, str(error))
    return dg.AssetCheckResult(
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding.summary,
        metadata=finding.details,
    )
