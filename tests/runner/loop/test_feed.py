"""Ticks reach features, shadow trades and journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_runner.journal.writer import Journal
from live_runner.loop.feed import TickFeed
from live_runner.trading.engine import Engine, EngineSettings
from live_runner.trading.market import Market
from support.records import shadow_trade
from xtitan_core.deriv.history import Epochs, Quotes
from xtitan_core.journal import read_journal


async def no_history(start: int, end: int) -> tuple[Epochs, Quotes]:
    raise AssertionError("nothing is missing")


@pytest.mark.parametrize("together", [1, 3])
def test_a_segment_ends_at_its_number_of_records_also_when_trades_end_together(tmp_path: Path, together: int) -> None:
    journal = Journal(tmp_path, segment_records=1, segment_seconds=10_000)
    engine = Engine(
        EngineSettings(symbol="R_100", min_edge=0.0, latency_seconds=0, settle_every_slot=False, max_tick_age_s=5.0)
    )
    engine.restore([shadow_trade(trade_id=f"t{k}", decision_id=f"d{k}") for k in range(together)])
    feed = TickFeed(Market("R_100", 2), engine, journal, no_history)
    for tick in range(1, 8):
        feed.push(100 + 2 * tick, 640.0 + tick)
    journal.close()
    assert [len(segment.records) for segment in read_journal(tmp_path)] == [1] * together
