"""A tick on its way from the frame to the decision."""

from __future__ import annotations

import logging
from typing import Any

from live_runner.buying.decider import Decider
from live_runner.buying.purchase import Outcome
from live_runner.loop.contracts import ContractHandler
from live_runner.loop.feed import TickFeed
from live_runner.loop.upkeep import ModelUpkeep
from live_runner.metrics import Metrics
from live_runner.trading.engine import Missed
from live_runner.trading.market import Spot, TickKind
from live_runner.venue.client import VenueClient
from live_runner.venue.clock import VenueClock
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import DerivClientError
from xtitan_core.deriv.protocol import Tick
from xtitan_core.features.spec import FeatureError

_log = logging.getLogger("live_runner")


class TickHandler:
    """Takes the symbol's ticks: holes are filled, shadow trades settled, and at a slot the decision is made."""

    def __init__(
        self,
        clock: VenueClock,
        feed: TickFeed,
        models: ModelUpkeep,
        decider: Decider,
        contracts: ContractHandler,
        metrics: Metrics,
    ) -> None:
        self._clock, self._feed, self._market = clock, feed, feed.market
        self._models, self._decider, self._contracts, self._metrics = models, decider, contracts, metrics
        self._currency = ""

    @property
    def newest_epoch(self) -> int:
        """Epoch of the newest tick, 0 before the first."""
        return 0 if self._market.spot is None else self._market.spot.epoch

    async def begin(self, client: VenueClient, currency: str) -> None:
        """Subscribe on a new connection and take its first tick; the slots since the last one were missed.

        Args:
            client: the new connection.
            currency: the account's, for quotes and purchases.

        Raises:
            DerivClientError, FrameError: when stream or history cannot be had.
        """
        self._currency = currency
        first = Tick.from_frame(await client.subscribe(requests.ticks(self._market.symbol)))
        self._clock.reach(first.epoch)
        before = self._market.spot
        await self._feed.start_at(Spot(first.epoch, first.quote))
        if before is not None and self._market.spot is not None:
            self._decider.miss_between(before.epoch, self._market.spot.epoch + 1, Missed.RECONNECT)
        await self._models.warm()

    async def handle(self, client: VenueClient, frame: dict[str, Any]) -> None:
        """One ``tick`` frame, from the features to the answer of a purchase.

        Raises:
            FrameError: when the frame cannot be read.
            LedgerFaultError: the ledger failed; the runner must end.
        """
        tick = Tick.from_frame(frame)
        if tick.symbol != self._market.symbol:
            return
        self._clock.reach(tick.epoch)
        kind = self._market.classify(tick.epoch)
        if kind is TickKind.REPEATED:
            return
        if kind is TickKind.AFTER_GAP and not await self._repair(client, tick.epoch):
            return
        try:
            self._feed.push(tick.epoch, tick.quote)
        except FeatureError as error:
            _log.warning("tick refused: %s", error)
            return
        self._metrics.ticks.inc()
        self._models.expire()
        await self._decide(client)

    async def _decide(self, client: VenueClient) -> None:
        purchase = await self._decider.decide(client, self._market, self._currency)
        if purchase is None:
            return
        if purchase.outcome is Outcome.UNKNOWN:
            _log.warning("intent of unknown outcome (%s): reconnecting to ask the venue's records", purchase.reason)
            await client.close()
        elif purchase.receipt is not None and purchase.intent is not None:
            await self._contracts.follow(client, purchase.receipt.contract_id, purchase.intent.intent_id)

    async def _repair(self, client: VenueClient, epoch: int) -> bool:
        """Fill a hole in the live stream from history; False when that failed and the connection was given up.

        With a hole the features would not be the training's, and open shadow trades would end at the wrong tick. The
        market stays where it is, so the next connection reads what is missing.
        """
        if client.closed.is_set():
            return False
        assert self._market.spot is not None
        last = self._market.spot.epoch
        self._market.note_gap()
        try:
            await self._feed.replay(last + 1, epoch - 1)
        except DerivClientError as error:
            _log.warning("the ticks between %d and %d cannot be had (%s); reconnecting", last, epoch, error)
            await client.close()
            return False
        self._decider.miss_between(last, epoch, Missed.GAP)
        return True
