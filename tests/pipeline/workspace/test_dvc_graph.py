"""DVC and Dagster describe one pipeline: the stages are its jobs, and `dvc repro` runs them from a fresh clone."""

from __future__ import annotations

import ast
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
from xtitan_assets.runs.stages import code_deps, differences, is_code, main, rewritten
from xtitan_assets.workspace.lineage import Sources
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


def test_the_code_a_stage_depends_on_reads_no_parameter_behind_dvcs_back(
    stages: dict[str, Any], definitions: dg.Definitions, project: Path
) -> None:
    """In the folders of the steps that the stage's assets call, but for the files of another stage's steps."""
    sources = Sources(project)
    called: dict[str, set[Path]] = {}
    for name in stages.keys() - {"sample"}:
        bodies = [sources.assets[asset].body for asset in stage_assets(definitions, stages, name)]
        code = "\n".join(ast.unparse(ast.Module([*body], [])) for body in bodies)
        modules = re.findall(r"from (xtitan_assets\.steps\.\w+\.\w+) import", code)
        called[name] = {project / f"{module.replace('.', '/')}.py" for module in modules}
        assert called[name], name
    for name, entries in called.items():
        folders = {path.parent for path in entries}
        others = set().union(*(called[other] for other in called if other != name)) - entries
        for asset in stage_assets(definitions, stages, name):
            for path in set(sources.files(sources.of(sources.assets[asset]))) - others:
                if path.parent in folders:
                    used = set(re.findall(r"\bparams\.(\w+)", path.read_text())) & set(Params.model_fields)
                    # The venue is asked for the time and for ticks, which are inputs of their own.
                    assert used - {"venue"} <= set(stages[name]["params"]), (name, path)


def test_code_that_a_stage_depends_on_exists(stages: dict[str, Any], project: Path) -> None:
    for stage in stages.values():
        for dep in stage.get("deps", []):
            if not dep.startswith("data/"):
                assert (project / dep).exists(), dep


def test_dvc_deletes_nothing_that_dagster_believes_in(stages: dict[str, Any]) -> None:
    """DVC removes a stage's outputs before it runs, unless they persist; Dagster would still count them as made."""
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
    sources = Sources(project)
    for asset, declared in sources.assets.items():
        named = sources.files(sources.of(declared))
        assert named, asset
        assert [path for path in named if not path.is_file()] == []


def test_stages_name_exactly_the_code_that_their_assets_and_checks_reach(project: Path) -> None:
    """Otherwise run `python -m xtitan_assets.runs.stages --write`."""
    assert differences((project / "dvc.yaml").read_text(), Sources(project)) == []


def test_code_of_a_stage_is_what_its_assets_and_stopping_checks_are_computed_by(
    stages: dict[str, Any], definitions: dg.Definitions, project: Path
) -> None:
    sources = Sources(project)
    graph = definitions.get_repository_def().asset_graph
    blocking = {(k.asset_key.to_user_string(), k.name) for k in graph.asset_check_keys if graph.get(k).blocking}
    for name in stages.keys() - {"sample"}:
        assets = stage_assets(definitions, stages, name)
        declared = [sources.assets[asset] for asset in assets]
        declared += [
            check for check in sources.checks if check.asset in assets and (check.asset, check.check) in blocking
        ]
        wanted = {path for one in declared for path in sources.files({one.module, *sources.of(one)})}
        named = {project / dep for dep in stages[name]["deps"] if is_code(dep)}
        assert wanted == {path for path in sources.files(sources.modules) if named & {path, *path.parents}}, name


def test_the_sample_market_depends_on_no_code(stages: dict[str, Any]) -> None:
    """Its days are written once: running it again after a change would do nothing."""
    assert not any(is_code(dep) for dep in stages["sample"].get("deps", []))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("      - xtitan_core/decision.py\n", "", "stage package lacks xtitan_core/decision.py"),
        ("      - xtitan_core/prices\n", "", "stage train lacks xtitan_core/prices"),
        (
            "      - xtitan_core/contracts\n",
            "      - xtitan_core/contracts\n      - xtitan_core/staking.py\n",
            "stage dataset does not depend on xtitan_core/staking.py",
        ),
    ],
    ids=["file", "folder", "superfluous"],
)
def test_code_that_a_stage_lacks_or_names_too_much_is_named_and_mended(
    project: Path, old: str, new: str, said: str
) -> None:
    whole, sources = (project / "dvc.yaml").read_text(), Sources(project)
    damaged = whole.replace(old, new, 1)
    assert differences(damaged, sources) == [said]
    assert rewritten(damaged, sources) == whole


def test_the_command_says_what_is_wrong_and_writes_it(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dvc.yaml"
    whole = (project / "dvc.yaml").read_text()
    file.write_text(whole.replace("      - xtitan_core/decision.py\n", "", 1))
    assert main(["--file", str(file)]) == 1
    assert capsys.readouterr().out == "stage package lacks xtitan_core/decision.py\n"
    assert main(["--file", str(file), "--write"]) == 0
    assert file.read_text() == whole
    assert main(["--file", str(file)]) == 0


@pytest.mark.parametrize("path", ["xtitan_core/prices", "xtitan_assets/modeling"])
def test_a_folder_is_named_whole_only_when_all_of_it_counts(project: Path, tmp_path: Path, path: str) -> None:
    for package in ("xtitan_core", "xtitan_assets"):
        shutil.copytree(project / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert path in code_deps(Sources(tmp_path), "xtitan run package")
    (tmp_path / path / "unused.py").write_text("PLANTED = 1\n")
    named = code_deps(Sources(tmp_path), "xtitan run package")
    assert path not in named
    assert f"{path}/unused.py" not in named
    assert f"{path}/__init__.py" in named
