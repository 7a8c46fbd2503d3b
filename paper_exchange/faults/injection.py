"""Faults at work: those that were asked for, and the hooks through which they happen to a venue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.faults.account import ACCOUNT_STRIKES
from paper_exchange.faults.catalogue import FaultName, Point
from paper_exchange.faults.feed import Feed
from paper_exchange.faults.incoming import Incoming
from paper_exchange.faults.occasions import Agenda, Occasions, account_id
from paper_exchange.faults.outgoing import Outgoing
from paper_exchange.faults.plan import Plan
from paper_exchange.faults.readings import Readings
from paper_exchange.faults.script import Fault
from paper_exchange.faults.seeded import Mix
from paper_exchange.faults.strikes import strike
from paper_exchange.protocol.frames import Frame
from paper_exchange.venue.accounts import Account, CashRow
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.hooks import ShownTick
from paper_exchange.venue.state import Venue
from xtitan_core.symbols import Symbol


class Injection:
    """The hooks of one venue on which faults were planned.

    Args:
        venue: where they happen.
        plan: decides which fault is due on which occasion.
        agenda: what waits for its time.
    """

    def __init__(self, venue: Venue, plan: Plan, agenda: Agenda) -> None:
        self._venue, self._agenda = venue, agenda
        self._occasions = Occasions(venue, plan)
        self._outgoing = Outgoing(venue, self._occasions, agenda)
        self._incoming = Incoming(venue, self._occasions, agenda, self._outgoing)
        self._readings = Readings(venue, self._occasions)
        self._feed = Feed()

    @property
    def fired(self) -> list[dict[str, Any]]:
        return self._occasions.fired

    def incoming(self, connection: Connection, call: str, request: Frame) -> bool:
        return self._incoming.receive(connection, call, request)

    def outgoing(self, connection: Connection, frame: Frame) -> bool:
        return self._outgoing.send(connection, frame)

    def encoded(self, connection: Connection, text: str) -> bool:
        return self._outgoing.send_text(connection, text)

    def ticks(self, symbol: Symbol, epoch: int, quote: float) -> list[ShownTick]:
        fault = self._occasions.take(Point.FEED, symbol=symbol.name)
        if fault is not None:
            self._occasions.record(fault, symbol=symbol.name, quote=quote)
        return self._feed.shown(symbol, epoch, quote, fault)

    def rows(self, account: Account, request: Frame) -> Iterator[CashRow]:
        return self._readings.rows(account, request)

    def positions(self, account: Account, call: str) -> Iterable[OpenContract]:
        return self._readings.positions(account, call)

    def proceeds(self, contract: OpenContract) -> Decimal:
        return self._readings.proceeds(contract)

    def next_due(self) -> int | None:
        return self._agenda.next_due()

    def due(self) -> None:
        self._agenda.run(self._venue.epoch)
        self._outgoing.send_settled()

    def login(self, step: FaultName, account: str) -> Fault | None:
        """The fault of a login, see ``Faults.login``."""
        steps = {step} if step is FaultName.OTP_REFUSED else {FaultName.UPGRADE_REFUSED, FaultName.ACCEPT_THEN_CLOSE}
        fault = self._occasions.take(Point.LOGIN, account=account, suits=lambda name: name in steps)
        if fault is not None:
            self._occasions.record(fault, account_id=account)
        return fault

    def happen(self, fault: Fault) -> None:
        """Let a fault happen whose moment is a time."""
        venue = self._venue
        struck = [c for c in venue.connections.values() if fault.account in ("", account_id(c))]
        if fault.name not in ACCOUNT_STRIKES:
            self._occasions.record(fault, connections=[c.number for c in struck])
        for _ in range(max(1, fault.times)):
            strike(venue, self._occasions, fault, struck)


class Faults:
    """The faults of one venue: those asked for, and those that happened.

    The venue is bound to the hooks with the first fault that is asked for; until then faults cost it nothing.

    Args:
        faults: scripted ones.
        mix: random ones; None for none.

    Attributes:
        armed: False until a fault is asked for.
    """

    def __init__(self, faults: Iterable[Fault] = (), mix: Mix | None = None) -> None:
        self.armed = mix is not None
        self._plan, self._agenda = Plan(mix), Agenda()
        self._venue: Venue | None = None
        self._injection: Injection | None = None
        for fault in faults:
            self.script(fault)

    @property
    def fired(self) -> list[dict[str, Any]]:
        """What happened so far, oldest first."""
        return [] if self._injection is None else self._injection.fired

    def attach(self, venue: Venue) -> None:
        """Name the venue; once, before time moves there."""
        self._venue = venue
        self._injection = Injection(venue, self._plan, self._agenda)
        self._bind()

    def script(self, fault: Fault) -> None:
        """Ask for a fault, from now on."""
        self.armed = True
        if fault.point is Point.TIME:
            self._agenda.add(fault.at or 0, lambda: self._happen(fault))
        else:
            self._plan.add([fault])
        self._bind()

    def end(self) -> None:
        """Begin no fault any more; what is under way runs its course."""
        self._plan.clear()

    def due(self) -> None:
        """Let everything happen whose time has come."""
        if self._injection is not None:
            self._injection.due()

    def login(self, step: FaultName, account: str) -> Fault | None:
        """The fault that strikes a login, None for none.

        Args:
            step: ``OTP_REFUSED`` when a one-time password is asked for, another one when a socket is opened with it.
            account: whose.
        """
        return None if self._injection is None else self._injection.login(step, account)

    def _bind(self) -> None:
        if self.armed and self._venue is not None and self._injection is not None:
            self._venue.bind(self._injection)

    def _happen(self, fault: Fault) -> None:
        assert self._injection is not None, "nothing is due before the venue is attached"
        self._injection.happen(fault)
