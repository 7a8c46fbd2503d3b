"""Bringing features and shadow book to the present from the venue's history."""

from __future__ import annotations

import logging

from live_runner.config import Settings
from live_runner.trading.engine import Engine
from live_runner.trading.market import Market, Spot
from live_runner.venue.history import read_history
from xtitan_core.clock import midnight
from xtitan_core.features.batch import earliest_tick
from xtitan_core.features.spec import FeatureSpec
from xtitan_core.features.stream import FeatureStream
from xtitan_core.journal import ShadowSettlementRecord

_log = logging.getLogger("live_runner")


async def bring_up(settings: Settings, market: Market, engine: Engine, tick: Spot) -> list[ShadowSettlementRecord]:
    """Bring a market to a session's first tick: settle restored shadow trades, or fill the hole since the last tick.

    Args:
        settings: where to read from.
        market: has no tick yet in a new process.
        engine: its shadow book may hold trades of an earlier process.
        tick: the newest tick, as the new subscription gave it.

    Returns:
        Settlements of shadow trades that ended meanwhile.

    Raises:
        DerivClientError: when history cannot be read.
    """
    start = engine.book.earliest_start if market.spot is None else market.spot.epoch
    settled: list[ShadowSettlementRecord] = []
    if start is not None and start < tick.epoch:
        settled = await replay(settings, market, engine, start + 1, tick.epoch)
    if market.spot is None:
        market.spot = tick
    return settled


async def replay(
    settings: Settings, market: Market, engine: Engine, start: int, end: int
) -> list[ShadowSettlementRecord]:
    """Push history with start <= epoch <= end through the shadow book, and through the features if any are followed.

    Raises:
        DerivClientError: when history cannot be read.
    """
    epochs, quotes = await read_history(settings, start, end)
    settled: list[ShadowSettlementRecord] = []
    for epoch, quote in zip(epochs.tolist(), quotes.tolist(), strict=True):
        if market.spot is None or epoch > market.spot.epoch:
            market.push(epoch, quote)
        settled += engine.tick(epoch, quote)
    return settled


async def warm(settings: Settings, market: Market, spec: FeatureSpec) -> bool:
    """Follow features of ``spec``, warmed from the day's anchor to the newest tick.

    Returns:
        False when the venue's history does not reach the newest tick yet; try again later.

    Raises:
        DerivClientError: when history cannot be read.
        FeatureError: when history holds a quote that is no price.
    """
    spot = market.spot
    if spot is None or market.has(spec):
        return spot is not None
    epochs, quotes = await read_history(settings, earliest_tick(midnight(spot.epoch), spec), spot.epoch)
    stream = FeatureStream(spec)
    stream.extend(zip(epochs.tolist(), quotes.tolist(), strict=True))
    if 0 < spot.epoch - stream.last_epoch <= market.tick_seconds:
        stream.push(spot.epoch, spot.quote)
    if stream.last_epoch != spot.epoch:
        _log.warning("history ends at %d, the market is at %d; warm-up is tried again", stream.last_epoch, spot.epoch)
        return False
    market.adopt(stream)
    _log.info("features warmed on %d ticks: %s", len(epochs), "ready" if stream.ready else "not ready, short history")
    return True
