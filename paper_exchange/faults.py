"""Faults on demand: what the exchange does wrong when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from paper_exchange.errors import SetupError

HOLD_BUY_ANSWER = "hold_buy_answer"


@dataclass(slots=True)
class Faults:
    """Scripted faults.

    Attributes:
        hold_after: buys still to be booked until one of them is never answered; None when nothing is scripted.
        fired: what happened so far, oldest first.
    """

    hold_after: int | None = None
    fired: list[dict[str, Any]] = field(default_factory=list)

    def script(self, fault: str, after: int) -> None:
        """Ask for a fault.

        Args:
            fault: only "hold_buy_answer": the ``after``-th buy booked from now on is booked, but neither its answer
                nor anything later is sent on that socket until it closes.
            after: 1 for the very next one.

        Raises:
            SetupError: for a fault the exchange does not know, or a count below 1.
        """
        if fault != HOLD_BUY_ANSWER:
            raise SetupError(f"unknown fault {fault!r}; the exchange can do: {HOLD_BUY_ANSWER}")
        if after < 1:
            raise SetupError(f"{fault} counts from 1, got {after}; ask for the next buy with 1")
        self.hold_after = after

    def holds_this_buy(self) -> bool:
        """Count one booked buy; True when its answer is to be held."""
        if self.hold_after is None:
            return False
        self.hold_after -= 1
        if self.hold_after:
            return False
        self.hold_after = None
        return True

    def record(self, fault: str, **facts: Any) -> None:
        """Note that a fault happened."""
        self.fired.append({"fault": fault, **facts})
