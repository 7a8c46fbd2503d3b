"""The exchange without I/O: requests and time go in, frames come out of ``outbox``.

Nothing here reads a clock or a socket. A shell opens and closes connections, hands over what they received, moves
time, and sends what lies in the outbox, in order. The same requests at the same instants give the same frames, byte
for byte.
"""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from paper_exchange import streams
from paper_exchange.accounts import Account
from paper_exchange.budgets import Budgets
from paper_exchange.calls import HANDLERS, paper
from paper_exchange.connections import Close, Connection, Frame, Subscription
from paper_exchange.errors import CallError
from paper_exchange.faults import Faults
from paper_exchange.open_contract import OpenContract
from paper_exchange.pacing import Lockstep
from paper_exchange.validation import REQUESTS, Request, integer, validate
from paper_exchange.world import World
from xtitan_core.randomness import seeded_uuid
from xtitan_core.symbols import Symbol

FIRST_CONTRACT_ID = 12_000_000_001
FIRST_TRANSACTION_ID = 24_000_000_001
DEFAULT_COMMISSION = 0.012
"""On the public socket, where no account sets one."""

_KEY = re.compile(r"^[A-Za-z0-9_-]{1,50}$")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an exchange behaves.

    Attributes:
        seed: names ids; the market's own seed is in its world.
        lockstep: time waits for acknowledgements and the paper-only messages are understood.
        budget_factor: multiplies every request budget.
    """

    seed: int = 1
    lockstep: bool = True
    budget_factor: int = 1


class Exchange:
    """Accounts, markets and connections at one instant of venue time.

    Attributes:
        epoch: the current instant.
        outbox: ``(connection number, frame or Close)`` in the order to be sent.
        finished: True once time has reached the world's end.
    """

    def __init__(
        self, world: World, accounts: Iterable[Account], settings: Settings, faults: Faults | None = None
    ) -> None:
        self.world, self.settings = world, settings
        self.accounts = {account.account_id: account for account in accounts}
        self.faults = faults or Faults()
        self.symbols: dict[str, Symbol] = {name: source.symbol for name, source in world.sources.items()}
        self.epoch = world.start
        self.finished = False
        self.outbox: deque[tuple[int, Frame | Close]] = deque()
        self.connections: dict[int, Connection] = {}
        self.open_by_symbol: dict[str, dict[int, OpenContract]] = {}
        self.watchers: dict[str, list[tuple[Connection, Subscription]]] = {}
        self.lockstep = Lockstep()
        self._budgets: dict[str, Budgets] = {}
        self._next_contract, self._next_transaction, self._ids = FIRST_CONTRACT_ID, FIRST_TRANSACTION_ID, 0

    # Connections

    def open(self, number: int, account_id: str | None = None, app_id: int | None = None) -> None:
        """A socket was accepted; ``account_id`` is None for the public one."""
        account = None if account_id is None else self.accounts[account_id]
        self.connections[number] = Connection(number, account, app_id)

    def close(self, number: int) -> None:
        """A socket is gone: its subscriptions and prices die with it, and nobody waits for it."""
        connection = self.connections.pop(number, None)
        if connection is None:
            return
        for subscription_id in list(connection.subscriptions):
            self.forget(connection, subscription_id)
        self.lockstep.leave(number)
        self.advance_when_ready()

    def receive_text(self, number: int, text: str) -> None:
        """One text frame arrived."""
        try:
            request = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError):
            request = None
        self.receive(number, request)

    def receive(self, number: int, request: Any) -> None:
        """One request arrived, as parsed JSON; anything but an object is refused."""
        connection = self.connections[number]
        if not isinstance(request, dict):
            self.refuse(connection, {}, "error", CallError("BadRequest", "The application sent an invalid request."))
            return
        if self.settings.lockstep and connection.account is not None:
            if "paper_ack" in request:
                paper.acknowledge(self, connection, request)
                return
            if "paper_lockstep" in request:
                paper.join(self, connection, request)
                return
        self._call(connection, request)

    # Time

    def next_instant(self) -> int | None:
        """The next epoch at which something happens, None at the end of time.

        That is the next tick of a symbol somebody subscribed to or holds a contract on; with none, the next even
        second.
        """
        sources = self.world.sources
        upcoming = [
            at
            for name in (self.watchers.keys() | self.open_by_symbol.keys())
            if (at := sources[name].next_epoch(self.epoch)) is not None
        ]
        at = min(upcoming) if upcoming else self.epoch // 2 * 2 + 2
        return at if at <= self.world.end else None

    def advance(self) -> int:
        """Move to the next instant and return the epoch; at the end of time, finish instead."""
        at = self.next_instant()
        if at is None:
            self._finish()
        else:
            self._instant(at)
        return self.epoch

    def advance_to(self, epoch: int) -> None:
        """Let time run to ``epoch`` through every instant on the way."""
        while not self.finished:
            at = self.next_instant()
            if at is None and epoch > self.world.end:
                self._finish()
            if at is None or at > epoch:
                break
            self._instant(at)
        self.epoch = max(self.epoch, min(epoch, self.world.end))

    def _instant(self, at: int) -> None:
        self.epoch = at
        for name in sorted(self.watchers.keys() | self.open_by_symbol.keys()):
            quote = self.world.sources[name].quote_at(at)
            if quote is not None:
                streams.on_tick(self, name, at, quote)
        if self.lockstep.members:
            self.lockstep.begin()
            for number in sorted(self.lockstep.members):
                self.send(self.connections[number], paper.instant(at))

    def advance_when_ready(self) -> None:
        """In lockstep: move on once everybody has acknowledged."""
        if self.settings.lockstep and self.lockstep.ready():
            self.advance()

    def _finish(self) -> None:
        """Time is over: contracts that cannot end any more are refunded and every socket is closed."""
        if not self.finished:
            self.finished = True
            for contracts in list(self.open_by_symbol.values()):
                for contract in list(contracts.values()):
                    streams.settle(self, contract)
        for number in self.connections:
            self.outbox.append((number, Close(1001, "the market data ended")))

    # Calls

    def _call(self, connection: Connection, request: Frame) -> None:
        for key in request:
            if not _KEY.match(key):
                error = CallError("SanityCheckFailed", "Parameters sanity check failed.")
                self.refuse(connection, request, "error", error)
                return
        name = next((name for name in REQUESTS if name in request), None)
        if name is None:
            self.refuse(connection, request, "error", CallError("UnrecognisedRequest", "Unrecognised request"))
            return
        call: Request = REQUESTS[name]
        try:
            validate(call, request)
            self._budget(connection).spend(name, self.epoch)
            if call.account and connection.account is None:
                raise CallError("AuthorizationRequired", "Please log in.")
            HANDLERS[name](self, connection, request)
        except CallError as error:
            self.refuse(connection, request, name, error)

    def _budget(self, connection: Connection) -> Budgets:
        owner = connection.account.account_id if connection.account else f"public {connection.number}"
        return self._budgets.setdefault(owner, Budgets(self.settings.budget_factor))

    def refuse(self, connection: Connection, request: Frame, msg_type: str, error: CallError) -> None:
        """Queue an error answer."""
        frame: Frame = {"echo_req": request, "error": error.body(), "msg_type": msg_type}
        if integer(request.get("req_id")):
            frame["req_id"] = request["req_id"]
        self.send(connection, frame)

    # What handlers use

    def send(self, connection: Connection, frame: Frame) -> bool:
        """Queue a frame; False when a fault keeps the connection silent."""
        if connection.silent:
            return False
        self.outbox.append((connection.number, frame))
        return True

    def reply(
        self,
        connection: Connection,
        request: Frame,
        msg_type: str,
        body: Any,
        *,
        member: str | None = None,
        subscription: Subscription | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> bool:
        """Queue the answer to a request; ``member`` names the body where that differs from ``msg_type``."""
        frame: Frame = {"echo_req": request, "msg_type": msg_type}
        if "req_id" in request:
            frame["req_id"] = request["req_id"]
        if subscription is not None:
            frame["subscription"] = {"id": subscription.subscription_id}
        frame[member or msg_type] = body
        if extra:
            frame |= extra
        return self.send(connection, frame)

    def subscribe(
        self,
        connection: Connection,
        request: Frame,
        kind: str,
        key: tuple[Any, ...],
        what: str,
        msg_type: str,
        *,
        symbol: str | None = None,
        contract_id: int | None = None,
        granularity: int = 0,
    ) -> Subscription:
        """Open a stream.

        Args:
            kind: the word ``forget_all`` uses.
            key: equal keys are the same subscription.
            what: named in the AlreadySubscribed message.
            msg_type: of the stream's frames.

        Raises:
            CallError: AlreadySubscribed or RateLimit.
        """
        connection.check_new(key, what)
        subscription_id = self.new_id("subscription")
        head: Frame = {"echo_req": request, "msg_type": msg_type}
        if "req_id" in request:
            head["req_id"] = request["req_id"]
        head["subscription"] = {"id": subscription_id}
        subscription = Subscription(subscription_id, kind, key, head, symbol, contract_id, granularity)
        connection.subscriptions[subscription_id] = subscription
        if symbol is not None:
            self.watchers.setdefault(symbol, []).append((connection, subscription))
        return subscription

    def forget(self, connection: Connection, subscription_id: str) -> bool:
        """Close a stream; False when the connection has no such stream."""
        subscription = connection.subscriptions.pop(subscription_id, None)
        if subscription is None:
            return False
        if subscription.symbol is not None:
            left = [pair for pair in self.watchers[subscription.symbol] if pair[1] is not subscription]
            if left:
                self.watchers[subscription.symbol] = left
            else:
                del self.watchers[subscription.symbol]
        return True

    def new_id(self, purpose: str) -> str:
        """A UUID that the same script gets again."""
        self._ids += 1
        return seeded_uuid(self.settings.seed, purpose, self._ids)

    def new_contract_id(self) -> int:
        """The next contract number; the steps are uneven, as a busy venue's are."""
        self._next_contract += 20
        return self._next_contract

    def new_transaction_id(self) -> int:
        """The next transaction number."""
        self._next_transaction += 20
        return self._next_transaction

    def last_tick(self, name: str) -> tuple[int, float]:
        """Epoch and quote of a symbol's latest tick.

        Raises:
            CallError: MarketIsClosed when it has none yet.
        """
        source = self.world.sources[name]
        at = source.previous_epoch(self.epoch)
        quote = None if at is None else source.quote_at(at)
        if at is None or quote is None:
            raise CallError("MarketIsClosed", "This market is presently closed.")
        return at, quote

    def commission(self, connection: Connection) -> float:
        """The commission quoted on a connection."""
        return connection.account.commission if connection.account else DEFAULT_COMMISSION

    def reset(self, account: Account, balance: Decimal) -> None:
        """Bring an account's cash back to ``balance`` by a deposit or a withdrawal."""
        change = balance - account.balance
        if change:
            row = account.book(self.new_transaction_id(), "deposit" if change > 0 else "withdrawal", change, self.epoch)
            streams.cash_moved(self, account, row)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value
