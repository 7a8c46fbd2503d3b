"""Brings ticks, live ones and those of the venue's history, to the market's features and to the shadow trades."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from live_runner.journal.writer import Journal
from live_runner.trading.engine import Engine
from live_runner.trading.market import Market, Spot
from xtitan_core.clock import midnight
from xtitan_core.deriv.history import Epochs, Quotes
from xtitan_core.features.batch import earliest_tick
from xtitan_core.features.spec import FeatureSpec
from xtitan_core.features.stream import FeatureStream
from xtitan_core.journal import ShadowSettlementRecord

_log = logging.getLogger("live_runner")

History = Callable[[int, int], Awaitable[tuple[Epochs, Quotes]]]
"""Ticks of the symbol with start <= epoch <= end; raises ``DerivClientError`` when they cannot be had."""


class TickFeed:
    """Every tick of the runner enters here.

    Attributes:
        market: what the ticks lead to; only this class pushes into it.
    """

    def __init__(self, market: Market, engine: Engine, journal: Journal, history: History) -> None:
        """Args:
        market: has no tick yet in a new process.
        engine: may hold shadow trades of an earlier process.
        journal: gets the settlements.
        history: where missing ticks are read.
        """
        self.market = market
        self._engine, self._journal, self._history = engine, journal, history

    def push(self, epoch: int, quote: float) -> None:
        """Take the next live tick: features first, then the shadow trades it ends.

        Raises:
            FeatureError: for a quote that is no price; nothing was settled.
        """
        self.market.push(epoch, quote)
        for settled in self._engine.tick(epoch, quote):
            self._journal.add(settled)

    async def start_at(self, tick: Spot) -> None:
        """Take a connection's first tick: settle restored shadow trades, or fill the hole since the last tick.

        Raises:
            DerivClientError: when history cannot be read.
        """
        spot = self.market.spot
        start = self._engine.shadow_trades.earliest_start if spot is None else spot.epoch
        if start is not None and start < tick.epoch:
            await self.replay(start + 1, tick.epoch)
        self.market.start_at(tick)

    async def replay(self, start: int, end: int) -> None:
        """Take the ticks of history with start <= epoch <= end: shadow trades see all, the market only newer ones.

        Raises:
            DerivClientError: when history cannot be read; nothing has changed.
        """
        epochs, quotes = await self._history(start, end)
        settled: list[ShadowSettlementRecord] = []
        for epoch, quote in zip(epochs.tolist(), quotes.tolist(), strict=True):
            if self.market.spot is None or epoch > self.market.spot.epoch:
                self.market.push(epoch, quote)
            settled += self._engine.tick(epoch, quote)
        self._journal.add(*settled)

    async def warm(self, spec: FeatureSpec) -> None:
        """Follow features of ``spec``, warmed from the day's anchor to the newest tick.

        Where the venue's history does not reach the newest tick yet, or there is no tick, nothing happens; call again.

        Raises:
            DerivClientError: when history cannot be read.
            FeatureError: when history holds a quote that is no price.
        """
        spot = self.market.spot
        if spot is None or self.market.has(spec):
            return
        epochs, quotes = await self._history(earliest_tick(midnight(spot.epoch), spec), spot.epoch)
        stream = FeatureStream(spec)
        stream.extend(zip(epochs.tolist(), quotes.tolist(), strict=True))
        if 0 < spot.epoch - stream.last_epoch <= self.market.tick_seconds:
            stream.push(spot.epoch, spot.quote)
        if stream.last_epoch != spot.epoch:
            _log.warning(
                "history ends at %d, the market is at %d; warm-up is tried again", stream.last_epoch, spot.epoch
            )
            return
        self.market.adopt(stream)
        ready = "ready" if stream.ready else "not ready, short history"
        _log.info("features warmed on %d ticks: %s", len(epochs), ready)
