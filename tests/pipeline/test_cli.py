"""`xtitan` as a person uses it: what it prints, what it returns, and that every mistake is one line that helps."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from xtitan_assets.cli import COMMANDS, main
from xtitan_assets.runs.instance import opened
from xtitan_assets.steps.ingest.ticks import days_on_disk

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")

SMALL = (
    "data.days=2",
    "train.epochs=1",
    "train.width=4",
    "train.stride_ticks=9",
    "splits.folds=2",
    "features.anchor_bars=300",
)


def settings(*lines: str) -> list[str]:
    return [part for line in lines for part in ("--set", line)]


@pytest.fixture
def failure(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail, and return the one line it says on stderr."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(arguments) == 1
        said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("·")]
        assert len(said) == 1, said
        assert said[0].startswith("error: ")
        return said[0]

    return run


# -- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "everything"], ["frobnicate"], ["rollback"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize("command", [c.__name__.rpartition(".")[2] for c in COMMANDS if "demo" not in c.__name__])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_an_exchange_that_is_not_running(workspace: Callable, failure: Callable[..., str]) -> None:
    workspace("http://127.0.0.1:9")
    assert "paper_exchange serve" in failure("run", "retrain")


def test_a_symbol_nobody_knows(exchange: str, workspace: Callable, failure: Callable[..., str]) -> None:
    workspace(exchange)
    assert "does not trade R_101" in failure("run", "retrain", *settings("data.symbol=R_101"))


@pytest.mark.parametrize(
    ("override", "words"),
    [("data.days=none", "data.days"), ("data.dayz=4", "data.dayz"), ("days=4", "section.key=value")],
)
def test_parameters_that_are_wrong(workspace: Callable, failure: Callable[..., str], override: str, words: str) -> None:
    workspace("http://127.0.0.1:9")
    assert words in failure("run", "dataset", "--set", override)


def test_no_parameters_at_all(workspace: Callable, failure: Callable[..., str]) -> None:
    space = workspace("http://127.0.0.1:9")
    space.home.params.unlink()
    assert "no such file" in failure("run", "dataset")


def test_nothing_downloaded_yet(workspace: Callable, failure: Callable[..., str]) -> None:
    workspace("http://127.0.0.1:9")
    assert "xtitan run ingest" in failure("run", "dataset")


@pytest.mark.parametrize(
    ("job", "words"), [("train", "dataset"), ("package", "xtitan run ingest"), ("shadow", "never been registered")]
)
def test_a_job_whose_input_is_missing(workspace: Callable, failure: Callable[..., str], job: str, words: str) -> None:
    workspace("http://127.0.0.1:9")
    assert words in failure("run", job)


def test_two_runs_in_one_workspace(workspace: Callable, failure: Callable[..., str]) -> None:
    space = workspace("http://127.0.0.1:9")
    space.home.data.mkdir()
    with open(space.home.data / ".xtitan-run.lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write("xtitan run (process 4711)")
        other.flush()
        assert "process 4711" in failure("run", "train")


def test_a_broken_promotion_ledger(workspace: Callable, failure: Callable[..., str]) -> None:
    space = workspace("http://127.0.0.1:9")
    space.home.ledger.parent.mkdir(parents=True)
    space.home.ledger.write_text('{"sequence": 1}\n')
    assert "line 1" in failure("ledger")


# -- results --------------------------------------------------------------------------------------------------------


def test_ingest_fills_the_disk_and_shows_up_in_dagster(
    exchange: str, workspace: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    space = workspace(exchange)
    assert main(["run", "ingest", "--json", *settings("data.days=2")]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["success"] is True
    assert [str(day) for day in days_on_disk(space.home, "R_100")] == ["2026-02-28", "2026-03-01"]
    runs = result["runs"]
    assert [run["job"] for run in runs] == ["ingest", "ingest"]
    assert {check["name"] for check in runs[0]["checks"]} == {
        "duplicates",
        "fresh_per_symbol",
        "gaps",
        "monotonic",
        "spikes",
    }
    assert all(check["passed"] for run in runs for check in run["checks"])
    assert any("ticks_raw: R_100 2026-03-01" in line for line in captured.err.splitlines())
    with opened(space.home) as instance:
        seen = instance.get_run_by_id(runs[1]["run_id"])
        assert seen is not None
        assert seen.status is dg.DagsterRunStatus.SUCCESS
        partitions = instance.get_materialized_partitions(dg.AssetKey("ticks_raw"))
        assert partitions == {"2026-02-28|R_100", "2026-03-01|R_100"}


def test_a_failed_blocking_check_is_named_and_stops_the_rest(
    exchange: str, workspace: Callable, failure: Callable[..., str]
) -> None:
    space = workspace(exchange)
    assert main(["sample", *settings("data.days=2")]) == 0
    from xtitan_assets.steps.ingest import ticks

    [_, last] = days_on_disk(space.home, "R_100")
    epochs, quotes = ticks.read_day(space.home, "R_100", last)
    note = ticks.read_note(space.home, "R_100", last)
    quotes = quotes.copy()
    quotes[[5_000, 15_000, 25_000]] *= 1.05
    ticks.tick_path(space.home, "R_100", last).unlink()
    ticks.write_day(space.home, "R_100", last, epochs, quotes, note)
    said = failure("run", "ingest", *settings("data.days=2"))
    assert "check spikes of ticks_raw failed" in said
    assert str(last) in said


def test_sample_needs_no_exchange_and_does_nothing_twice(
    workspace: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    space = workspace("http://127.0.0.1:9")
    assert main(["sample", "--json", *settings("data.days=2")]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first == {"symbol": "R_100", "made": True, "rows": 86_400, "days": ["2026-02-28", "2026-03-01"]}
    before = sorted((p, p.stat().st_mtime_ns) for p in space.home.ticks.rglob("*.parquet"))
    assert main(["sample", "--json", *settings("data.days=2")]) == 0
    assert json.loads(capsys.readouterr().out)["made"] is False
    assert sorted((p, p.stat().st_mtime_ns) for p in space.home.ticks.rglob("*.parquet")) == before


def test_keys_are_made_once_and_private(workspace: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    workspace("http://127.0.0.1:9")
    assert main(["keys", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert os.stat(first["private"]).st_mode & 0o077 == 0
    assert main(["keys", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == first


def test_the_doctor_tells_what_is_missing_and_what_is_only_noted(
    exchange: str, workspace: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace(exchange)
    assert main(["doctor", "--json"]) == 0
    answers = {answer["name"]: answer for answer in json.loads(capsys.readouterr().out)}
    assert all(answers[name]["good"] for name in ("python", "packages", "selection", "folders", "venue"))
    assert not answers["ticks"]["good"]
    assert not answers["ticks"]["required"]
    assert "2026-03-02" in answers["venue"]["text"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default::Warning")  # MLflow, Great Expectations and torch warn about each other
def test_from_nothing_to_a_registered_model(
    exchange: str, workspace: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole of `xtitan run retrain` on the planted market, and everything it leaves behind."""
    space = workspace(exchange)
    overrides = settings("data.symbol=PLANTED_100", *SMALL)
    assert main(["run", "retrain", "--json", *overrides]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [run["job"] for run in result["runs"]] == ["symbols", "ingest", "ingest", "prepare", "retrain"]
    made = {name for run in result["runs"] for name in run["assets"]}
    assert made == {
        "active_symbols",
        "ticks_raw",
        "features",
        "labels",
        "training_dataset",
        "model_checkpoint",
        "calibration",
        "serving_bundle",
        "backtest_report",
        "registered_model",
    }
    registered: dict[str, Any] = result["runs"][-1]["assets"]["registered_model"]
    assert registered["sequence"] == 1
    assert registered["registered_epoch"] >= 1_772_409_600
    assert main(["ledger", "--json"]) == 0
    [entry] = json.loads(capsys.readouterr().out)
    assert entry["kind"] == "registered"
    assert entry["bundle_id"] == registered["bundle_id"]
    alias = Path(space.home.data / "releases" / registered["model_name"] / "shadow.json")
    assert json.loads(alias.read_text())["manifest_sha256"] == registered["bundle_id"]

    assert main(["promote", *overrides]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "not promoted" in said
    assert main(["ledger", "--json"]) == 0
    assert [e["kind"] for e in json.loads(capsys.readouterr().out)] == ["registered", "refused"]
    assert main(["rollback", "--why", "a try", *overrides]) == 1
    assert "champion" in capsys.readouterr().err
