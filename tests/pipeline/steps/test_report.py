"""A report is read as it was written, and a file that holds none is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.reports import shadow_report
from xtitan_assets.steps.dataset.snapshot import DatasetReport
from xtitan_assets.steps.model.backtest import BacktestReport, backtest
from xtitan_assets.steps.model.reports import CalibrationReport, ExportReport, TrainReport
from xtitan_assets.steps.report import Report, find_report, read_report
from xtitan_assets.steps.shadow.drift import DriftReport
from xtitan_assets.steps.shadow.evidence import ShadowReport
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, tmp_path / "data")


def kinds(base: type[Report] = Report) -> set[type[Report]]:
    return {found for kind in base.__subclasses__() for found in {kind, *kinds(kind)}}


@pytest.mark.parametrize("kind", [TrainReport, CalibrationReport, ExportReport, BacktestReport])
def test_the_reports_of_a_real_model_are_read_back_to_the_byte(fair_bundle: Any, kind: type[Report]) -> None:
    backtest(fair_bundle.home, fair_bundle.params)
    assert read_report(fair_bundle.home, kind).text() == kind.where(fair_bundle.home).read_text()


def test_the_snapshots_manifest_is_a_report_among_other_fields(fair: Any) -> None:
    report = read_report(fair.home, DatasetReport)
    document = json.loads(DatasetReport.where(fair.home).read_text())
    assert report.as_metadata().items() <= document.items()


@pytest.mark.parametrize("decided", ["promoted", "continue", "futile"])
def test_a_shadow_report_is_read_as_written(home: Home, decided: Any) -> None:
    written = shadow_report(decided)
    written.write(home)
    assert read_report(home, ShadowReport) == written
    assert read_report(home, ShadowReport).text() == ShadowReport.where(home).read_text()


def test_a_drift_report_is_read_as_written(home: Home) -> None:
    written = DriftReport("de_risk", "m", "b" * 64, promoted_edge=0.01, days=[{"day": "2026-01-05", "trades": 3}])
    written.write(home)
    assert read_report(home, DriftReport) == written
    assert read_report(home, DriftReport).text() == DriftReport.where(home).read_text()


def test_an_export_report_of_a_version_without_cpu_time_is_read(fair_bundle: Any, home: Home) -> None:
    document = json.loads(ExportReport.where(fair_bundle.home).read_text())
    del document["cpu_p50_ms"], document["cpu_p99_ms"]
    home.reports.mkdir(parents=True)
    ExportReport.where(home).write_text(json.dumps(document))
    assert read_report(home, ExportReport).cpu_p99_ms == 0.0


def test_no_two_kinds_of_report_share_a_file() -> None:
    # By name: a dataclass with slots leaves a second class of the same name behind.
    named = {(kind.FILE, kind.__qualname__) for kind in kinds() if kind.FILE}
    assert len(named) == len({file for file, _ in named}) >= 7


def test_a_report_that_is_not_there_is_none_or_an_error_that_says_where(home: Home) -> None:
    assert find_report(home, DriftReport) is None
    with pytest.raises(StepError, match=r"drift\.json: not there; run the job"):
        read_report(home, DriftReport)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"advice": "demote"}', '{"advice": 1, "model_name": "", "bundle_id": ""}']
)
@pytest.mark.parametrize("kind", [DriftReport, ShadowReport])
def test_a_file_that_holds_no_report_is_refused_in_one_line(home: Home, kind: type[Report], content: str) -> None:
    home.reports.mkdir(parents=True)
    kind.where(home).write_text(content)
    with pytest.raises(StepError, match=r"broken \(.+\); run the job that writes it again$") as caught:
        find_report(home, kind)
    assert "\n" not in str(caught.value)
