"""Progress of a run: one line for each asset, failed check and message, on stderr."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from dagster import DagsterEvent


STARTED = time.monotonic()
"""Start of the process: a command may execute several runs, and its lines count from here."""


class ProgressHandler(logging.Handler):
    """Turns Dagster's event log into short lines; everything else stays in the event log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        event: DagsterEvent | None = getattr(record, "dagster_event", None)
        # Dagster logs its own events at DEBUG; of other records only those meant for a person are shown.
        text = describe(event) if event is not None else message(record) if record.levelno >= logging.INFO else ""
        if text:
            print(f"· {time.monotonic() - STARTED:6.1f} s  {text}", file=sys.stderr, flush=True)  # noqa: T201


def message(record: logging.LogRecord) -> str:
    """A line that a step reported, with the asset it belongs to; framework chatter is dropped."""
    meta: dict[str, Any] = getattr(record, "dagster_meta", {})
    step, text = meta.get("step_key"), str(meta.get("orig_message", record.getMessage()))
    return f"{step}: {text}" if step and not text.startswith("Dependencies for step") else ""


def describe(event: DagsterEvent) -> str:
    """One line for an event worth showing, empty for the others."""
    from dagster import DagsterEventType

    match event.event_type:
        case DagsterEventType.STEP_SUCCESS:
            step, seconds = event.step_key or "", event.step_success_data.duration_ms / 1000
            # Checks are many and quick: they are only worth a line when they fail or take long.
            return f"{step} done in {seconds:.1f} s" if seconds >= 0.5 or "_" not in step else ""
        case DagsterEventType.STEP_FAILURE:
            return f"{event.step_key} FAILED"
        case DagsterEventType.STEP_UP_FOR_RETRY:
            return f"{event.step_key} will be tried again"
        case DagsterEventType.ASSET_CHECK_EVALUATION:
            result = event.asset_check_evaluation_data
            if result.passed:
                return ""
            return (
                f"{result.asset_key.to_user_string()}:{result.check_name} {result.severity.value} {result.description}"
            )
    return ""


@dg.logger(None, "One line for each asset and message, on stderr")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("xtitan.progress", logging.DEBUG)
    logger.addHandler(ProgressHandler())
    return logger
