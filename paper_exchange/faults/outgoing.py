"""Faults in what the venue sends: answers and frames that are lost, late, repeated, reordered, damaged or wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.errors import CallError
from paper_exchange.faults.catalogue import FaultName, Point
from paper_exchange.faults.garble import garbled, with_nulls
from paper_exchange.faults.occasions import Agenda, Occasions, account_id, concerned
from paper_exchange.faults.script import Fault
from paper_exchange.faults.strikes import drop
from paper_exchange.protocol.frames import Frame
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue

_REQUIRED = frozenset({"id", "contract_id"})
"""Members of a contract's frame that are never null."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The call being acted on, whose answer is the next frame that echoes it."""

    connection: Connection
    request: Frame
    call: str


class Outgoing:
    """Every frame of a venue on its way to the outbox.

    The paper-only messages of lockstep are the clock of a test and no message of Deriv's, so only a dead line keeps
    them back.
    """

    def __init__(self, venue: Venue, occasions: Occasions, agenda: Agenda) -> None:
        self._venue, self._occasions, self._agenda = venue, occasions, agenda
        self._asked: _Asked | None = None
        self._behind: dict[int, list[Frame]] = {}
        self._until_settled: list[tuple[OpenContract, Connection, Frame]] = []

    def expect_answer(self, connection: Connection, request: Frame, call: str) -> None:
        """The venue is about to act on a call: the next frame that echoes it is its answer."""
        self._asked = _Asked(connection, request, call)

    def send(self, connection: Connection, frame: Frame, text: str | None = None) -> bool:
        """Send a frame; False when it is not delivered now and in full.

        Args:
            text: the frame as it is encoded already, None when it is not.
        """
        if connection.silent:
            return False
        kind = str(frame["msg_type"])
        if kind.startswith("paper_"):
            return self._put(connection, frame, flush=False)
        fault = self._answer_fault(connection, frame)
        if fault is not None:
            return self._answer(connection, frame, fault)
        fault = self._occasions.take(
            Point.FRAME, call=kind, account=account_id(connection), suits=lambda name: _suits_frame(name, frame)
        )
        if fault is None:
            return self._put(connection, frame if text is None else text)
        self._occasions.record(fault, connection=connection.number, call=kind, **concerned(connection, frame))
        return self._frame(connection, frame, fault)

    def send_text(self, connection: Connection, text: str) -> bool:
        """The same for a frame that is encoded already."""
        return self.send(connection, json.loads(text), text)

    def send_settled(self) -> None:
        """Send the answers of purchases that waited for their contract's settlement."""
        for item in [item for item in self._until_settled if item[0].sold_for is not None]:
            self._until_settled.remove(item)
            self._put_answer(item[1], item[2])

    def _answer_fault(self, connection: Connection, frame: Frame) -> Fault | None:
        """The fault of an answer, None when the frame is no answer or nothing is wrong with it."""
        asked = self._asked
        if asked is None or frame.get("echo_req") is not asked.request or connection is not asked.connection:
            return None
        self._asked = None
        refused = "error" in frame
        fault = self._occasions.take(
            Point.ANSWER,
            call=asked.call,
            account=account_id(connection),
            suits=lambda name: _suits_answer(name, frame, refused=refused),
        )
        if fault is not None:
            facts = concerned(connection, frame)
            self._occasions.record(fault, connection=connection.number, call=asked.call, **facts)
        return fault

    def _answer(self, connection: Connection, frame: Frame, fault: Fault) -> bool:
        name = fault.name
        if name is FaultName.ANSWER_HELD:
            connection.silent = True
        elif name is FaultName.ANSWER_LATE:
            self._put_later(connection, frame, fault)
        elif name is FaultName.ANSWER_REPEATED:
            self._put(connection, frame)
            return self._put(connection, frame)
        elif name is FaultName.ANSWER_REORDERED:
            self._behind.setdefault(connection.number, []).append(frame)
        elif name is FaultName.ANSWER_ERROR:
            error = CallError(str(fault.values["code"]), "Sorry, an error occurred while processing your request.")
            kept: Frame = {k: frame[k] for k in ("echo_req", "msg_type", "req_id") if k in frame}
            self._put(connection, {**kept, "error": error.body()})
        elif name is FaultName.ANSWER_MISLABELLED:
            self._put(connection, {**frame, "req_id": frame.get("req_id", 0) + int(fault.number("off"))})
        elif name is FaultName.ANSWER_AFTER_SETTLEMENT:
            contract = _bought(connection, frame)
            assert contract is not None
            self._until_settled.append((contract, connection, frame))
        elif name is FaultName.DROP_AFTER:
            drop(self._venue, connection, fault)
        elif name is FaultName.DROP_ANSWERED:
            sent = self._put(connection, frame)
            drop(self._venue, connection, fault)
            return sent
        return False

    def _frame(self, connection: Connection, frame: Frame, fault: Fault) -> bool:
        name = fault.name
        if name is FaultName.FRAME_LATE:
            self._put_later(connection, frame, fault)
        elif name is FaultName.FRAME_REPEATED:
            self._put(connection, frame)
            return self._put(connection, frame)
        elif name is FaultName.FRAME_REORDERED:
            self._behind.setdefault(connection.number, []).append(frame)
        elif name is FaultName.GARBLED:
            self._put(connection, garbled(frame, str(fault.values["how"])))
        elif name is FaultName.NULL_FIELDS:
            self._put(connection, with_nulls(frame, _REQUIRED))
        elif name is FaultName.CLOCK_SKEW:
            return self._put(connection, {**frame, "time": frame["time"] + fault.seconds()})
        return False

    def _put(self, connection: Connection, item: Frame | str, *, flush: bool = True) -> bool:
        """Queue an item, and behind it the frames that had to wait for the next one."""
        if connection.silent:
            return False
        self._venue.put(connection, item)
        for reordered in self._behind.pop(connection.number, ()) if flush else ():
            self._venue.put(connection, reordered)
            _mark_answered(connection, reordered)
        return True

    def _put_answer(self, connection: Connection, frame: Frame) -> None:
        if self._put(connection, frame):
            _mark_answered(connection, frame)

    def _put_later(self, connection: Connection, frame: Frame, fault: Fault) -> None:
        self._agenda.add(self._venue.epoch + fault.seconds(), lambda: self._put_answer(connection, frame))


def _bought(connection: Connection, frame: Frame) -> OpenContract | None:
    """The contract whose purchase a frame answers."""
    receipt = frame.get("buy")
    if connection.account is None or not isinstance(receipt, dict):
        return None
    return connection.account.contracts.get(receipt["contract_id"])


def _mark_answered(connection: Connection, frame: Frame) -> None:
    contract = _bought(connection, frame)
    if contract is not None:
        contract.answered = True


def _suits_answer(name: FaultName, frame: Frame, *, refused: bool) -> bool:
    if name is FaultName.ANSWER_AFTER_SETTLEMENT:
        return "buy" in frame and not refused
    if name is FaultName.ANSWER_MISLABELLED and "req_id" not in frame:
        return False
    return (name is FaultName.REJECTION_LOST) == refused


def _suits_frame(name: FaultName, frame: Frame) -> bool:
    if name is FaultName.CLOCK_SKEW:
        return "time" in frame
    return name is not FaultName.NULL_FIELDS or "proposal_open_contract" in frame
