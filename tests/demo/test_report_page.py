"""The report in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from xtitan_assets.demo.report import write_report
from xtitan_assets.demo.results import DemoResult, MarketResult, NaiveRetrain, RunnerResult

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
OFFLINE = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


@pytest.mark.timeout(120)
def test_a_browser_draws_all_five_pictures(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    market = MarketResult("fair", "R_100", "fair", False, False, "logistic", 10, 0, 0, 1.0, 40.0, 0.512, 0.01, None)
    found = MarketResult(
        "planted", "PLANTED_100", "planted", True, True, "network", 9, 9, 7, 80.0, 40.0, 0.512, 0.3, 0.638
    )
    result = DemoResult(1, [market, found], RunnerResult.nothing("planted"), [NaiveRetrain(1, 0.5, False)], 100)
    page = write_report(result, tmp_path / "report.html")
    dom = subprocess.run(
        [CHROMIUM, *QUIET, *OFFLINE, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    ).stdout
    assert len(re.findall(r"<svg\b", dom)) == 5
    assert "R_100 (fair): NOT PROMOTED" in dom
    assert "at least 100 contracts bought and settled" in dom
