"""Resources, executor and loggers of every job; ``XTITAN_EXECUTOR`` chooses the executor."""

from __future__ import annotations

import os

import dagster as dg

from xtitan_assets.defs.progress import progress_logger
from xtitan_assets.resources.dvc import DvcResource
from xtitan_assets.resources.workspace import WorkspaceResource

EXECUTORS = {
    # One process for a whole run imports torch once: 2 s less per step on a small machine.
    "in_process": dg.in_process_executor,
    "multiprocess": dg.multiprocess_executor.configured({"max_concurrent": 2}),
}


@dg.definitions
def resources() -> dg.Definitions:
    return dg.Definitions(
        resources={"workspace": WorkspaceResource(), "dvc": DvcResource()},
        executor=EXECUTORS[os.environ.get("XTITAN_EXECUTOR", "in_process")],
        loggers={"console": dg.colored_console_logger, "progress": progress_logger},
    )
