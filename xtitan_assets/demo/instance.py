"""The Dagster instance that both worlds share."""

from __future__ import annotations

from xtitan_assets.runs.instance import prepare
from xtitan_assets.workspace.paths import Home


def prepare_instance(home: Home) -> None:
    """Create the instance's databases once, before two pipelines use them at the same time.

    SQLite migrations of one fresh database by two processes at once fail.
    """
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(prepare(home))) as instance:
        instance.get_run_records(limit=1)
