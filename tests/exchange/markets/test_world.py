"""Worlds: which symbols, where time starts and stops, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from paper_exchange.errors import SetupError
from paper_exchange.markets.recording import Ticks
from paper_exchange.markets.series import TickSource
from paper_exchange.markets.world import DEFAULT_START, build_world
from support.cost import calls
from xtitan_core.symbols import PLANTED_SYMBOL, SYMBOLS, symbol

DAY = 86_400
TODAY = DEFAULT_START + 200.5 * DAY
FAIR = [name for name, entry in SYMBOLS.items() if not entry.planted]


def test_default_start_is_fixed_and_history_lies_before_it() -> None:
    world = build_world(seed=1, today=TODAY, history_days=3)
    assert world.start == 1_772_409_600
    assert {s.first_epoch for s in world.sources.values()} == {world.start - 3 * DAY}
    assert list(world.sources) == FAIR


def test_history_is_whole_days_before_the_day_of_the_start() -> None:
    world = build_world(seed=1, today=TODAY, history_days=2, start=DEFAULT_START + 5_000)
    assert world.sources["R_10"].first_epoch == DEFAULT_START - 2 * DAY


def test_planting_leaves_every_other_symbol_as_it_was() -> None:
    fair, planted = (build_world(seed=1, today=TODAY, planted=p, history_days=1) for p in (False, True))
    assert list(planted.sources) == list(SYMBOLS)
    for name in fair.sources:
        assert fair.sources[name].quote_at(DEFAULT_START) == planted.sources[name].quote_at(DEFAULT_START)


def test_a_world_of_every_market_is_ready_at_once() -> None:
    worlds = []
    # 400 days of some forty markets: a call for each would be many times that.
    assert calls(lambda: worlds.append(build_world(seed=1, today=TODAY, planted=True, history_days=400))) < 2_000
    (world,) = worlds
    assert len(world.sources) == len(SYMBOLS) > 30


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
        ({"planted": True, "edge_half_life": 0.0}, "half-life of 0.0 days"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        build_world(**{"seed": 1, "today": TODAY, **change})


SECONDS = np.asarray([DEFAULT_START, DEFAULT_START + 1], dtype=np.int64)


def recording(begin: int) -> Ticks:
    epochs = np.arange(begin, begin + 20, 2, dtype=np.int64)
    return Ticks(epochs, np.linspace(640.0, 640.9, 10), None)


def test_a_replay_takes_time_from_its_recording() -> None:
    world = build_world(seed=1, today=TODAY, history_days=1, recording=recording(DEFAULT_START + 3_600))
    assert (world.start, world.end, world.recorded_end) == (DEFAULT_START + 3_600, DEFAULT_START + 3_618, True)
    assert list(world.sources) == FAIR
    assert world.sources["R_100"].first_epoch == DEFAULT_START - DAY


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": DEFAULT_START}, "leave out --start"),
        ({"recorded_symbol": "R_101"}, "cannot replay as 'R_101'"),
        ({"recorded_symbol": PLANTED_SYMBOL}, "cannot replay as"),
        (
            {"recorded_symbol": "stpRNG", "recording": Ticks(SECONDS, np.asarray([640.05, 640.1]), None)},
            "more decimals than stpRNG's 1",
        ),
        ({"recording": recording(int(TODAY) - 80 * DAY)}, "less than 90 days ago"),
    ],
)
def test_replays_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        build_world(**{"seed": 1, "today": TODAY, "recording": recording(DEFAULT_START), **change})


@pytest.mark.parametrize(
    ("name", "step", "gaps"), [("BOOM500", 1, [1, 1, 3]), ("stpRNG", 1, [1] * 3), ("frxEURUSD", 1, [2, 7, 183_900])]
)
def test_any_symbol_replays_with_whatever_gaps_it_has(name: str, step: int, gaps: list[int]) -> None:
    begin = DEFAULT_START + 4 * DAY + 75_000
    epochs = np.cumsum([begin, *gaps])
    pip = float(symbol(name).pip)
    quotes = np.asarray([symbol(name).initial_price + pip * k for k in (0, 1, 0, 2)])
    world = build_world(
        seed=1, today=TODAY, history_days=1, recording=Ticks(epochs, quotes, None), recorded_symbol=name
    )
    source = world.sources[name]
    assert world.start == begin
    assert [source.quote_at(e) for e in epochs.tolist()] == quotes.round(symbol(name).decimals).tolist()
    walked, at = [], source.next_epoch(begin - 1)
    while at is not None:
        walked.append(at)
        at = source.next_epoch(at)
    assert walked == epochs.tolist()
    # Simulated ticks lead up to the recording, as finely as the symbol's own.
    before = source.previous_epoch(begin - 1)
    assert before is not None
    assert begin - before <= 10 * step
    assert source.quote_at(before) == pytest.approx(quotes[0], rel=2e-3)


def test_the_step_before_a_replayed_step_index_is_one_step() -> None:
    ticks = Ticks(np.asarray([DEFAULT_START + 5, DEFAULT_START + 6]), np.asarray([7_900.0, 7_900.1]), None)
    source = build_world(seed=1, today=TODAY, history_days=1, recording=ticks, recorded_symbol="stpRNG").sources[
        "stpRNG"
    ]
    quotes = source.between(0, DEFAULT_START + 6)[1]
    assert set(np.rint(np.diff(quotes) * 10).tolist()) == {-1.0, 1.0}


def test_a_plant_fades_or_dies_at_its_time() -> None:
    until = DEFAULT_START + DAY // 2
    lasting, dying, fading = (
        build_world(seed=1, today=TODAY, planted=True, history_days=1, **edge).sources[PLANTED_SYMBOL]
        for edge in ({}, {"edge_until": until}, {"edge_half_life": 0.5})
    )

    def momentum(source: TickSource, begin: int) -> float:
        returns = np.diff(np.log(source.between(begin, begin + DAY // 2)[1]))
        return float(np.corrcoef(returns[1:], returns[:-1])[0, 1])

    # Before the start, and before the end, nothing has changed.
    for source in (dying, fading):
        assert source.quote_at(DEFAULT_START - 2) == lasting.quote_at(DEFAULT_START - 2)
    assert dying.quote_at(until - 2) == lasting.quote_at(until - 2)
    assert dying.quote_at(until + 2) != lasting.quote_at(until + 2)
    error = 4 / (DAY / 4) ** 0.5
    assert momentum(lasting, until) == pytest.approx(0.75, abs=0.02)
    assert momentum(dying, until) == pytest.approx(0.0, abs=error)
    # From half a half-life day on to a whole one: a strength of 1/2 falling to 1/4, 0.36 on average.
    assert momentum(fading, until) == pytest.approx(0.75 * 0.36, abs=0.02)
