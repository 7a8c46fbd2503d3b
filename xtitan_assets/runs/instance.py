"""The Dagster instance of a workspace, and one writer at a time on it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.lineage import PROJECT
from xtitan_assets.workspace.paths import Home

if TYPE_CHECKING:
    from dagster import DagsterInstance

WORKSPACE_TAG = "xtitan/workspace"
"""Which data folder a run worked on; the UI may hold runs of several."""


def prepare(home: Home) -> Path:
    """Create ``DAGSTER_HOME`` with its ``dagster.yaml`` when it is not there, and export it to child processes.

    Raises:
        StepError: the template is missing, as in an installation without the project's folder.
    """
    folder = home.dagster.resolve()
    target = folder / "dagster.yaml"
    if not target.exists():
        template = next((p / "deploy" / "dagster.yaml" for p in (home.root, PROJECT) if (p / "deploy").is_dir()), None)
        if template is None or not template.is_file():
            raise StepError(f"{target}: missing, and no deploy/dagster.yaml to copy; run from the project's root")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template, target)
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


@contextmanager
def opened(home: Home) -> Iterator[DagsterInstance]:
    """The instance, for one writer of this data folder; runs that a killed `xtitan run` left behind are closed first.

    Raises:
        StepError: another `xtitan run` works on the same data folder, or the instance is damaged.
    """
    import dagster as dg

    folder = prepare(home)
    home.data.mkdir(parents=True, exist_ok=True)
    with open(home.data / ".xtitan-run.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StepError(f"{home.data} is in use by {lock.read().strip()}; wait for it or stop it") from None
        lock.seek(0)
        lock.truncate()
        lock.write(f"xtitan run (process {os.getpid()})")
        lock.flush()
        with ExitStack() as stack:
            try:
                instance = stack.enter_context(dg.DagsterInstance.from_config(str(folder)))
                close_abandoned(instance, home)
            except Exception as error:  # whatever reads dagster.yaml and the databases has its own types
                reason = str(error).strip().partition("\n")[0]
                raise StepError(
                    f"{folder}: Dagster cannot open its instance ({reason}); restore it, or move it away to begin anew"
                ) from error
            yield instance


def close_abandoned(instance: DagsterInstance, home: Home) -> list[str]:
    """Fail runs of this workspace that still look started and give their pool slots back.

    Dagster keeps the pool slot of a process that was killed, and every later run of that pool would wait for it.

    Only the holder of the workspace's lock may call this: nobody else can be running them.

    Returns:
        Their run ids.
    """
    from dagster import DagsterRunStatus, RunsFilter

    started = RunsFilter(
        tags={WORKSPACE_TAG: str(home.data)}, statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING]
    )
    abandoned = list(instance.get_runs(started))
    for run in abandoned:
        instance.report_run_failed(run, message="the xtitan process that ran this was killed")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in abandoned]
