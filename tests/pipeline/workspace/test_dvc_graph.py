"""DVC and Dagster describe one pipeline: the stages are its jobs, and `dvc repro` runs them from a fresh clone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from xtitan_assets.runs.plans import NEEDS
from xtitan_assets.workspace.params import Params

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")

PARTITIONED_STORAGE = ("data/raw/ticks", "data/raw/quotes", "data/interim")
"""Folders whose files Dagster counts as partitions."""


@pytest.fixture(scope="module")
def stages(project: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((project / "dvc.yaml").read_text())["stages"])


def names(entries: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paths of a stage's list, with their options."""
    for entry in entries:
        yield (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))


def outputs(stage: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {path: options for kind in ("outs", "metrics", "plots") for path, options in names(stage.get(kind, []))}


def assets_of(definitions: dg.Definitions, job: str) -> set[str]:
    layer = definitions.resolve_job_def(job).asset_layer
    return {key.to_user_string() for key in layer.executable_asset_keys}


def stage_assets(definitions: dg.Definitions, stages: dict[str, Any], name: str) -> set[str]:
    """The assets that a stage's command materialises; the sample stage writes what `ticks_raw` stands for."""
    job = stages[name]["cmd"].removeprefix("xtitan run ")
    if job == "xtitan sample":
        return {"ticks_raw"}
    return set().union(*(assets_of(definitions, needed) for needed in NEEDS[job]))


def test_every_stage_runs_a_job_of_ours(stages: dict[str, Any], definitions: dg.Definitions) -> None:
    for name, stage in stages.items():
        assert re.fullmatch(r"xtitan (sample|run \w+)", stage["cmd"])
        assert stage_assets(definitions, stages, name)


def test_stage_edges_are_asset_edges(stages: dict[str, Any], definitions: dg.Definitions) -> None:
    """A stage that reads another's output must run assets that lie behind that stage's assets."""
    graph = definitions.get_repository_def().asset_graph
    made_by = {path: name for name, stage in stages.items() for path in outputs(stage)}
    edges = {(made_by[dep], name) for name, stage in stages.items() for dep in stage.get("deps", []) if dep in made_by}
    assert edges == {
        ("sample", "dataset"),
        ("dataset", "train"),
        ("dataset", "package"),
        ("train", "package"),
        ("dataset", "evaluate"),
        ("package", "evaluate"),
    }
    for before, after in edges:
        earlier = stage_assets(definitions, stages, before)
        ancestors = {
            key.to_user_string()
            for asset in stage_assets(definitions, stages, after)
            for key in graph.get_ancestor_asset_keys(dg.AssetKey(asset))
        }
        assert earlier & ancestors, (before, after)


def test_assets_and_stages_name_each_other(stages: dict[str, Any], definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    for key in graph.get_all_asset_keys():
        stage = graph.get(key).metadata.get("dvc/stage")
        if stage is not None:
            assert key.to_user_string() in stage_assets(definitions, stages, stage), key


def test_stages_watch_exactly_the_parameters_their_assets_declare(
    stages: dict[str, Any], definitions: dg.Definitions
) -> None:
    graph = definitions.get_repository_def().asset_graph
    for name, stage in stages.items():
        declared: set[str] = set()
        for asset in stage_assets(definitions, stages, name):
            declared |= set(graph.get(dg.AssetKey(asset)).metadata["xtitan/params"].split(","))
        assert set(stage["params"]) == declared, name
        assert declared <= set(Params.model_fields), name


def test_the_code_a_stage_depends_on_reads_no_parameter_behind_dvcs_back(stages: dict[str, Any], project: Path) -> None:
    for name, stage in stages.items():
        for dep in stage.get("deps", []):
            if dep.endswith(".py"):
                used = set(re.findall(r"\bparams\.(\w+)", (project / dep).read_text())) & set(Params.model_fields)
                assert used <= set(stage["params"]), (name, dep)


def test_code_that_a_stage_depends_on_exists(stages: dict[str, Any], project: Path) -> None:
    for stage in stages.values():
        for dep in stage.get("deps", []):
            if not dep.startswith("data/"):
                assert (project / dep).exists(), dep


def test_dvc_deletes_nothing_that_dagster_believes_in(stages: dict[str, Any]) -> None:
    """DVC removes a stage's outputs before it runs, unless they persist (trap T7)."""
    for stage in stages.values():
        for path, options in outputs(stage).items():
            inside = any(path == root or path.startswith(root + "/") for root in PARTITIONED_STORAGE)
            assert not inside or options.get("persist") is True, path


def test_no_stage_touches_the_registry(stages: dict[str, Any]) -> None:
    commands = " ".join(stage["cmd"] for stage in stages.values())
    assert not re.search(r"register|promote|retrain|release", commands)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_fresh_clone_reproduces_and_the_second_time_does_nothing(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("dvc.yaml", "params.yaml", ".dvcignore", ".dvc/config", ".dvc/.gitignore", "workspace.yaml"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / name, clone / name)
    for name in ("deploy", "xtitan_core", "xtitan_assets"):
        shutil.copytree(project / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    small = yaml.safe_load((clone / "params.yaml").read_text())
    small["venue"]["url"] = "http://127.0.0.1:9"
    small["data"]["days"] = 2
    small["splits"]["folds"] = 2
    small["features"]["anchor_bars"] = 300
    small["train"] |= {"epochs": 1, "width": 4, "stride_ticks": 9}
    (clone / "params.yaml").write_text(yaml.safe_dump(small))
    (clone / ".gitignore").write_text("data/*\nkeys\n.dagster\n")
    unwanted = ("XTITAN_", "DAGSTER_HOME", "MLFLOW_", "DVC_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["DVC_SITE_CACHE_DIR"] = str(tmp_path / "site")

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=clone, env=environment, capture_output=True, text=True, check=False, timeout=500
        )
        assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
        return done.stdout

    run("git", "init", "--quiet")
    first = run(sys.executable, "-m", "dvc", "repro")
    assert [line for line in first.splitlines() if line.startswith("Running stage")] == [
        f"Running stage '{name}':" for name in ("sample", "dataset", "train", "package", "evaluate")
    ]
    for path in ("dvc.lock", "data/model/bundle/manifest.json", "data/reports/backtest.json"):
        assert (clone / path).is_file(), path
    second = run(sys.executable, "-m", "dvc", "repro")
    assert "Running stage" not in second
    assert "Data and pipelines are up to date." in second


def test_every_source_that_gives_an_asset_its_code_version_exists(project: Path) -> None:
    """A source that is gone would never change the version again."""
    named = {
        source
        for module in (project / "xtitan_assets" / "defs").rglob("*.py")
        for call in re.findall(r"code_version\(([^)]*)\)", module.read_text())
        for source in re.findall(r'"([^"]+)"', call)
    }
    assert named
    assert [source for source in sorted(named) if not (project / source).exists()] == []
