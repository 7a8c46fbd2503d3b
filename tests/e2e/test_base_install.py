"""A trading host has the base dependencies and nothing else, and that is enough."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.environment import base_environment
from xtitan_core.journal import QuoteRecord, read_journal

FORBIDDEN = ["dagster", "torch", "pandas", "mlflow", "great_expectations", "dvc", "sklearn", "yaml"]


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``bin`` of a fresh environment with the base dependencies."""
    return base_environment(tmp_path_factory.mktemp("base") / "venv")


def run(*arguments: str | Path, timeout: float = 120, **kwargs) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(a) for a in arguments], capture_output=True, text=True, timeout=timeout, check=False, **kwargs
    )


def test_no_pipeline_package_is_there(binaries: Path) -> None:
    program = f"import importlib.util as u, json; print(json.dumps([m for m in {FORBIDDEN} if u.find_spec(m)]))"
    assert json.loads(run(binaries / "python", "-c", program).stdout) == []


@pytest.mark.parametrize("program", ["live_runner", "paper_exchange"])
def test_help_works(binaries: Path, program: str) -> None:
    result = run(binaries / program, "--help")
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout


@pytest.mark.slow
def test_a_paper_session_without_any_model_is_shadow_only(
    binaries: Path, exchange: Callable[..., str], tmp_path: Path
) -> None:
    url = exchange(binaries, "--history-days", "2")
    result = run(
        *(binaries / "live_runner", "start", "--venue", url, "--symbol", "R_100"),
        *("--state", tmp_path / "state", "--journal", tmp_path / "journal"),
        *("--stop-after-slots", "20", "--json"),
    )
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["contracts"] == 0
    quotes = [r for s in read_journal(tmp_path / "journal") for r in s.records if isinstance(r, QuoteRecord)]
    assert len(quotes) == summary["quotes"] >= 20
    assert {q.contract_type for q in quotes} == {"CALL", "PUT"}
    assert {(q.ask_cents, q.payout_cents) for q in quotes} == {(1000, 1953), (1000, 1954)}


def test_the_pipeline_command_says_what_is_missing(binaries: Path) -> None:
    result = run(binaries / "xtitan", "run", "dataset")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert "pipeline" in result.stderr
