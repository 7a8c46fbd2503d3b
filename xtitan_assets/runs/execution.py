"""Run Dagster jobs in this process, on the instance the UI reads: the same assets, checks and event log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from xtitan_assets.runs.plans import PlannedRun, Runs
from xtitan_assets.workspace import environment, interrupts
from xtitan_assets.workspace.paths import Home

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult
    from dagster_shared.error import SerializableErrorInfo


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One evaluated asset check."""

    asset: str
    name: str
    passed: bool
    blocking: bool
    severity: str
    description: str


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One Dagster run, as `xtitan run --json` prints it.

    Attributes:
        failure: the one line that explains a failure, empty on success.
        assets: metadata of every materialised asset; of a partitioned one, of its last partition.
    """

    job: str
    run_id: str
    success: bool
    seconds: float
    failure: str
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: list[CheckOutcome] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def execute(home: Home, steps: Sequence[Runs], overrides: Sequence[str]) -> list[RunOutcome]:
    """Execute a plan until its end or its first failure.

    Raises:
        StepError: the workspace is in use, or a plan step cannot be worked out.
        KeyboardInterrupt: on SIGINT or SIGTERM; runs that have ended keep what they made.
    """
    environment.apply()
    from xtitan_assets.runs.instance import opened

    outcomes: list[RunOutcome] = []
    with opened(home) as instance, interrupts.remembered() as interrupted:
        from xtitan_assets.definitions import defs

        definitions = defs()
        for step in steps:
            for planned in step():
                if interrupted():
                    raise KeyboardInterrupt
                outcomes.append(_execute_one(definitions, instance, home, planned, overrides))
                if not outcomes[-1].success:
                    if interrupted():
                        raise KeyboardInterrupt
                    return outcomes
    return outcomes


def _execute_one(
    definitions: Any, instance: DagsterInstance, home: Home, planned: PlannedRun, overrides: Sequence[str]
) -> RunOutcome:
    from xtitan_assets.runs.instance import WORKSPACE_TAG

    started = time.monotonic()
    config: dict[str, Any] = {
        "resources": {"workspace": {"config": {"overrides": list(overrides)}}},
        "loggers": {"progress": {}},
        **planned.config,
    }
    result = definitions.resolve_job_def(planned.job).execute_in_process(
        instance=instance,
        run_config=config,
        partition_key=planned.partition,
        tags={**planned.tags, WORKSPACE_TAG: str(home.data)},
        raise_on_error=False,
    )
    seconds = time.monotonic() - started
    failure = "" if result.success else explain(result)
    return RunOutcome(
        planned.job, result.run_id, result.success, round(seconds, 3), failure, _assets(result), _checks(result)
    )


def explain(result: ExecuteInProcessResult) -> str:
    """The one line behind a failed run: the message of our own error, a failed check, or the exception and its type."""
    from dagster import DagsterEventType

    for event in result.all_events:
        if event.event_type is not DagsterEventType.STEP_FAILURE:
            continue
        error = event.step_failure_data.error
        while error is not None and error.cause is not None and _kind(error).startswith(("Dagster", "RetryRequested")):
            error = error.cause
        if error is None:
            continue
        if _kind(error) == "DagsterAssetCheckFailedError":
            return failed_checks(result)
        text = error.message.strip().partition("\n")[0].strip()
        name, separator, rest = text.partition(": ")
        explained = name.startswith("xtitan_") or _kind(error) == "Failure"
        return rest if explained and separator else f"{event.step_key}: {text}"
    for event in result.all_events:
        if event.event_type is DagsterEventType.RUN_FAILURE and event.message:
            return event.message.partition("\n")[0]
    return "the run failed; see it in `xtitan ui`"


def _kind(error: SerializableErrorInfo) -> str:
    return (error.cls_name or "").rpartition(".")[2]


def failed_checks(result: ExecuteInProcessResult) -> str:
    """The blocking checks that stopped a run."""
    failed = [check for check in _checks(result) if check.blocking and not check.passed]
    return "; ".join(f"check {check.name} of {check.asset} failed: {check.description}" for check in failed)


def _checks(result: ExecuteInProcessResult) -> list[CheckOutcome]:
    return [
        CheckOutcome(
            done.asset_key.to_user_string(),
            done.check_name,
            done.passed,
            bool(done.blocking),
            done.severity.value,
            done.description or "",
        )
        for done in result.get_asset_check_evaluations()
    ]


def _assets(result: ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    assets: dict[str, dict[str, Any]] = {}
    for event in result.get_asset_materialization_events():
        made = event.materialization
        assets[made.asset_key.to_user_string()] = plain(made.metadata)
    return assets


def plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Dagster's metadata values as JSON."""
    found = {name: getattr(value, "value", None) for name, value in metadata.items()}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, str | int | float | bool | list | dict) and not name.startswith("dagster/")
    }
