"""The exchange without I/O: requests and time go in, frames come out of ``outbox``.

Nothing here reads a clock or a socket. A shell opens and closes connections, hands over what they received, moves
time, and sends what lies in the outbox, in order. The same requests at the same instants give the same frames, byte
for byte.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from paper_exchange import streams
from paper_exchange.accounts import Account
from paper_exchange.budgets import Budgets
from paper_exchange.calls import HANDLERS, paper
from paper_exchange.connections import Close, Connection, Frame
from paper_exchange.errors import CallError
from paper_exchange.faults import Faults
from paper_exchange.validation import REQUESTS, Request, validate
from paper_exchange.venue import Settings, Venue
from paper_exchange.world import World

_KEY = re.compile(r"^[A-Za-z0-9_-]{1,50}$")


class Exchange(Venue):
    """A venue that is driven: sockets come and go, requests arrive, time passes."""

    def __init__(
        self, world: World, accounts: Iterable[Account], settings: Settings, faults: Faults | None = None
    ) -> None:
        super().__init__(world, accounts, settings, faults)
        self._budgets: dict[str, Budgets] = {}

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
                self.advance_when_ready()
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


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value
