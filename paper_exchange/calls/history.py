"""ticks_history: past ticks or candles, and the stream that continues them."""

from __future__ import annotations

from typing import Any

import numpy as np

from paper_exchange.errors import CallError
from paper_exchange.markets.calendar import WEEK
from paper_exchange.markets.series import TickSource
from paper_exchange.money import spot
from paper_exchange.protocol.frames import Frame
from paper_exchange.trading.ticks import candle_stream, tick_stream
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue

DEFAULT_COUNT = 1_000
MAX_COUNT = 5_000
DEFAULT_GRANULARITY = 60


def ticks_history(venue: Venue, connection: Connection, request: Frame) -> None:
    """The latest ``count`` ticks or candles of ``[start, end]``, ``end`` included, never later than now.

    With ``adjust_start_time`` an end at which the market is closed moves back to the close, and the start with it.
    """
    name = request["ticks_history"]
    if name not in venue.symbols:
        raise CallError("InvalidSymbol", f"Symbol {name} is invalid.", {"field": "ticks_history"})
    count = request.get("count", DEFAULT_COUNT)
    if count < 1:
        raise CallError("InputValidationFailed", "Input validation failed: count", {"count": "Must be positive."})
    count = min(count, MAX_COUNT)
    end = venue.epoch if request["end"] == "latest" else min(int(request["end"]), venue.epoch)
    start = request.get("start", 0)
    if start > end and "start" in request:
        raise CallError("InvalidStartEnd", "Start time must be before the end time.", {"field": "start"})
    calendar = venue.world.calendar(name)
    if "adjust_start_time" in request and not calendar.is_open(end):
        # The latest close at or before the end; both ends move back by the same time.
        close = calendar.next_close(end - WEEK)
        assert close is not None
        start, end = start - (end - close), close
    source = venue.world.sources[name]
    candles = request.get("style") == "candles"
    granularity = request.get("granularity", DEFAULT_GRANULARITY)
    stream = None
    if "subscribe" in request:
        venue.check_streamed(name)
        stream = venue.subscribe(
            connection, request, candle_stream(name, granularity) if candles else tick_stream(name)
        )
    extra = {"pip_size": source.symbol.decimals}
    if not candles:
        times, prices = last_ticks(source, start, end, count)
        body: Any = {"prices": prices, "times": times}
        venue.reply(connection, request, "history", body, subscription=stream, extra=extra)
        return
    rows = candle_rows(source, start, end, count, granularity)
    if stream is not None and rows:
        last = rows[-1]
        stream.candle = [last[key] for key in ("epoch", "open", "high", "low", "close")]
    venue.reply(connection, request, "candles", rows, subscription=stream, extra=extra)


def last_ticks(source: TickSource, start: int, end: int, count: int) -> tuple[list[int], list[int | float]]:
    """Epochs and quotes of the latest ``count`` ticks of ``[start, end]``."""
    step = source.symbol.tick_seconds
    # A window that holds ``count`` ticks where none is missing; widened while ticks are missing and time is left.
    span = count * step
    while True:
        first = max(start, end - span + 1, source.first_epoch)
        epochs, quotes = source.between(first, end)
        if len(epochs) >= count or first <= max(start, source.first_epoch):
            break
        span *= 4
    return epochs[-count:].tolist(), [spot(q) for q in quotes[-count:].tolist()]


def candle_rows(source: TickSource, start: int, end: int, count: int, granularity: int) -> list[dict[str, Any]]:
    """Candles by open time; the last one may still be unfinished."""
    first = max(start, (end // granularity - count + 1) * granularity, source.first_epoch)
    epochs, quotes = source.between(first // granularity * granularity, end)
    if not len(epochs):
        return []
    opened = epochs // granularity * granularity
    begins = np.flatnonzero(np.diff(opened, prepend=-1))
    ends = np.append(begins[1:], len(epochs)) - 1
    columns = zip(
        opened[begins].tolist(),
        quotes[begins].tolist(),
        np.maximum.reduceat(quotes, begins).tolist(),
        np.minimum.reduceat(quotes, begins).tolist(),
        quotes[ends].tolist(),
        strict=True,
    )
    rows = [
        {"close": spot(c), "epoch": t, "high": spot(h), "low": spot(low), "open": spot(o)}
        for t, o, h, low, c in columns
    ]
    return rows[-count:]
