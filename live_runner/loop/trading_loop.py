"""The trading loop: one venue connection served from its first frame to its last, everything in arrival order.

One coroutine handles one frame completely before the next, so handlers never run at the same time. In lockstep an
instant is acknowledged after everything that belongs to it; elsewhere a heartbeat runs the upkeep while the market
is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from live_runner.buying.decider import Decider
from live_runner.loop.entry import Entry
from live_runner.loop.goals import Goals
from live_runner.loop.upkeep import Upkeep
from live_runner.venue.checks import StartError
from live_runner.venue.client import VenueClient
from live_runner.venue.clock import VenueClock
from xtitan_core.clock import monotonic
from xtitan_core.deriv import fields, requests
from xtitan_core.deriv.errors import DerivClientError, DerivError, FrameError, NotConnected
from xtitan_core.deriv.protocol import Balance, call_of, error_of

_log = logging.getLogger("live_runner")

Handler = Callable[[VenueClient, dict[str, Any]], Awaitable[None] | None]
"""Handles one frame; raises ``FrameError`` when it cannot be read."""

WAKE = "runner_wake"
"""``msg_type`` of a frame that the loop queues itself when nothing came from the venue, so that the upkeep runs."""
INSTANT = "paper_instant"
MARKET_FRAMES = frozenset({"tick", "transaction"})
"""Frames that show that the venue is alive, and after which a goal of the run may be reached."""
HEARTBEAT_WALL_SECONDS = 1.0
SILENCE_WALL_SECONDS = 30.0
"""Without a market frame for this long outside lockstep, the connection counts as dead, even if it answers pings."""


class TradingLoop:
    """Serves one connection after the other.

    Attributes:
        stop_reason: why the loop ends, empty while it does not.
        balance_cents: the account's balance when the loop ended by itself.
    """

    def __init__(
        self,
        clock: VenueClock,
        decider: Decider,
        entry: Entry,
        handlers: Mapping[str, Handler],
        upkeep: Upkeep,
        goals: Goals,
        *,
        stop_wait_s: float,
    ) -> None:
        """Nothing is served yet.

        Args:
            clock: venue time; in lockstep each instant moves it.
            decider: decides nothing any more once the loop is told to stop.
            entry: brings a connection up before its frames are handled.
            handlers: by ``msg_type``; instants of lockstep are the loop's own.
            upkeep: runs between two frames.
            goals: what ends the run.
            stop_wait_s: wall seconds that a stop waits for what is open.
        """
        self._clock, self._decider, self._entry, self._upkeep, self._goals = clock, decider, entry, upkeep, goals
        self._handlers = {**handlers, INSTANT: self._instant, WAKE: self._wake}
        self._stop_wait_s = stop_wait_s
        self.stop_reason = ""
        self.balance_cents: int | None = None
        self._client: VenueClient | None = None
        self._started = self._serving = False
        self._deadline = 0.0
        self._last_market_frame = 0.0

    def stop(self, reason: str) -> None:
        """Buy nothing any more, wait a moment for what is open, then end. Safe to call from a signal handler."""
        if self.stop_reason:
            return
        self.stop_reason = reason
        self._deadline = monotonic() + self._stop_wait_s
        self._decider.stop()
        if self._client is not None:
            self._client.events.put_nowait({"msg_type": WAKE})

    @property
    def serving(self) -> bool:
        """True while frames are handled: a stop then ends the loop by itself."""
        return self._serving

    @property
    def connected(self) -> bool:
        """True while a connection is served."""
        return self._client is not None

    async def serve(self, client: VenueClient) -> bool:
        """Serve one connection until it closes or the loop is done.

        Returns:
            True when the loop is done, False when the connection was lost and the next one should come.

        Raises:
            ConfigError, StartError, ModelError, RecoveryError: it cannot run like this; one line.
            LedgerFaultError: the ledger failed; exit non-zero.
        """
        self._client = client
        heartbeat = asyncio.create_task(self._heartbeat(client), name="heartbeat")
        try:
            try:
                await self._entry.enter(client, first=not self._started)
            except (DerivClientError, FrameError) as error:
                if not self._started and isinstance(error, DerivError | FrameError):
                    raise StartError(f"the venue refuses to be read: {error}") from None
                _log.warning("connection %d could not be brought up: %s", client.generation, error)
                return bool(self.stop_reason)
            self._started = self._serving = True
            self._last_market_frame = monotonic()
            return await self._handle_frames(client)
        finally:
            heartbeat.cancel()
            self._client, self._serving = None, False
            self._upkeep.leave()

    async def _handle_frames(self, client: VenueClient) -> bool:
        """Handle one frame after the other until the connection closes (False) or the loop is done (True)."""
        while (frame := await client.events.get()) is not None:
            kind = call_of(frame)
            handler = self._handlers.get(kind)
            if handler is not None:
                await self._handle(handler, kind, client, frame)
            elif (refused := error_of(frame)) is not None:
                _log.warning("the venue sent an error: %s", refused)
            if self.stop_reason and (monotonic() >= self._deadline or self._goals.nothing_open()):
                await self._read_balance(client)
                return True
        return bool(self.stop_reason)

    async def _handle(self, handler: Handler, kind: str, client: VenueClient, frame: dict[str, Any]) -> None:
        if kind in MARKET_FRAMES:
            self._last_market_frame = monotonic()
        try:
            pending = handler(client, frame)
            if pending is not None:
                await pending
        except FrameError as error:
            _log.warning("a %s frame cannot be read: %s; reading the statement", kind, error)
            self._upkeep.distrust()
            if kind == INSTANT:
                await client.close()  # it can never be acknowledged, so time would stand still
            return
        if kind in MARKET_FRAMES and (reason := self._goals.reached()):
            self.stop(reason)

    async def _instant(self, client: VenueClient, frame: dict[str, Any]) -> None:
        epoch = fields.epoch(fields.inner(frame, INSTANT), "epoch")
        self._clock.reach(epoch)
        await self._upkeep.run(client)
        with contextlib.suppress(NotConnected):
            client.ack_instant(epoch)

    async def _wake(self, client: VenueClient, frame: dict[str, Any]) -> None:
        await self._upkeep.wake(client)
        if not self._clock.lockstep and monotonic() - self._last_market_frame > SILENCE_WALL_SECONDS:
            _log.warning("nothing heard for %.0f s; reconnecting", SILENCE_WALL_SECONDS)
            await client.close()

    async def _heartbeat(self, client: VenueClient) -> None:
        while not client.closed.is_set():
            await asyncio.sleep(HEARTBEAT_WALL_SECONDS)
            client.events.put_nowait({"msg_type": WAKE})

    async def _read_balance(self, client: VenueClient) -> None:
        """The venue's own figure for the summary; a connection that is gone leaves it out."""
        try:
            self.balance_cents = Balance.from_frame(await client.request(requests.balance(), 2.0)).balance_cents
        except DerivClientError as error:
            _log.warning("final balance not read: %s", error)
