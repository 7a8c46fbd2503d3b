"""The way back from the runner: segments are copied once and verified, quotes are read from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from support.records import shadow_end, shadow_trade
from xtitan_assets.steps.ingest.quotes import collect_quotes, quotes_path
from xtitan_assets.steps.ingest.ticks import midnight
from xtitan_assets.steps.shadow import checks as shadow_checks
from xtitan_assets.steps.shadow.journal_pull import journal_source, pull
from xtitan_assets.workspace.errors import StepError
from xtitan_core.journal import (
    GENESIS,
    AnyRecord,
    DecisionRecord,
    segment_name,
    write_segment,
)

DAY = date(2026, 3, 2)
START = midnight(DAY)


def decision(number: int, epoch: int, **quote: Any) -> DecisionRecord:
    return DecisionRecord(
        epoch=epoch,
        decision_id=f"d{number}",
        role="shadow",
        bundle_id="b" * 64,
        model_name="m",
        symbol="R_100",
        spot=640.0,
        probability={"CALL": 0.51, "PUT": 0.49},
        preferred="CALL",
        action="abstain",
        reason="no_edge",
        features_sha256="0" * 16,
        **quote,
    )


def trade_and_end(number: int, epoch: int) -> list[AnyRecord]:
    opened = shadow_trade(epoch=epoch, trade_id=f"t{number}", decision_id=f"d{number}", bundle_id="b" * 64)
    return [opened, shadow_end(opened)]


@pytest.fixture
def runner(tmp_path: Path) -> Callable[[list[AnyRecord]], Path]:
    """A runner's journal folder that grows by one segment at each call."""
    state = {"sequence": 0, "previous": GENESIS}
    folder = tmp_path / "runner" / "journal"

    def export(records: list[AnyRecord]) -> Path:
        state["sequence"] += 1
        state["previous"] = write_segment(folder, state["sequence"], state["previous"], records)
        return folder

    return export


def test_new_segments_come_home_once(empty_workspace: Callable, runner: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    source = runner([decision(1, START)])
    assert journal_source(space.home) == source
    assert pull(space.home, source).copied == 1
    runner(trade_and_end(2, START + 14))
    report = pull(space.home, source)
    assert (report.copied, report.segments) == (1, 2)
    assert report.records == {"decision": 1, "shadow_settlement": 1, "shadow_trade": 1}
    assert (report.first_epoch, report.last_epoch) == (START, START + 26)


def test_a_journal_that_the_runner_wrote_in_place_is_only_verified(empty_workspace: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    write_segment(space.home.journal, 1, GENESIS, [decision(1, START)])
    report = pull(space.home, space.home.root / "nowhere")
    assert (report.copied, report.segments) == (0, 1)


def test_no_journal_yet_is_not_an_error(empty_workspace: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    report = pull(space.home, journal_source(space.home))
    assert (report.segments, report.head) == (0, GENESIS)


def test_an_edited_segment_stops_everything(empty_workspace: Callable, runner: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    source = runner([decision(1, START)])
    pull(space.home, source)
    at_home = space.home.journal / segment_name(1)
    write_segment(space.home.journal, 1, GENESIS, [decision(9, START)])
    with pytest.raises(StepError, match="differs from the runner's"):
        pull(space.home, source)
    at_home.write_bytes(at_home.read_bytes()[:-20])
    (source / segment_name(1)).unlink()
    with pytest.raises(StepError, match="fetch the runner's segments again"):
        pull(space.home, source)


def test_a_truncated_segment_at_the_runner_is_not_taken(empty_workspace: Callable, runner: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    source = runner([decision(1, START)])
    path = source / segment_name(1)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StepError, match="export it again"):
        pull(space.home, source)
    assert list(space.home.journal.glob("*.gz")) == []


def test_quotes_of_a_day_come_from_the_journal(empty_workspace: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    records = [
        decision(1, START, ask_cents=1_000, payout_cents=1_953, edge=0.0),
        decision(2, START + 14),
        decision(3, START + 86_400, ask_cents=1_000, payout_cents=1_950, edge=0.0),
    ]
    write_segment(space.home.journal, 1, GENESIS, records)
    [report] = collect_quotes(space.home, space.params(), [DAY])
    assert (report.source, report.rows) == ("journal", 1)
    assert report.break_even == pytest.approx(1_000 / 1_953)
    assert json.loads(quotes_path(space.home, DAY).read_text())["rows"] == [[START, "R_100", "CALL", 1_000, 1_953]]


def test_without_a_journal_the_commission_is_stated(empty_workspace: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    [report] = collect_quotes(space.home, space.params("quotes.commission=0.0311"), [DAY])
    assert (report.source, report.rows, report.break_even, report.commission) == ("paper_commission", 0, None, 0.0311)


def test_completeness_counts_trades_without_settlement_and_the_reverse(empty_workspace: Callable) -> None:
    space = empty_workspace("http://127.0.0.1:9")
    pairs = [trade_and_end(n, START + 14 * n) for n in range(5)]
    write_segment(space.home.journal, 1, GENESIS, [record for pair in pairs for record in pair])
    assert shadow_checks.journal_complete(space.home).passed
    write_segment(space.home.journal, 1, GENESIS, [pair[0] for pair in pairs])
    assert not shadow_checks.journal_complete(space.home).passed
    write_segment(space.home.journal, 1, GENESIS, [pairs[0][1]])
    assert not shadow_checks.journal_complete(space.home).passed
