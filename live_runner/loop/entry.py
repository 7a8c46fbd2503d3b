"""Everything that must hold on a connection before its first frame is handled."""

from __future__ import annotations

import logging

import xtitan_core
from live_runner.config import Settings
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.loop.reconciler import Reconciler
from live_runner.loop.ticks import TickHandler
from live_runner.loop.upkeep import ModelUpkeep
from live_runner.metrics import Metrics
from live_runner.venue.checks import check_environment, check_exchange_run, check_symbol
from live_runner.venue.client import VenueClient
from live_runner.venue.clock import VenueClock
from xtitan_core.deriv import requests
from xtitan_core.deriv.protocol import Balance
from xtitan_core.journal import SessionRecord

_log = logging.getLogger("live_runner")


class Entry:
    """Brings connections up: the venue is checked, the money reconciled, the models loaded, the ticks subscribed."""

    def __init__(
        self,
        settings: Settings,
        clock: VenueClock,
        bookkeeping: Bookkeeping,
        reconciler: Reconciler,
        models: ModelUpkeep,
        ticks: TickHandler,
        metrics: Metrics,
    ) -> None:
        self._settings, self._clock, self._bookkeeping = settings, clock, bookkeeping
        self._reconciler, self._models, self._ticks, self._metrics = reconciler, models, ticks, metrics

    async def enter(self, client: VenueClient, *, first: bool) -> None:
        """Bring one connection up; the same steps for a start and for a reconnect.

        Args:
            client: a new connection.
            first: no connection was brought up before.

        Raises:
            ConfigError, StartError, ModelError, RecoveryError: it cannot run like this; one line.
            DerivClientError: the venue does not answer, or refuses.
            LedgerFaultError: the ledger failed; exit non-zero.
        """
        settings, clock = self._settings, self._clock
        check_environment(client, settings)
        await clock.follow(client)
        if first:
            await check_symbol(client, settings.symbol)
        if clock.lockstep:
            await client.enter_lockstep()
        check_exchange_run(client, clock, max(self._ticks.newest_epoch, self._bookkeeping.journal.index.last_epoch))
        currency = Balance.from_frame(await client.request(requests.balance())).currency
        await client.subscribe(requests.transaction())  # before anything is read, so that no cash row falls between
        self._note_connection()
        await self._reconciler.begin(client)
        if not first and client.paper is not None:
            await check_symbol(client, settings.symbol)  # a recording ends for good, so the runner does too
        await self._models.start()
        await self._ticks.begin(client, currency)
        _log.info("connected to %s, epoch %d", settings.venue_url, int(clock.now()))

    def _note_connection(self) -> None:
        settings = self._settings
        self._bookkeeping.journal.add(
            SessionRecord(
                epoch=int(self._clock.now()),
                runner_version=xtitan_core.__version__,
                environment=settings.environment,
                account_id=self._bookkeeping.ledger.account_id,
                venue=settings.venue_url,
                config_sha256=settings.sha256,
            )
        )
        self._metrics.connections.inc()
