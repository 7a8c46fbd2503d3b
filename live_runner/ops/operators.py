"""What operators ask of a running runner over the control socket: status, halt, resume and rollback."""

from __future__ import annotations

from typing import Any

from live_runner.guards.latch import KillLatch, LatchError
from live_runner.journal.writer import Journal
from live_runner.models.errors import ModelError
from live_runner.models.keeper import RoleKeeper
from live_runner.ops.control import ControlError
from live_runner.ops.status import role_figures
from live_runner.ops.summary import RunSummary
from xtitan_core.clock import Clock


class Operators:
    """The answers. They only change state that the trading loop reads afresh before each decision and purchase."""

    def __init__(
        self, clock: Clock, latch: KillLatch, keeper: RoleKeeper, journal: Journal, summary: RunSummary
    ) -> None:
        self._clock, self._latch, self._keeper, self._journal, self._summary = clock, latch, keeper, journal, summary

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the control socket.

        Raises:
            ControlError: the request is refused; one line.
        """
        command = request.get("command")
        reason = str(request.get("reason", "")).strip()
        if command == "status":
            return self._summary.figures() | {"running": True}
        if command == "halt":
            self._latch.halt(reason or "halted by the operator", "operator")
            return {"halted": True, "reason": self._latch.reason}
        if command == "resume":
            try:
                self._latch.resume(reason, "operator")
            except LatchError as error:
                raise ControlError(str(error)) from None
            return {"halted": False, "reason": self._latch.reason}
        if command == "rollback":
            try:
                records = self._keeper.rollback(int(self._clock.now()), reason or "operator")
            except ModelError as error:
                raise ControlError(str(error)) from None
            self._journal.add(*records)
            return {"champion": role_figures(self._keeper.roles)["champion"]}
        raise ControlError(f"unknown command {str(command)[:40]!r}; use status, halt, resume or rollback")
