"""Ticks from a running exchange to disk: complete, written once, resumable, and every refusal is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest

from xtitan_assets.steps.ingest import ticks, venue
from xtitan_assets.steps.ingest.download import Gap, collect, find_gaps, prune
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_core.symbols import symbol

YESTERDAY = date(2026, 3, 1)
"""The paper exchange's default start is 2026-03-02."""


def test_a_day_arrives_whole_and_on_the_symbols_grid(exchange: str, workspace: Callable) -> None:
    space = workspace(exchange)
    said: list[str] = []
    [report] = collect(space.home, space.params(), "R_100", [YESTERDAY], said.append)
    epochs, quotes = ticks.read_day(space.home, "R_100", YESTERDAY)
    assert report.rows == report.expected == len(epochs) == 43_200
    assert report.gaps == ()
    assert epochs[0] == ticks.midnight(YESTERDAY)
    assert set(np.diff(epochs)) == {2}
    step = np.diff(np.log(quotes)).std()
    assert step == pytest.approx(symbol("R_100").tick_sigma, rel=0.03)
    assert said == [f"R_100 {YESTERDAY}: 43200 ticks"]


def test_what_is_on_disk_is_never_written_again(exchange: str, workspace: Callable) -> None:
    space = workspace(exchange)
    collect(space.home, space.params(), "R_100", [YESTERDAY])
    path = ticks.tick_path(space.home, "R_100", YESTERDAY)
    before = (path.stat().st_mtime_ns, path.read_bytes())
    wanted = [YESTERDAY - timedelta(days=1), YESTERDAY]
    reports = collect(space.home, space.params(), "R_100", wanted)
    assert [r.kept for r in reports] == [False, True]
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    with pytest.raises(FileExistsError):
        ticks.write_day(space.home, "R_100", YESTERDAY, np.array([0]), np.array([1.0]), {})


def test_days_on_disk_need_no_venue(exchange: str, workspace: Callable) -> None:
    space = workspace(exchange)
    collect(space.home, space.params(), "R_100", [YESTERDAY])
    gone = space.params("venue.url=http://127.0.0.1:9")
    assert collect(space.home, gone, "R_100", [YESTERDAY])[0].kept


def test_an_interrupted_download_keeps_what_it_finished(
    exchange: str, workspace: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = workspace(exchange)
    days = [YESTERDAY - timedelta(days=k) for k in (2, 1, 0)]
    written = 0

    def stop_at_the_second(*arguments: object) -> object:
        nonlocal written
        written += 1
        if written == 2:
            raise OSError("the disk is full")
        return ticks.write_day(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("xtitan_assets.steps.ingest.download.write_day", stop_at_the_second)
    with pytest.raises(OSError, match="disk is full"):
        collect(space.home, space.params(), "R_100", days)
    monkeypatch.undo()
    assert ticks.days_on_disk(space.home, "R_100") == days[:1]
    reports = collect(space.home, space.params(f"venue.url={exchange}"), "R_100", days)
    assert [r.kept for r in reports] == [True, False, False]


def test_holes_are_counted_on_the_grid_including_the_days_edges() -> None:
    epochs = np.array([104, 106, 112, 114], dtype=np.int64)
    assert find_gaps(epochs, 100, 120, 2) == (Gap(98, 104, 2), Gap(106, 112, 2), Gap(114, 120, 2))
    assert find_gaps(np.arange(100, 120, 2, dtype=np.int64), 100, 120, 2) == ()


def test_an_unreachable_venue_is_one_line_with_a_way_out(workspace: Callable) -> None:
    space = workspace("http://127.0.0.1:9")
    with pytest.raises(venue.VenueUnreachable) as caught:
        venue.venue_epoch(space.params())
    assert "\n" not in str(caught.value)
    assert "paper_exchange serve" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "day", "words"),
    [
        ("R_101", YESTERDAY, "unknown symbol"),
        ("R_100", YESTERDAY + timedelta(days=1), "not over"),
        ("R_100", YESTERDAY - timedelta(days=30), "no ticks"),
    ],
)
def test_what_cannot_be_downloaded_says_why(
    exchange: str, workspace: Callable, name: str, day: date, words: str
) -> None:
    space = workspace(exchange)
    with pytest.raises(StepError, match=words):
        collect(space.home, space.params(), name, [day])
    assert ticks.days_on_disk(space.home, name) == []


def test_derivs_feed_is_not_stored_without_the_acknowledgement() -> None:
    real = Params.model_validate({"venue": {"url": "https://api.derivws.com"}})
    with pytest.raises(StepError, match="acknowledge_deriv_terms=true"):
        venue.require_permission(real)
    venue.require_permission(real.model_copy(update={"venue": real.venue.model_copy(update=ACKNOWLEDGED)}))
    venue.require_permission(Params())


ACKNOWLEDGED = {"acknowledge_deriv_terms": True}


@pytest.mark.parametrize(
    ("url", "ours"),
    [("https://api.derivws.com", True), ("https://notderivws.com", False), ("http://localhost:1", False)],
)
def test_deriv_is_recognised_by_its_domain(url: str, ours: bool) -> None:
    assert venue.is_deriv(url) is ours


def test_retention_deletes_derivs_old_days_and_nothing_else(workspace: Callable) -> None:
    space = workspace("http://127.0.0.1:9")
    old, new = YESTERDAY - timedelta(days=5), YESTERDAY
    for day, source in ((old, "https://api.derivws.com"), (new, "https://api.derivws.com")):
        ticks.write_day(space.home, "R_100", day, np.array([1]), np.array([1.0]), {"source": source})
    ticks.write_day(space.home, "PLANTED_100", old, np.array([1]), np.array([1.0]), {"source": "http://127.0.0.1:1"})
    now = ticks.midnight(YESTERDAY) + 86_400
    limited = space.params("venue.retention_days=2")
    assert prune(space.home, space.params(), "R_100", now) == []
    assert prune(space.home, limited, "R_100", now) == [old]
    assert prune(space.home, limited, "PLANTED_100", now) == []
    assert ticks.days_on_disk(space.home, "R_100") == [new]


def test_a_broken_file_is_named_with_the_way_to_repair_it(workspace: Callable) -> None:
    space = workspace("http://127.0.0.1:9")
    path = ticks.tick_path(space.home, "R_100", YESTERDAY)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 this is not a table PAR1")
    with pytest.raises(StepError, match="broken parquet") as caught:
        ticks.read_day(space.home, "R_100", YESTERDAY)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(StepError, match="xtitan run ingest"):
        ticks.read_day(space.home, "R_100", YESTERDAY)


@pytest.mark.parametrize(
    ("epochs", "quotes"),
    [
        ((2, 0), (1.0, 1.0)),
        ((0, 0), (1.0, 1.0)),
        ((0, 86_400), (1.0, 1.0)),
        ((0, 2), (1.0, -1.0)),
        ((0, 2), (1.0, np.nan)),
    ],
)
def test_ticks_that_would_corrupt_what_is_built_on_them_are_refused(
    workspace: Callable, epochs: tuple[int, ...], quotes: tuple[float, ...]
) -> None:
    space = workspace("http://127.0.0.1:9")
    start = ticks.midnight(YESTERDAY)
    ticks.write_day(space.home, "R_100", YESTERDAY, np.array(epochs) + start, np.array(quotes), {})
    with pytest.raises(StepError, match="delete it and run `xtitan run ingest` again"):
        ticks.read_ordered_day(space.home, "R_100", YESTERDAY)


def test_training_takes_the_newest_days_that_have_their_warm_up(workspace: Callable) -> None:
    space = workspace("http://127.0.0.1:9")
    one = (np.array([1]), np.array([1.0]))
    for back in (9, 8, 4, 3, 1):
        ticks.write_day(space.home, "R_100", YESTERDAY - timedelta(days=back), *one, {})
    found = ticks.training_days(space.home, "R_100", 4, 1)
    assert found == [YESTERDAY - timedelta(days=3)]
    with pytest.raises(StepError, match="5 of 6 days"):
        ticks.training_days(space.home, "R_100", 6, 1)
    with pytest.raises(StepError, match="warm-up"):
        ticks.training_days(space.home, "R_100", 2, 1)
