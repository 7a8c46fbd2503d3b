"""Worlds: which symbols, where time starts and stops, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from paper_exchange.errors import SetupError
from paper_exchange.recording import Ticks
from paper_exchange.world import DEFAULT_START, build_world
from xtitan_core.symbols import PLANTED_SYMBOL, SYMBOLS

DAY = 86_400
TODAY = DEFAULT_START + 200.5 * DAY


def test_default_start_is_fixed_and_history_lies_before_it() -> None:
    world = build_world(seed=1, today=TODAY, history_days=3)
    assert world.start == 1_772_409_600
    assert {s.first_epoch for s in world.sources.values()} == {world.start - 3 * DAY}
    assert PLANTED_SYMBOL not in world.sources


def test_history_is_whole_days_before_the_day_of_the_start() -> None:
    world = build_world(seed=1, today=TODAY, history_days=2, start=DEFAULT_START + 5_000)
    assert world.sources["R_10"].first_epoch == DEFAULT_START - 2 * DAY


def test_planting_leaves_every_other_symbol_as_it_was() -> None:
    fair, planted = (build_world(seed=1, today=TODAY, planted=p, history_days=1) for p in (False, True))
    assert set(planted.sources) - set(fair.sources) == {PLANTED_SYMBOL}
    for name in fair.sources:
        assert fair.sources[name].quote_at(DEFAULT_START) == planted.sources[name].quote_at(DEFAULT_START)


def test_time_stops_before_yesterday() -> None:
    assert build_world(seed=1, today=TODAY).end == TODAY // DAY * DAY - DAY - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"today": DEFAULT_START + 89 * DAY}, "less than 90 days ago"),
        ({"start": int(TODAY)}, "less than 90 days ago"),
        ({"history_days": 0}, "--history-days"),
        ({"history_days": 401}, "--history-days"),
        ({"planted": True, "phi": 1.0}, "--planted-phi"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        build_world(**{"seed": 1, "today": TODAY, **change})


def recording(begin: int) -> Ticks:
    epochs = np.arange(begin, begin + 20, 2, dtype=np.int64)
    return Ticks(epochs, np.linspace(640.0, 641.0, 10), None)


def test_a_replay_takes_time_from_its_recording() -> None:
    world = build_world(seed=1, today=TODAY, history_days=1, recording=recording(DEFAULT_START + 3_600))
    assert (world.start, world.end, world.recorded_end) == (DEFAULT_START + 3_600, DEFAULT_START + 3_618, True)
    assert set(world.sources) == {n for n in SYMBOLS if n != PLANTED_SYMBOL}
    assert world.sources["R_100"].first_epoch == DEFAULT_START - DAY


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": DEFAULT_START}, "leave out --start"),
        ({"recorded_symbol": "R_101"}, "cannot replay as 'R_101'"),
        ({"recorded_symbol": PLANTED_SYMBOL}, "cannot replay as"),
        ({"recording": recording(int(TODAY) - 80 * DAY)}, "less than 90 days ago"),
    ],
)
def test_replays_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        build_world(**{"seed": 1, "today": TODAY, "recording": recording(DEFAULT_START), **change})
