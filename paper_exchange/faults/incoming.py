"""Faults in what the venue receives: calls that are lost, repeated, refused, late, or come with a broken line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from paper_exchange.calls.dispatch import act
from paper_exchange.errors import CallError
from paper_exchange.faults.account import ACCOUNT_STRIKES
from paper_exchange.faults.catalogue import FaultName, Point
from paper_exchange.faults.occasions import Agenda, Occasions, account_id
from paper_exchange.faults.outgoing import Outgoing
from paper_exchange.faults.strikes import drop, strike
from paper_exchange.protocol.frames import Frame
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue

_REFUSALS: Mapping[FaultName, tuple[str, str]] = {
    FaultName.RATE_LIMIT: ("RateLimit", "You have reached the rate limit for {call}."),
    FaultName.PRICE_MOVED: (
        "PriceMoved",
        "The underlying market has moved too much since you priced the contract. Please try again.",
    ),
    FaultName.MARKET_CLOSED: ("MarketIsClosed", "This market is presently closed."),
}
"""Code and text of the refusals; ``{call}`` is the call's name."""


class Incoming:
    """Every call on its way to its handler."""

    def __init__(self, venue: Venue, occasions: Occasions, agenda: Agenda, outgoing: Outgoing) -> None:
        self._venue, self._occasions, self._agenda, self._outgoing = venue, occasions, agenda, outgoing

    def receive(self, connection: Connection, call: str, request: Frame) -> bool:
        """A call arrived; True when the venue must not act on it (any more)."""
        fault = self._occasions.take(Point.REQUEST, call=call, account=account_id(connection))
        self._outgoing.expect_answer(connection, request, call)
        if fault is None:
            return False
        if fault.name not in ACCOUNT_STRIKES:  # those are recorded with what came of them
            facts = {"connection": connection.number, "call": call, "account_id": account_id(connection)}
            self._occasions.record(fault, **facts)
        if fault.name is FaultName.REQUEST_LOST:
            return True
        if fault.name is FaultName.REQUEST_REPEATED:
            self._act(connection, call, request)
            self._outgoing.expect_answer(connection, request, call)
            return False
        if fault.name is FaultName.DROP_BEFORE:
            drop(self._venue, connection, fault)
            return True
        if fault.name is FaultName.EXECUTED_LATE:
            self._act_later(connection, call, request, self._venue.epoch + fault.seconds())
            return True
        if fault.name in _REFUSALS or fault.name is FaultName.REFUSED:
            code, message = _REFUSALS.get(fault.name, (str(fault.values.get("code")), "The request was refused."))
            self._venue.refuse(connection, request, call, CallError(code, message.format(call=call)))
            return True
        strike(self._venue, self._occasions, fault, [connection])
        return connection.deaf

    def _act(self, connection: Connection, call: str, request: Frame) -> None:
        self._outgoing.expect_answer(connection, request, call)
        act(self._venue, connection, call, request)

    def _act_later(self, connection: Connection, call: str, request: Frame, at: int) -> None:
        # The venue has taken the price already, so it does not age while the order waits.
        offered = connection.proposals.get(str(request.get("buy")))
        if offered is not None:
            connection.proposals[offered.proposal_id] = replace(offered, epoch=at)
        self._agenda.add(at, lambda: self._act(connection, call, request))
