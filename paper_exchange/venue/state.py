"""The state of the exchange at one instant of venue time, and what every call may do with it.

Calls and streams act on a ``Venue``; ``Exchange`` moves its time and opens its connections. Nothing here knows which
calls there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from paper_exchange.contracts.commissions import schedule
from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.terms import Terms
from paper_exchange.errors import CallError
from paper_exchange.fidelity.assumptions import assumed
from paper_exchange.markets.world import World
from paper_exchange.protocol.frames import Frame, Item
from paper_exchange.protocol.schema import integer
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.budgets import Budgets
from paper_exchange.venue.connections import Connection, Stream, Subscription
from paper_exchange.venue.events import Events
from paper_exchange.venue.hooks import Hooks, Undisturbed
from paper_exchange.venue.lockstep import Lockstep
from paper_exchange.venue.maintenance import Maintenance
from xtitan_core.contracts import DurationUnit
from xtitan_core.randomness import seeded_uuid
from xtitan_core.symbols import Symbol, SymbolKind

FIRST_CONTRACT_ID = 12_000_000_001
FIRST_TRANSACTION_ID = 24_000_000_001
PUBLIC_SCHEDULE = "recorded"
"""Commissions quoted on the public socket, where no account sets them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an exchange behaves.

    Attributes:
        seed: decides the ids; the market has a seed of its own.
        lockstep: time waits for acknowledgements and the paper-only messages are understood.
        budget_factor: multiplies every request budget.
        assume: answers to open questions about Deriv by key, see ``fidelity.rules``; else the first choice.
        maintenance: windows without logins and purchases: first epoch, and first epoch after it.
    """

    seed: int = 1
    lockstep: bool = True
    budget_factor: int = 1
    assume: Mapping[str, str] = field(default_factory=dict)
    maintenance: tuple[tuple[int, int], ...] = ()


class Venue:
    """Accounts, markets and connections at one instant of venue time.

    Attributes:
        epoch: the current instant.
        outbox: ``(connection number, item)`` in the order to be sent.
        events: the log of what really happened.
        hooks: what may interfere; ``bind`` sets them.
        send: queues a frame; False when a fault keeps it from arriving now and in full.
        send_text: the same for a frame that is encoded already.
        finished: True once time has reached the end of the market data.
    """

    hooks: Hooks
    send: Callable[[Connection, Frame], bool]
    send_text: Callable[[Connection, str], bool]

    def __init__(self, world: World, accounts: Iterable[Account], settings: Settings) -> None:
        self.world, self.settings = world, settings
        self._assumed = assumed(settings.assume)
        self.accounts = {account.account_id: account for account in accounts}
        self.budgets = Budgets(settings.budget_factor)
        self.maintenance = Maintenance(settings.maintenance)
        self.events = Events(lambda: self.epoch)
        for account in self.accounts.values():
            account.moved = self.events.moved
        self.symbols: dict[str, Symbol] = {name: source.symbol for name, source in world.sources.items()}
        self.epoch = world.start
        self.finished = False
        self.outbox: deque[tuple[int, Item]] = deque()
        self.connections: dict[int, Connection] = {}
        self.open_by_symbol: dict[str, dict[int, OpenContract]] = {}
        self.watchers: dict[str, list[tuple[Connection, Subscription]]] = {}
        self.lockstep = Lockstep()
        self.bind(Undisturbed(self.put))
        self._next_contract, self._next_transaction, self._ids = FIRST_CONTRACT_ID, FIRST_TRANSACTION_ID, 0

    def bind(self, hooks: Hooks) -> None:
        """Let hooks interfere from now on, in place of those before."""
        self.hooks, self.send, self.send_text = hooks, hooks.outgoing, hooks.encoded

    def refuse(self, connection: Connection, request: Frame, msg_type: str, error: CallError) -> None:
        """Queue an error answer."""
        frame: Frame = {"echo_req": request, "error": error.body(), "msg_type": msg_type}
        if integer(request.get("req_id")):
            frame["req_id"] = request["req_id"]
        self.events.refused(connection.number, msg_type, request, error)
        self.send(connection, frame)

    def put(self, connection: Connection, item: Item) -> bool:
        """Queue an item past the hooks; always True."""
        self.outbox.append((connection.number, item))
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

    def subscribe(self, connection: Connection, request: Frame, stream: Stream) -> Subscription:
        """Open a stream.

        Raises:
            CallError: AlreadySubscribed or RateLimit.
        """
        connection.check_new(stream)
        subscription_id = self.new_id("subscription")
        head: Frame = {"echo_req": request, "msg_type": stream.msg_type or stream.kind}
        if "req_id" in request:
            head["req_id"] = request["req_id"]
        head["subscription"] = {"id": subscription_id}
        subscription = Subscription(subscription_id, stream, head)
        connection.subscriptions[subscription_id] = subscription
        if stream.symbol is not None:
            self.watchers.setdefault(stream.symbol, []).append((connection, subscription))
        return subscription

    def forget(self, connection: Connection, subscription_id: str) -> bool:
        """Close a stream; False when the connection has no such stream."""
        subscription = connection.subscriptions.pop(subscription_id, None)
        if subscription is None:
            return False
        # A streamed price can be bought while its stream lives, no longer; its id is the stream's.
        connection.proposals.pop(subscription_id, None)
        symbol = subscription.stream.symbol
        if symbol is not None:
            left = [pair for pair in self.watchers[symbol] if pair[1] is not subscription]
            if left:
                self.watchers[symbol] = left
            else:
                del self.watchers[symbol]
        return True

    def new_id(self, purpose: str) -> str:
        """A new UUID; the same requests get the same ones again."""
        self._ids += 1
        return seeded_uuid(self.settings.seed, purpose, self._ids)

    def new_contract_id(self) -> int:
        """The next contract number. It skips some, as where others trade in between."""
        self._next_contract += 20
        return self._next_contract

    def new_transaction_id(self) -> int:
        """The next transaction number."""
        self._next_transaction += 20
        return self._next_transaction

    def check_streamed(self, name: str) -> None:
        """Refuse to stream a symbol whose market is closed.

        Raises:
            CallError: MarketIsClosed.
        """
        if self.assumes("closed_stream") == "refused" and not self.world.calendar(name).is_open(self.epoch):
            raise CallError("MarketIsClosed", "This market is presently closed.")

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

    def tick_missing(self, name: str) -> bool:
        """Whether a symbol should have ticked since its latest quote; forex has no grid to tell by."""
        symbol = self.symbols[name]
        return symbol.kind is not SymbolKind.FOREX and self.last_tick(name)[0] + symbol.tick_seconds <= self.epoch

    def assumes(self, key: str) -> str:
        """The answer in force to an open question about Deriv; the questions are in ``fidelity.rules``."""
        return self._assumed[key]

    def commission(self, connection: Connection, terms: Terms) -> float:
        """The commission quoted on a connection: its account's, on the public socket the recorded one."""
        paying = connection.account.schedule if connection.account else schedule(PUBLIC_SCHEDULE)
        contract = terms.contract
        duration, unit = contract.duration, contract.unit
        if terms.fixed_end is not None:  # a price held for long pays for what is left, not for what was quoted
            duration, unit = terms.fixed_end - self.epoch, DurationUnit.SECONDS
        return paying.rate(self.epoch, terms.symbol.name, contract.contract_type, duration, unit)
