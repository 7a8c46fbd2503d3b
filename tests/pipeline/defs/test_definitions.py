"""The Dagster graph as a whole: what it is made of, what it must never do, and how cheaply it loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from xtitan_assets.runs.plans import NEEDS
from xtitan_assets.workspace import environment

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")

HEAVY = ("torch", "mlflow", "pandas", "great_expectations", "sklearn", "pyarrow", "onnx", "onnxruntime", "talib")


def graph_summary(definitions: dg.Definitions) -> dict[str, Any]:
    """Everything about the graph that a reader of a change should see."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    assets = {
        key.to_user_string(): {
            "after": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            "group": graph.get(key).group_name,
            "partitions": type(graph.get(key).partitions_def).__name__ if graph.get(key).partitions_def else None,
            "pools": sorted(graph.get(key).pools or []),
            "automatic": graph.get(key).automation_condition is not None,
            "stage": graph.get(key).metadata.get("dvc/stage"),
        }
        for key in sorted(graph.get_all_asset_keys())
    }
    checks = {
        f"{key.asset_key.to_user_string()}:{key.name}": "blocks" if graph.get(key).blocking else "reports"
        for key in sorted(graph.asset_check_keys, key=str)
    }
    jobs = {
        job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
        for job in repository.get_all_jobs()
        if not job.name.startswith("__")
    }
    return {
        "assets": assets,
        "checks": checks,
        "jobs": jobs,
        "schedules": {s.name: [s.cron_schedule, s.job_name] for s in repository.schedule_defs},
        "sensors": sorted(s.name for s in repository.sensor_defs),
    }


def test_the_graph_is_what_the_snapshot_says(definitions: dg.Definitions, snapshot: SnapshotAssertion) -> None:
    assert graph_summary(definitions) == snapshot


def test_loading_the_definitions_imports_nothing_heavy() -> None:
    """In a fresh interpreter: the code server keeps whatever it imports for as long as it lives."""
    script = (
        "import json, sys\n"
        "from xtitan_assets.definitions import defs\n"
        "defs().get_repository_def().get_all_jobs()\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_dagster_parses_selection_strings_beside_dvc(definitions: dg.Definitions) -> None:
    """DVC's dependencies pulled in an ANTLR that broke every string selection, without an error."""
    graph = definitions.get_repository_def().asset_graph
    selected = dg.AssetSelection.from_string("ticks_raw+").resolve(graph)
    assert {key.to_user_string() for key in selected} == {"ticks_raw", "features", "labels"}


def test_every_command_runs_jobs_that_exist(definitions: dg.Definitions) -> None:
    jobs = {job.name for job in definitions.get_repository_def().get_all_jobs()}
    assert {name for needed in NEEDS.values() for name in needed} <= jobs


def test_no_training_starts_by_itself(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    automatic = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).automation_condition}
    assert automatic == {"features", "labels"}


def test_nothing_is_switched_on_by_default(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    for schedule in repository.schedule_defs:
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED, schedule.name
    for sensor in repository.sensor_defs:
        assert sensor.default_status is dg.DefaultSensorStatus.STOPPED, sensor.name


def test_definition_files_import_steps_only_when_they_run(project: Path) -> None:
    for path in (project / "xtitan_assets" / "defs").rglob("*.py"):
        top_level = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in top_level]
        assert not [name for name in names if "xtitan_assets.steps" in name or "modeling" in name], path
        assert len(path.read_text().splitlines()) <= 150, path


def chosen_by_name(source: str) -> list[int]:
    """Lines that look up a function by a string."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [node.lineno for node in nodes if ast.unparse(node.func) in ("getattr", "globals", "import_module")]


def test_definitions_name_what_they_call(project: Path) -> None:
    """A function that is chosen by a string is seen neither by mypy nor by a rename."""
    for path in (project / "xtitan_assets" / "defs").rglob("*.py"):
        if path.name != "progress.py":  # reads what Dagster hangs on a log record
            assert chosen_by_name(path.read_text()) == [], path


def test_a_function_chosen_by_a_string_is_seen() -> None:
    assert chosen_by_name("def run(step):\n    return getattr(checks, step)(1)") == [2]


def test_the_workspace_file_uses_the_projects_location_name(project: Path) -> None:
    """Another name would split the UI's components from the assets."""
    configured = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["dg"]["project"]["code_location_name"]
    for file in ("workspace.yaml", "deploy/workspace.grpc.yaml"):
        [entry] = yaml.safe_load((project / file).read_text())["load_from"]
        assert next(iter(entry.values()))["location_name"] == configured


def test_service_units_load_the_settings_that_the_code_applies(project: Path) -> None:
    lines = (project / "deploy" / "xtitan.env").read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines if not line.startswith("#")) == environment.SETTINGS
    for unit in (project / "deploy" / "systemd").glob("xtitan-*.service"):
        assert "EnvironmentFile=/srv/xtitan/deploy/xtitan.env" in unit.read_text(), unit


@pytest.mark.parametrize("name", ["dagster.yaml", "dagster.postgres.yaml"])
def test_the_instance_sends_nothing_and_gives_pool_slots_back(project: Path, name: str) -> None:
    settings = yaml.safe_load((project / "deploy" / name).read_text())
    assert settings["telemetry"]["enabled"] is False
    # Without it the slot of a killed run blocks its pool for ever.
    assert settings["run_monitoring"]["free_slots_after_run_end_seconds"] == 60
    assert settings["concurrency"]["pools"] == {"default_limit": 1, "granularity": "op"}


def test_dagster_accepts_the_instance_file(project: Path, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text((project / "deploy" / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert instance.run_retries_enabled
