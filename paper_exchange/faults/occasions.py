"""Shared by the parts of an injection: the draw of a fault on each occasion, the record, and actions that wait."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from paper_exchange.faults.catalogue import FaultName, Point
from paper_exchange.faults.plan import Plan, any_fault
from paper_exchange.faults.script import Fault
from paper_exchange.protocol.frames import Frame
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue


class Occasions:
    """The faults of one venue, drawn occasion by occasion.

    Args:
        venue: whose epoch counts, and whose log is written.
        plan: decides which fault is due.

    Attributes:
        fired: the faults that happened, oldest first: the epoch, the fault's name, and what it concerned.
    """

    def __init__(self, venue: Venue, plan: Plan) -> None:
        self._venue, self._plan = venue, plan
        self.fired: list[dict[str, Any]] = []

    def take(
        self,
        point: Point,
        *,
        call: str = "",
        account: str = "",
        symbol: str = "",
        suits: Callable[[FaultName], bool] = any_fault,
    ) -> Fault | None:
        """The fault that is due on an occasion at ``point``, None for none; arguments as in ``Plan.take``."""
        return self._plan.take(point, self._venue.epoch, call=call, account=account, symbol=symbol, suits=suits)

    def record(self, fault: Fault, **facts: Any) -> None:
        """Note that a fault happened."""
        facts = {"fault": str(fault.name), **facts, **{k: v for k, v in fault.values.items() if k not in facts}}
        self.fired.append({"epoch": self._venue.epoch, **facts})
        self._venue.events.record("fault", **facts)


class Agenda:
    """Actions that wait for their epoch; those of one epoch happen in the order they were added."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._added = 0

    def add(self, at: int, action: Callable[[], None]) -> None:
        """Do something at an epoch, or at the next ``run`` when that has passed."""
        self._added += 1
        heapq.heappush(self._due, (at, self._added, action))

    def next_due(self) -> int | None:
        """The epoch of the next action, None without one."""
        return self._due[0][0] if self._due else None

    def run(self, epoch: int) -> None:
        """Do everything that waited for ``epoch`` or an earlier one."""
        while self._due and self._due[0][0] <= epoch:
            heapq.heappop(self._due)[2]()


def account_id(connection: Connection) -> str:
    """The name of a connection's account; empty for the public socket."""
    return connection.account.account_id if connection.account else ""


def concerned(connection: Connection, frame: Frame) -> dict[str, Any]:
    """The account and the contract a frame is about, for the record."""
    body = frame.get(frame["msg_type"])
    facts = {"account_id": account_id(connection)}
    if isinstance(body, dict) and "contract_id" in body:
        facts["contract_id"] = body["contract_id"]
    return facts
