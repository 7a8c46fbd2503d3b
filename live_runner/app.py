"""One run of the program: opens what it needs, serves connections until it is stopped, and closes in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from live_runner.assembly import assemble
from live_runner.config import ConfigError, Settings
from live_runner.guards.latch import KillLatch
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.journal.writer import Journal
from live_runner.ledger import Ledger
from live_runner.loop.trading_loop import TradingLoop
from live_runner.metrics import Metrics
from live_runner.models.keeper import RoleKeeper
from live_runner.models.source import DirectorySource, ModelSource, model_source
from live_runner.models.store import ModelStore
from live_runner.ops.control import ControlServer
from live_runner.ops.metrics_server import MetricsServer
from live_runner.ops.operators import Operators
from live_runner.ops.status import IDENTITY, Identity, write_identity
from live_runner.ops.summary import Gauges, RunSummary, health
from live_runner.venue.checks import StartError, choose_account
from live_runner.venue.clock import VenueClock
from live_runner.venue.history import budgets_of, read_history
from xtitan_core.bundle.keys import KeyFileError, load_public
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.reconnect import DERIV_PACE, PAPER_PACE, connections
from xtitan_core.deriv.rest import Account, RestClient
from xtitan_core.deriv.verbs import TRADING
from xtitan_core.symbols import symbol

_log = logging.getLogger("live_runner")


STOP_GRACE_WALL_SECONDS = 5.0
"""How much longer than ``stop_wait_wall_seconds`` a stop waits for a request that nobody answers."""


class Application:
    """A runner of one account."""

    def __init__(self, settings: Settings, token: SecretStr) -> None:
        """Nothing is opened yet.

        Args:
            settings: checked settings.
            token: the venue's bearer token.
        """
        self._settings, self._token = settings, token
        self._loop: TradingLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self._rescue: asyncio.TimerHandle | None = None

    async def run(self) -> dict[str, Any]:
        """Run until a stop condition, SIGTERM or SIGINT.

        Returns:
            The summary: counts, money in cents, what is loaded.

        Raises:
            ConfigError, StartError, VenueError, ModelError, SourceError, LedgerError, JournalError, RecoveryError,
            UnknownSymbolError: it cannot run like this; one line each.
        """
        settings = self._settings
        symbol(settings.symbol)  # an unknown one is refused before anything is opened
        self._main = asyncio.current_task()
        async with AsyncExitStack() as stack:
            stack.enter_context(self._signals())
            rest = await stack.enter_async_context(
                RestClient(settings.venue_url, self._token.get_secret_value(), settings.app_id)
            )
            keeper = self._keeper()
            stack.push_async_callback(keeper.aclose)
            account = await choose_account(rest, settings)
            clock = VenueClock()
            ledger = self._ledger(account, clock)
            stack.callback(ledger.close)
            journal = Journal(
                settings.journal_folder,
                segment_records=settings.segment_records,
                segment_seconds=settings.segment_seconds,
            )
            stack.callback(journal.close)
            latch = KillLatch.open(settings.state_folder, ledger, clock.now)
            bookkeeping = Bookkeeping(ledger, journal)
            runner = assemble(settings, clock, keeper, bookkeeping, latch, partial(read_history, settings))
            loop = self._loop = runner.loop
            stack.push_async_callback(runner.models.close)
            identity = Identity(account.account_id, settings.environment, settings.symbol, os.getpid())
            write_identity(settings.state_folder / IDENTITY, identity)
            summary = RunSummary(settings, clock, loop, runner.engine, bookkeeping, runner.gate, latch, keeper.roles)
            operators = Operators(clock, latch, keeper, journal, summary)
            control = ControlServer(settings.state_folder, operators.handle)
            await control.start()
            stack.push_async_callback(control.stop)
            if settings.metrics_port is not None:
                gauges = Gauges(runner.metrics, clock, runner.market, runner.engine, ledger, latch, keeper.roles)
                report = partial(health, loop, latch)
                await _serve_metrics(stack, runner.metrics, gauges.refresh, report, settings.metrics_port)
            try:
                await self._serve(rest, account)
            except asyncio.CancelledError:
                if not loop.stop_reason or self._main is None:
                    raise
                self._main.uncancel()  # our own signal
            self._main = None  # what is left to do cannot be interrupted
            journal.seal()
            return summary.figures()

    async def _serve(self, rest: RestClient, account: Account) -> None:
        assert self._loop is not None
        paper = self._settings.environment == "paper"
        stream = connections(
            rest,
            account.account_id,
            TRADING,
            budgets=budgets_of(self._settings),
            pace=PAPER_PACE if paper else DERIV_PACE,
        )
        async with aclosing(cast("AsyncGenerator[DerivClient, None]", stream)) as clients:
            async for client in clients:
                if await self._loop.serve(client):
                    return

    def _keeper(self) -> RoleKeeper:
        settings = self._settings
        if not settings.registry:
            return RoleKeeper(None, None, settings.model, settings.symbol)
        try:
            key = load_public(Path(settings.public_key))
        except KeyFileError as error:
            raise ConfigError(f"public_key: {error}; give the file that `xtitan keys` wrote") from None
        source: ModelSource = model_source(settings.registry, settings.model)
        store = ModelStore(settings.state_folder / "models", [key])
        if isinstance(source, DirectorySource) and not (Path(settings.registry).is_dir() or store.state.sequence):
            raise ConfigError(f"registry {settings.registry}: no such folder; create it, or fix --registry")
        return RoleKeeper(source, store, settings.model, settings.symbol)

    def _ledger(self, account: Account, clock: VenueClock) -> Ledger:
        settings = self._settings
        # The venue's time is not known before the first connection; the ledger only stamps its opening with this.
        return Ledger.open(settings.state_folder, account.account_id, environment=settings.environment, now=clock.now())

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number.name)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            if self._rescue is not None:
                self._rescue.cancel()

    def _on_signal(self, name: str) -> None:
        if self._loop is not None:
            self._loop.stop(name)
            if self._loop.serving:
                if self._rescue is None:
                    patience = self._settings.stop_wait_wall_seconds + STOP_GRACE_WALL_SECONDS
                    self._rescue = asyncio.get_running_loop().call_later(patience, self._cancel)
                return
        self._cancel()  # between connections, and while one is brought up, there is nothing to wait for

    def _cancel(self) -> None:
        """Interrupt what is awaited; a purchase without an answer becomes UNKNOWN, which the next start resolves."""
        if self._main is not None:
            self._main.cancel()


async def _serve_metrics(
    stack: AsyncExitStack,
    metrics: Metrics,
    refresh: Callable[[], None],
    health: Callable[[], dict[str, Any]],
    port: int,
) -> None:
    server = MetricsServer(metrics, refresh, health)
    try:
        bound = await server.start(port)
    except OSError as error:
        raise StartError(f"metrics port {port}: {error.strerror}; choose another --metrics-port") from None
    stack.push_async_callback(server.stop)
    _log.info("metrics on http://127.0.0.1:%d/metrics", bound)
