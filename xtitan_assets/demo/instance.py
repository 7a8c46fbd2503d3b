"""The Dagster instance that both worlds share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from xtitan_assets.paths import Home


def prepare_instance(home: Home) -> None:
    """Create the instance's databases once, before two pipelines use them at the same time.

    SQLite migrations of one fresh database by two processes at once fail.
    """
    from dagster import DagsterInstance

    home.dagster.mkdir(parents=True, exist_ok=True)
    settings = home.dagster / "dagster.yaml"
    if not settings.exists():
        shutil.copy(Path("deploy") / "dagster.yaml", settings)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    with DagsterInstance.get() as instance:
        instance.get_run_records(limit=1)
