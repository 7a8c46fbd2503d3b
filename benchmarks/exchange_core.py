"""The exchange in process: ticks a second of one core, five symbols subscribed, every frame as its text on the wire.

The peer is the least work a venue has for a tick: encoding one frame of the same size with the standard library.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from paper_exchange.exchange import Exchange
from paper_exchange.markets.world import build_world
from paper_exchange.protocol.frames import Close, encode
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings

SECONDLY = ("1HZ10V", "1HZ25V", "1HZ50V", "1HZ75V", "1HZ100V")
TWO_SECONDLY = ("R_10", "R_25", "R_50", "R_75", "R_100")
TICKS, RUNS = 100_000, 5
TODAY = 1_795_000_000.0


def venue(symbols: tuple[str, ...], connections: int) -> Exchange:
    """A fresh exchange whose connections all watch the symbols, the day's prices made already."""
    world = build_world(seed=1, today=TODAY, history_days=1)
    exchange = Exchange(world, [Account("DOT90000001", 0.012)], Settings(lockstep=False))
    for number in range(1, connections + 1):
        exchange.open(number)
        exchange.receive(number, {"ticks": list(symbols), "subscribe": 1, "req_id": number})
    for name in symbols:
        world.sources[name].quote_at(exchange.epoch + 2)
    exchange.advance()
    exchange.outbox.clear()
    return exchange


def rates(symbols: tuple[str, ...], connections: int) -> tuple[float, float, str]:
    """Ticks and frames a second of processor time, and one of the frames."""
    exchange = venue(symbols, connections)
    step = exchange.symbols[symbols[0]].tick_seconds
    until = exchange.epoch + TICKS // len(symbols) * step // connections
    begun, frames, text = time.process_time(), 0, ""
    ticks = (until - exchange.epoch) // step * len(symbols)
    while exchange.epoch < until:
        exchange.advance()
        for _, item in exchange.outbox:
            assert not isinstance(item, Close)
            text = item if isinstance(item, str) else encode(item)
            frames += 1
        exchange.outbox.clear()
    seconds = time.process_time() - begun
    assert frames == ticks * connections
    return ticks / seconds, frames / seconds, text


def encoding_only(text: str) -> float:
    """Frames a second that ``json`` alone encodes."""
    import json

    frame = json.loads(text)
    begun = time.process_time()
    for _ in range(TICKS):
        encode(frame)
    return TICKS / (time.process_time() - begun)


def measure() -> dict[str, Any]:
    """Medians of five runs."""
    found: dict[str, Any] = {}
    text = ""
    for label, symbols, connections in (
        ("five 1-second symbols, one connection", SECONDLY, 1),
        ("five 2-second symbols, one connection", TWO_SECONDLY, 1),
        ("five 1-second symbols, ten connections", SECONDLY, 10),
    ):
        runs = [rates(symbols, connections) for _ in range(RUNS)]
        found[f"{label}, ticks a second"] = round(statistics.median(r[0] for r in runs))
        found[f"{label}, frames a second"] = round(statistics.median(r[1] for r in runs))
        text = runs[0][2]
    peer = statistics.median(encoding_only(text) for _ in range(RUNS))
    found["json alone, frames of the same text a second"] = round(peer)
    found["ratio one connection / json alone"] = round(
        found["five 1-second symbols, one connection, frames a second"] / peer, 2
    )
    return found
