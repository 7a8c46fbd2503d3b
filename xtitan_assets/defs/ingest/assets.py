"""Assets that come from the venue."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.lineage import stage
from xtitan_assets.workspace.partitions import days, key, split, symbol_day


@dg.asset(
    group_name="ingest",
    kinds={"json"},
    pool="deriv_api",
    owners=["team:data"],
)
def active_symbols(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """What the venue trades now: names, precision, open or closed."""
    from xtitan_assets.steps.ingest.venue import active_symbols as ask

    return dg.MaterializeResult(metadata=ask(workspace.home(), workspace.params()))


@dg.asset(
    deps=["active_symbols"],
    partitions_def=symbol_day,
    group_name="ingest",
    kinds={"parquet"},
    pool="deriv_api",
    retry_policy=dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS),
    metadata=stage("sample", ["data", "features"]),
    owners=["team:data"],
)
def ticks_raw(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Ticks of one closed UTC day of one symbol; a stored day is never written again."""
    from xtitan_assets.steps.ingest.download import collect, prune
    from xtitan_assets.steps.ingest.venue import VenueUnreachable, venue_epoch
    from xtitan_assets.workspace.errors import StepError

    home, params = workspace.home(), workspace.params()
    partitions = split(context.partition_keys)
    rows = 0
    try:
        for symbol in sorted({name for name, _ in partitions}):
            wanted = [day for name, day in partitions if name == symbol]
            for report in collect(home, params, symbol, wanted, context.log.info):
                context.add_asset_metadata(report.as_metadata(), partition_key=key(symbol, report.day))
                rows += report.rows
            if params.venue.retention_days:
                prune(home, params, symbol, venue_epoch(params))
    except VenueUnreachable:
        raise  # the network may come back: Dagster's retry policy decides
    except StepError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    except dg.DagsterExecutionInterruptedError as error:
        raise dg.Failure("interrupted", allow_retries=False) from error  # Dagster would retry even this
    return dg.MaterializeResult(metadata={"run_rows": rows})


@dg.asset(
    partitions_def=days,
    group_name="ingest",
    kinds={"json"},
    owners=["team:data"],
)
def payout_quotes(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Payouts that were quoted on one day, from the runner's journal; the pipeline asks for no quotes itself."""
    from datetime import date

    from xtitan_assets.steps.ingest.quotes import collect_quotes

    wanted = [date.fromisoformat(str(text)) for text in context.partition_keys]
    reports = collect_quotes(workspace.home(), workspace.params(), wanted)
    for report in reports:
        context.add_asset_metadata(report.as_metadata(), partition_key=report.day.isoformat())
    return dg.MaterializeResult(metadata={"run_rows": sum(report.rows for report in reports)})
