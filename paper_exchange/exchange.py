"""The exchange without I/O: requests and time go in, frames come out of ``outbox``.

Nothing here reads a clock or a socket. A shell opens and closes connections, hands over what they received, moves
time, and sends what lies in the outbox, in order. The same requests at the same instants give the same frames, byte
for byte.
"""

from __future__ import annotations

from collections.abc import Iterable

from paper_exchange.calls import lockstep as paper
from paper_exchange.calls.dispatch import act
from paper_exchange.errors import CallError
from paper_exchange.faults.injection import Faults
from paper_exchange.faults.script import Fault, fault
from paper_exchange.markets.world import World
from paper_exchange.protocol.decoding import decode_request, sane
from paper_exchange.protocol.frames import Close, Frame
from paper_exchange.protocol.requests import REQUESTS
from paper_exchange.record import Recorder
from paper_exchange.trading.settlement import on_tick, wind_up
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.maintenance import GOING_AWAY, REASON
from paper_exchange.venue.state import Settings, Venue


class Exchange(Venue):
    """A venue that is driven: sockets come and go, requests arrive, time passes.

    Args:
        world: the market.
        accounts: those that can trade.
        settings: how it behaves.
        faults: what goes wrong; None for nothing until ``script`` asks for a fault.

    Attributes:
        faults: those asked for, and those that fired.
        recorder: writes frames and events to files, when there is one; ``record`` sets it.
    """

    def __init__(
        self, world: World, accounts: Iterable[Account], settings: Settings, faults: Faults | None = None
    ) -> None:
        super().__init__(world, accounts, settings)
        self.recorder: Recorder | None = None
        self.faults = Faults() if faults is None else faults
        self.faults.attach(self)
        delay = int(self.assumes("statement_delay"))
        if delay:
            self.faults.script(fault("statement_lag", times=0, seconds=delay))

    def record(self, recorder: Recorder) -> None:
        """Show every frame and event from now on to a recorder; once, while nothing lies in the outbox."""
        assert not self.outbox, "what lies in the outbox already would be neither recorded nor sent"
        self.recorder, self.outbox, self.events.sink = recorder, recorder.outbox, recorder.event

    # Connections

    def open(
        self, number: int, account_id: str | None = None, app_id: int | None = None, address: str | None = None
    ) -> None:
        """A socket was accepted.

        Args:
            number: of the socket; no two open ones share one.
            account_id: whose account it was opened for, None for a public socket.
            app_id: of the one-time password.
            address: where it comes from; public sockets of one address share their budgets.
        """
        account = None if account_id is None else self.accounts[account_id]
        self.connections[number] = Connection(number, account, app_id, address)
        self.events.record("opened", connection=number, account_id=account_id)

    def close(self, number: int) -> None:
        """A socket was closed: its subscriptions and prices end, and time does not wait for it any more."""
        connection = self.connections.pop(number, None)
        if connection is None:
            return
        # The answer of an order that is still under way is not sent.
        connection.silent = True
        self.events.record("closed", connection=number)
        for subscription_id in list(connection.subscriptions):
            self.forget(connection, subscription_id)
        self.budgets.forget(number)
        self.lockstep.leave(number)
        self.advance_when_ready()
        if self.settings.lockstep and not self.connections and (end := self.maintenance.until(self.epoch)) is not None:
            self.advance_to(end)

    def receive_text(self, number: int, text: str) -> None:
        """One text frame arrived."""
        if self.recorder is not None:
            self.recorder.arrived(number, text)
        self.receive(number, decode_request(text))

    def receive(self, number: int, request: Frame | None) -> None:
        """One request arrived, decoded; None stands for a frame that is no request."""
        connection = self.connections[number]
        if connection.deaf:
            return
        if request is None:
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
        """Where time stops next: at the next event, or without one at the next even second; None at the end."""
        at = self.next_event()
        if not self.watchers and not self.open_by_symbol:
            # No symbol is followed: an event far in the future must not make time jump there.
            second = self.epoch // 2 * 2 + 2
            at = second if at is None else min(at, second)
        if at is None:
            return None
        return at if at <= self.world.end else None

    def next_event(self) -> int | None:
        """The next epoch at which something happens without a request, None when nothing will.

        A symbol ticks that is subscribed to or has an open contract, a fault is due, or maintenance begins.
        """
        sources = self.world.sources
        upcoming = [
            at
            for name in (self.watchers.keys() | self.open_by_symbol.keys())
            if (at := sources[name].next_epoch(self.epoch)) is not None
        ]
        due = self.hooks.next_due()
        if due is not None:
            upcoming.append(max(due, self.epoch + 1))
        shut = self.maintenance.next_begin(self.epoch)
        if shut is not None:
            upcoming.append(shut)
        return min(upcoming, default=None)

    def advance(self) -> int:
        """Move to the next instant and return the epoch; at the end of time, finish instead."""
        at = self.next_instant()
        if at is None:
            self._finish()
        else:
            self._instant(at)
        return self.epoch

    def advance_to(self, epoch: int) -> None:
        """Let time run to ``epoch``, and stop at every instant on the way at which something happens."""
        while not self.finished:
            at = self.next_instant() if self.lockstep.members else self.next_event()
            over = at is None or at > self.world.end
            if over and epoch > self.world.end:
                self._finish()
            if at is None or over or at > epoch:
                break
            self._instant(at)
        self.epoch = max(self.epoch, min(epoch, self.world.end))

    def _instant(self, at: int) -> None:
        self.epoch = at
        for name in sorted(self.watchers.keys() | self.open_by_symbol.keys()):
            quote = self.world.sources[name].quote_at(at)
            if quote is not None:
                on_tick(self, name, at, quote)
        self.hooks.due()
        if self.lockstep.members:
            self.lockstep.begin()
            for number in sorted(self.lockstep.members):
                self.send(self.connections[number], paper.instant(at))
        if self.maintenance.begins(at):
            for number in self.connections:
                self.outbox.append((number, Close(GOING_AWAY, REASON)))
        if self.recorder is not None:
            self.recorder.flush()

    def advance_when_ready(self) -> None:
        """In lockstep, move to the next instant once every member has acknowledged this one."""
        if self.settings.lockstep and self.lockstep.ready():
            self.advance()

    def _finish(self) -> None:
        """The market data end here: close the contracts that are still open, and every socket."""
        if not self.finished:
            self.finished = True
            for contracts in list(self.open_by_symbol.values()):
                for contract in list(contracts.values()):
                    wind_up(self, contract)
        for number in self.connections:
            self.outbox.append((number, Close(1001, "the market data ended")))

    # Calls

    def _call(self, connection: Connection, request: Frame) -> None:
        if not sane(request):
            error = CallError("SanityCheckFailed", "Parameters sanity check failed.")
            self.refuse(connection, request, "error", error)
            return
        name = next((name for name in REQUESTS if name in request), None)
        if name is None:
            self.refuse(connection, request, "error", CallError("UnrecognisedRequest", "Unrecognised request"))
            return
        if self.hooks.incoming(connection, name, request):
            self.advance_when_ready()
            return
        act(self, connection, name, request)

    def script(self, fault: Fault) -> None:
        """Ask for a fault from now on; a fault of this instant happens at once."""
        self.faults.script(fault)
        self.faults.due()
        self.advance_when_ready()
