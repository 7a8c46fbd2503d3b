"""The paper-only messages of lockstep: a client opts in, then acknowledges instants. No other venue knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paper_exchange.connections import Connection, Frame
from paper_exchange.errors import CallError
from paper_exchange.validation import integer

if TYPE_CHECKING:
    from paper_exchange.core import Exchange


def instant(epoch: int) -> Frame:
    """Everything of this instant has been sent; time waits for ``{"paper_ack": epoch}``."""
    return {"msg_type": "paper_instant", "paper_instant": {"epoch": epoch}}


def join(exchange: Exchange, connection: Connection, request: Frame) -> None:
    """Opt in: from the current instant on, time waits for this connection too."""
    if request.get("paper_lockstep") != 1 or not integer(request.get("req_id", 0)):
        error = CallError("InputValidationFailed", "Input validation failed: paper_lockstep")
        exchange.refuse(connection, request, "paper_lockstep", error)
        return
    exchange.lockstep.join(connection.number)
    exchange.reply(connection, request, "paper_lockstep", 1)
    exchange.send(connection, instant(exchange.epoch))


def acknowledge(exchange: Exchange, connection: Connection, request: Frame) -> None:
    """Done with the current instant. Says nothing, unless it is another instant than the current one."""
    if connection.number not in exchange.lockstep or request["paper_ack"] != exchange.epoch:
        error = CallError(
            "InputValidationFailed", f"Input validation failed: paper_ack, the instant is {exchange.epoch}"
        )
        exchange.refuse(connection, request, "paper_ack", error)
        return
    exchange.lockstep.acknowledge(connection.number)
    exchange.advance_when_ready()
