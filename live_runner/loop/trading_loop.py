"""The trading loop: one venue connection served from its first frame to its last, everything in arrival order.

One coroutine handles one frame completely before the next, so there is no state between two handlers to get wrong.
In lockstep the instant is acknowledged after everything that belongs to it; elsewhere a heartbeat keeps the
housekeeping going when the market is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import xtitan_core
from live_runner.buying.gate import Outcome
from live_runner.ledger import Booked
from live_runner.loop.parts import Parts
from live_runner.loop.upkeep import Upkeep
from live_runner.loop.warmup import bring_up, replay
from live_runner.reconcile.follow import disagreement
from live_runner.reconcile.recovery import recover
from live_runner.reconcile.statement import cash_row
from live_runner.trading.engine import Missed
from live_runner.trading.market import Spot, TickKind
from live_runner.venue.checks import StartError, check_environment, check_session, check_symbol
from xtitan_core.clock import monotonic
from xtitan_core.deriv import fields, requests
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import DerivClientError, DerivError, FrameError, NotConnected
from xtitan_core.deriv.protocol import Balance, OpenContract, Tick, call_of, error_of
from xtitan_core.deriv.records import Transaction
from xtitan_core.features.spec import FeatureError
from xtitan_core.journal import SessionRecord

_log = logging.getLogger("live_runner")

WAKE = "runner_wake"
"""``msg_type`` of the frame we put into our own queue: look after yourself, nothing came from the venue."""
HEARTBEAT_WALL_SECONDS = 1.0
RECOVER_EVERY_SECONDS = 5.0
SILENCE_WALL_SECONDS = 30.0
"""Without a frame for this long outside lockstep, the connection counts as dead whatever its pongs say."""


class TradingLoop:
    """Serves one connection after the other.

    Attributes:
        stop_reason: why the loop ends, empty while it does not.
        balance_cents: the account's balance when the loop ended by itself.
    """

    def __init__(self, parts: Parts) -> None:
        self.p = parts
        self.upkeep = Upkeep(parts, self.stop)
        self.stop_reason = ""
        self.balance_cents: int | None = None
        self._client: DerivClient | None = None
        self._started = self._serving = False
        self._deadline = 0.0
        self._recovered_at = 0.0
        self._heard = 0.0
        self._handlers: dict[str, Callable[[DerivClient, dict[str, Any]], Any]] = {
            "tick": self._tick,
            "paper_instant": self._instant,
            "transaction": self._transaction,
            "proposal_open_contract": self._contract,
            "buy": self._late_answer,
            WAKE: self._wake,
        }

    def stop(self, reason: str) -> None:
        """Buy nothing any more, wait a moment for what is open, then end. Safe to call from a signal handler."""
        if self.stop_reason:
            return
        self.stop_reason = reason
        self._deadline = monotonic() + self.p.settings.stop_wait_wall_seconds
        self.p.gate.stop()
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

    async def serve(self, client: DerivClient) -> bool:
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
                await self._enter(client)
            except (DerivClientError, FrameError) as error:
                if not self._started and isinstance(error, DerivError | FrameError):
                    raise StartError(f"the venue refuses to be read: {error}") from None
                _log.warning("connection %d could not be brought up: %s", client.generation, error)
                return bool(self.stop_reason)
            self._started = self._serving = True
            return await self._run(client)
        finally:
            heartbeat.cancel()
            self._client, self._serving = None, False
            self.p.gate.disarm()
            self.p.books.journal.flush()

    async def _run(self, client: DerivClient) -> bool:
        events, handlers = client.events, self._handlers
        while True:
            frame = await events.get()
            if frame is None:
                return bool(self.stop_reason)
            kind = call_of(frame)
            handler = handlers.get(kind)
            if handler is not None:
                try:
                    pending = handler(client, frame)
                    if pending is not None:
                        await pending
                except FrameError as error:
                    _log.warning("a %s frame cannot be read: %s; reading the statement", kind, error)
                    self.p.gate.disarm()
                    if kind == "paper_instant":
                        await client.close()  # it can never be acknowledged, so time would stand still
            elif (refused := error_of(frame)) is not None:
                _log.warning("the venue sent an error: %s", refused)
            if self.stop_reason and self._finished():
                await self._read_balance(client)
                return True

    # ---- coming up

    async def _enter(self, client: DerivClient) -> None:
        """Everything that must hold before the first frame is handled; the same for a start and a reconnect."""
        p = self.p
        check_environment(client, p.settings)
        await p.clock.follow(client)
        self._heard = monotonic()
        if not self._started:
            await check_symbol(client, p.settings.symbol)
        if p.clock.lockstep:
            await client.enter_lockstep()
        seen = 0 if p.market.spot is None else p.market.spot.epoch
        check_session(client, p.clock, max(seen, p.books.journal.index.last_epoch))
        p.decider.currency = Balance.from_frame(await client.request(requests.balance())).currency
        await client.subscribe(requests.transaction())
        p.books.journal.add(
            SessionRecord(
                epoch=int(p.clock.now()),
                runner_version=xtitan_core.__version__,
                environment=p.settings.environment,
                account_id=p.books.ledger.account_id,
                venue=p.settings.venue,
                config_sha256=p.settings.sha256,
            )
        )
        p.metrics.sessions.inc()
        p.follower.reset()
        await self._recover(client)
        if self._started and client.paper is not None:
            await check_symbol(client, p.settings.symbol)  # a recording ends for good, so the runner does too
        await self.upkeep.start_models()
        first = Tick.from_frame(await client.subscribe(requests.ticks(p.settings.symbol)))
        p.clock.reach(first.epoch)
        before = p.market.spot
        p.books.journal.add(*await bring_up(p.settings, p.market, p.engine, Spot(first.epoch, first.quote)))
        if before is not None and p.market.spot is not None:
            self._miss_between(before.epoch, p.market.spot.epoch + 1, Missed.RECONNECT)
        await self.upkeep.warm_models()
        _log.info("connected to %s, epoch %d", p.settings.venue, int(p.clock.now()))

    async def _recover(self, client: DerivClient) -> None:
        p = self.p
        report = await recover(client, p.books.ledger, p.latch, p.settings.limits, p.clock.now())
        self._recovered_at = p.clock.now()
        armed = p.gate.arm(report)
        if not armed:
            _log.warning("not trading yet: %s", "; ".join(report.waiting))
        p.books.catch_up()
        await self._follow_open(client)

    async def _follow_open(self, client: DerivClient) -> None:
        for intent in self.p.books.ledger.open_contracts():
            if intent.contract_id is not None and intent.contract_id not in self.p.follower:
                await self._follow(client, intent.contract_id, intent.intent_id)

    async def _follow(self, client: DerivClient, contract_id: int, intent_id: int) -> None:
        self.p.follower.watch(contract_id, intent_id)
        try:
            self._contract(client, await client.subscribe(requests.open_contract(contract_id)))
        except DerivClientError as error:
            # The cash rows settle the contract all the same; only its own story is missing.
            _log.warning("contract %d cannot be followed: %s", contract_id, error)

    # ---- frames

    async def _tick(self, client: DerivClient, frame: dict[str, Any]) -> None:
        p = self.p
        self._heard = monotonic()
        tick = Tick.from_frame(frame)
        if tick.symbol != p.settings.symbol:
            return
        p.clock.reach(tick.epoch)
        kind = p.market.classify(tick.epoch)
        if kind is TickKind.REPEATED:
            return
        if kind is TickKind.AFTER_GAP and not await self._repair(client, tick.epoch):
            return
        try:
            p.market.push(tick.epoch, tick.quote)
        except FeatureError as error:
            _log.warning("tick refused: %s", error)
            return
        p.metrics.ticks.inc()
        for settled in p.engine.tick(tick.epoch, tick.quote):
            p.books.journal.add(settled)
        self.upkeep.expire()
        if not self.stop_reason and p.decider.due(tick.epoch):
            await self._decide(client, tick)
        self.upkeep.check_limits()

    async def _decide(self, client: DerivClient, tick: Tick) -> None:
        purchase = await self.p.decider.decide(client, tick.epoch, tick.quote)
        if purchase is None:
            return
        if purchase.outcome is Outcome.UNKNOWN:
            _log.warning("intent of unknown outcome (%s): reconnecting to ask the venue's records", purchase.reason)
            await client.close()
        elif purchase.receipt is not None and purchase.intent is not None:
            await self._follow(client, purchase.receipt.contract_id, purchase.intent.intent_id)

    async def _repair(self, client: DerivClient, epoch: int) -> bool:
        """Fill a hole in the live stream from history; False when that failed and the connection was given up.

        With a hole the features would not be the training's, and open shadow trades would end at the wrong tick. The
        market stays where it is, so the next connection reads what is missing.
        """
        p = self.p
        if client.closed.is_set():
            return False
        assert p.market.spot is not None
        last, p.market.gaps = p.market.spot.epoch, p.market.gaps + 1
        try:
            p.books.journal.add(*await replay(p.settings, p.market, p.engine, last + 1, epoch - 1))
        except DerivClientError as error:
            _log.warning("the ticks between %d and %d cannot be had (%s); reconnecting", last, epoch, error)
            await client.close()
            return False
        self._miss_between(last, epoch, Missed.GAP)
        return True

    def _miss_between(self, last: int, epoch: int, reason: str) -> None:
        """Journal the decision slots strictly after ``last`` and before ``epoch``; a day's worth at most."""
        for missed in range(max(last + 1, epoch - 86_400), epoch):
            self.p.decider.miss(missed, reason)

    async def _instant(self, client: DerivClient, frame: dict[str, Any]) -> None:
        epoch = fields.epoch(fields.inner(frame, "paper_instant"), "epoch")
        self.p.clock.reach(epoch)
        await self._housekeeping(client)
        with contextlib.suppress(NotConnected):
            client.ack_instant(epoch)

    def _transaction(self, client: DerivClient, frame: dict[str, Any]) -> None:
        self._heard = monotonic()
        row = Transaction.from_frame(frame)
        if row is None:
            return
        booking = self.p.gate.book(cash_row(row))
        if booking.result is Booked.GAP:
            _log.warning("transaction %d does not follow the last one; reading the statement", row.transaction_id)
        if booking.settled is not None:
            self.p.books.note(booking.settled)
            self.upkeep.check_limits()

    def _contract(self, client: DerivClient, frame: dict[str, Any]) -> None:
        state = OpenContract.from_frame(frame)
        ended = None if state is None else self.p.follower.ended(state)
        if state is None or ended is None:
            return
        problem = disagreement(state, self.p.books.ledger.intent(ended))
        if problem is not None:
            self.p.latch.halt(problem, "follower")

    def _late_answer(self, client: DerivClient, frame: dict[str, Any]) -> None:
        _log.warning("the answer to a purchase came after we had stopped waiting; reading the statement")
        self.p.gate.disarm()

    async def _wake(self, client: DerivClient, frame: dict[str, Any]) -> None:
        self.p.latch.poll()  # the gate looks for itself before every purchase; this is for journal and status
        await self._housekeeping(client)
        self.p.books.journal.flush()
        if not self.p.clock.lockstep and monotonic() - self._heard > SILENCE_WALL_SECONDS:
            _log.warning("nothing heard for %.0f s; reconnecting", SILENCE_WALL_SECONDS)
            await client.close()

    # ---- between frames

    async def _housekeeping(self, client: DerivClient) -> None:
        await self.upkeep.run()
        if not self.p.gate.armed and self.p.clock.now() - self._recovered_at >= RECOVER_EVERY_SECONDS:
            await self._recover(client)

    async def _heartbeat(self, client: DerivClient) -> None:
        while not client.closed.is_set():
            await asyncio.sleep(HEARTBEAT_WALL_SECONDS)
            client.events.put_nowait({"msg_type": WAKE})

    def _finished(self) -> bool:
        if monotonic() >= self._deadline:
            return True
        ledger = self.p.books.ledger
        return not (self.p.engine.book or ledger.open_contracts() or ledger.unresolved())

    async def _read_balance(self, client: DerivClient) -> None:
        """The venue's own figure for the summary; a connection that is gone leaves it out."""
        try:
            self.balance_cents = Balance.from_frame(await client.request(requests.balance(), 2.0)).balance_cents
        except DerivClientError as error:
            _log.warning("final balance not read: %s", error)
