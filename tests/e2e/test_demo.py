"""The main job, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
XTITAN = Path(sys.executable).parent / "xtitan"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_refuses_the_fair_market_and_trades_the_planted_one(tmp_path: Path) -> None:
    document = tmp_path / "result.json"
    result = subprocess.run(
        [str(XTITAN), "demo", "--seed", "11", "--json", str(document), "--home", str(tmp_path / "home")],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith(("XTITAN_", "DAGSTER_", "MLFLOW_"))},
        capture_output=True,
        text=True,
        timeout=880,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3_000:] + result.stderr[-3_000:]
    found = json.loads(document.read_text())
    assert all(found["conditions"].values())
    assert {m["market"]: m["promoted"] for m in found["markets"]} == {"fair": False, "planted": True}
    runner = found["runner"]
    assert runner["contracts"] >= 100
    assert runner["ledger_total"] == runner["exchange_balance"]
    assert runner["predicted_low"] <= runner["wins"] / runner["contracts"] <= runner["predicted_high"]
    assert (tmp_path / "home" / "report.html").stat().st_size > 50_000
    assert "NOT PROMOTED" in result.stdout


def test_the_demo_never_empties_a_folder_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    result = subprocess.run(
        [str(XTITAN), "demo", "--home", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "was not made by the demo" in result.stderr
    assert (tmp_path / "precious.txt").read_text() == "mine"
