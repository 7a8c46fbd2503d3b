"""The paper-only messages of lockstep: a client opts in, then acknowledges every instant. Deriv does not have them."""

from __future__ import annotations

from paper_exchange.errors import CallError
from paper_exchange.protocol.frames import Frame
from paper_exchange.protocol.schema import integer
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue


def instant(epoch: int) -> Frame:
    """Everything of this instant has been sent; time waits for ``{"paper_ack": epoch}``."""
    return {"msg_type": "paper_instant", "paper_instant": {"epoch": epoch}}


def join(venue: Venue, connection: Connection, request: Frame) -> None:
    """Opt in: from the current instant on, time waits for this connection too."""
    if request.get("paper_lockstep") != 1 or not integer(request.get("req_id", 0)):
        error = CallError("InputValidationFailed", "Input validation failed: paper_lockstep")
        venue.refuse(connection, request, "paper_lockstep", error)
        return
    venue.lockstep.join(connection.number)
    venue.reply(connection, request, "paper_lockstep", 1)
    venue.send(connection, instant(venue.epoch))


def acknowledge(venue: Venue, connection: Connection, request: Frame) -> None:
    """A connection is done with the current instant. There is no answer, except a refusal when it names another one."""
    if connection.number not in venue.lockstep or request["paper_ack"] != venue.epoch:
        error = CallError("InputValidationFailed", f"Input validation failed: paper_ack, the instant is {venue.epoch}")
        venue.refuse(connection, request, "paper_ack", error)
        return
    venue.lockstep.acknowledge(connection.number)
