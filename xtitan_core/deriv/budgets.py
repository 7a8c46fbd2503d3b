"""Deriv's published request budgets, kept on our side at 80 % so that the venue has no reason to refuse a request.

Sliding windows: in *any* interval of a window's length at most ``limit`` requests were let through. Pure: the
(monotonic) time comes in as an argument.

Source: developers.deriv.com/docs/limits and the API overview of 2026-09-10; where they differ, the smaller.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from xtitan_core.deriv.endpoints import is_loopback
from xtitan_core.deriv.verbs import PURCHASE

SHARE = 0.8
"""The part of each published budget we allow ourselves."""

GROUPS: tuple[tuple[str, frozenset[str], int, int], ...] = (
    ("pricing and trading", frozenset({"proposal", "proposal_open_contract", PURCHASE, "sell"}), 360, 14_400),
    ("balance and statement", frozenset({"balance", "statement"}), 100, 2_000),
    ("portfolio and profit table", frozenset({"portfolio", "profit_table"}), 30, 1_500),
)
"""(name, calls, per minute, per hour) of the budgets that calls share."""

OTHERS = ("all other calls", 220, 14_400)
PER_SECOND = 100
REST_PER_MINUTE = 60

RESERVED = 0.1
"""Part of the trading budget that only purchases may use, so that quotes do not use it up."""


@dataclass(slots=True)
class Window:
    """At most ``limit`` requests in any ``seconds``; ``reserved`` of them for purchases."""

    limit: int
    seconds: float
    reserved: int = 0
    taken: deque[float] = field(default_factory=deque)

    def wait(self, now: float, purchase: bool = False) -> float:
        """Seconds until one more request fits; 0 when it fits now."""
        horizon = now - self.seconds
        taken = self.taken
        while taken and taken[0] <= horizon:
            taken.popleft()
        limit = self.limit if purchase else self.limit - self.reserved
        excess = len(taken) - limit
        return 0.0 if excess < 0 else max(0.0, taken[excess] + self.seconds - now)


class Budgets:
    """All socket budgets of one user. They hold per user and address, so one object serves every connection."""

    def __init__(self, share: float = SHARE) -> None:
        self._everything = Window(int(PER_SECOND * share), 1.0)
        self._by_call: dict[str, tuple[Window, ...]] = {}
        for _, calls, minute, hour in GROUPS:
            keep = RESERVED if PURCHASE in calls else 0.0
            windows = self._windows(minute, hour, share, keep)
            self._by_call.update(dict.fromkeys(calls, windows))
        self._others = self._windows(OTHERS[1], OTHERS[2], share, 0.0)

    def _windows(self, minute: int, hour: int, share: float, keep: float) -> tuple[Window, ...]:
        return (
            self._everything,
            Window(int(minute * share), 60.0, int(minute * share * keep)),
            Window(int(hour * share), 3_600.0, int(hour * share * keep)),
        )

    def wait(self, call: str, now: float) -> float:
        """Seconds until ``call`` fits every budget it counts against; 0 when it fits now."""
        return max(w.wait(now, call == PURCHASE) for w in self._by_call.get(call, self._others))

    def take(self, call: str, now: float) -> bool:
        """Count one request; False, and nothing counted, when it does not fit."""
        windows = self._by_call.get(call, self._others)
        if any(w.wait(now, call == PURCHASE) > 0 for w in windows):
            return False
        for window in windows:
            window.taken.append(now)
        return True


PROCESS_BUDGETS = Budgets()
"""What every connection of this process shares unless told otherwise: the venue counts per user, not per socket."""

ByAddress = Literal["by address"]


def budgets_for(url: str, chosen: Budgets | ByAddress | None) -> Budgets | None:
    """The budgets a connection to ``url`` keeps: the chosen ones, or by default the process's, except on loopback."""
    if chosen != "by address":
        return chosen
    return None if is_loopback(urlsplit(url).hostname or "") else PROCESS_BUDGETS
