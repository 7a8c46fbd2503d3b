"""Runs started by journal segments, verdicts and failures. All sensors are off until a person turns them on.

Each sensor names a cause; ``run_requests.py`` decides whether to ask for a run.
"""

import time

import dagster as dg
from dagster import DagsterRunStatus as Status

from xtitan_assets.defs.automation.run_requests import Cursor, LastRun, next_request
from xtitan_assets.resources.workspace import WorkspaceResource

CAUSE, SENSOR = "xtitan/cause", "xtitan/sensor"
ACTIVE = [Status.QUEUED, Status.NOT_STARTED, Status.STARTING, Status.STARTED, Status.CANCELING]


def request(
    context: dg.SensorEvaluationContext, cause: str | None, *, cool_down: float, retry_after: float = 600.0
) -> dg.SensorResult:
    """Ask for a run of the sensor's job for this cause, or give the reason for not asking."""
    name = context.sensor_name
    runs = context.instance.get_runs(dg.RunsFilter(tags={SENSOR: name, CAUSE: cause or ""}), limit=1)
    busy = context.instance.get_runs_count(dg.RunsFilter(tags={SENSOR: name}, statuses=ACTIVE)) > 0
    last = LastRun.NONE
    if runs:
        status = runs[0].status
        last = (
            LastRun.RUNNING if status in ACTIVE else LastRun.SUCCEEDED if status is Status.SUCCESS else LastRun.FAILED
        )
    answer = next_request(
        Cursor.load(context.cursor), cause, last, busy, time.time(), cool_down=cool_down, retry_after=retry_after
    )
    cursor = answer.cursor.dump()
    if answer.run_key is None or cause is None:
        return dg.SensorResult(skip_reason=answer.reason, cursor=cursor)
    return dg.SensorResult([dg.RunRequest(answer.run_key, tags={SENSOR: name, CAUSE: cause})], cursor=cursor)


@dg.sensor(job_name="shadow", minimum_interval_seconds=60)
def journal_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    """Evaluates the evidence when the runner wrote new segments, at most every ten minutes."""
    from xtitan_assets.steps.automation.triggers import newest_segment
    from xtitan_assets.steps.shadow.journal_pull import journal_source

    return request(context, newest_segment(journal_source(workspace.home())), cool_down=600.0)


@dg.sensor(job_name="retrain", minimum_interval_seconds=600)
def auto_retrain_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    """Retrains once a new day is on disk, when drift advises to demote or the candidate is futile; at most daily."""
    from xtitan_assets.steps.automation.triggers import retrain_cause

    cause = retrain_cause(workspace.home(), workspace.params())
    return request(context, cause, cool_down=86_400.0, retry_after=3_600.0)


@dg.sensor(job_name="promote", minimum_interval_seconds=300)
def promotion_sensor(context: dg.SensorEvaluationContext, workspace: WorkspaceResource) -> dg.SensorResult:
    """Promotes in auto mode only; the job evaluates the gate once more."""
    from xtitan_assets.steps.automation.triggers import promotion_cause

    return request(context, promotion_cause(workspace.home(), workspace.params()), cool_down=300.0)


@dg.run_failure_sensor(minimum_interval_seconds=30)
def run_failure_alert(context: dg.RunFailureSensorContext, workspace: WorkspaceResource) -> None:
    """One line in data/alerts.jsonl for every failed run, and a webhook if one is set."""
    from xtitan_assets.steps.automation.alerts import alert

    run = context.dagster_run
    message = context.failure_event.message or "no message"
    details = {"job": run.job_name, "run_id": run.run_id, "message": message.partition("\n")[0]}
    context.log.info(alert(workspace.home(), f"x.titan: {run.job_name} failed", details))


light_automation = dg.AutomationConditionSensorDefinition(
    "light_automation",
    target=dg.AssetSelection.groups("features"),
    minimum_interval_seconds=60,
    description="Makes features and labels of the last week's days when their ticks passed their checks; trains nothing.",
)
