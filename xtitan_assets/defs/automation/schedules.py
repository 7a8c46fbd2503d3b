"""Runs at fixed times. All schedules are off until a person turns them on: downloading from Deriv needs consent."""

from datetime import timedelta

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.partitions import key


@dg.schedule(cron_schedule="10 0 * * *", job_name="ingest", execution_timezone="UTC")
def daily_ingest(context: dg.ScheduleEvaluationContext, workspace: WorkspaceResource) -> dg.RunRequest:
    """The day that has just closed, ten minutes after midnight."""
    yesterday = (context.scheduled_execution_time - timedelta(days=1)).date()
    symbol = workspace.params().data.symbol
    return dg.RunRequest(run_key=f"{symbol}:{yesterday}", partition_key=key(symbol, yesterday))


@dg.schedule(cron_schedule="0 * * * *", job_name="quotes", execution_timezone="UTC")
def hourly_payout_quotes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Collects the quotes of the hour that ended; they cannot be downloaded later."""
    day = (context.scheduled_execution_time - timedelta(hours=1)).date().isoformat()
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), partition_key=day)


@dg.schedule(cron_schedule="0 2 * * 0", job_name="retrain", execution_timezone="UTC")
def weekly_retrain(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Sunday, 02:00."""
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags={"retrain/reason": "schedule"})


@dg.schedule(cron_schedule="30 0 * * *", job_name="shadow", execution_timezone="UTC")
def nightly_journal(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Evaluates the evidence every night, also when no sensor runs."""
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())
