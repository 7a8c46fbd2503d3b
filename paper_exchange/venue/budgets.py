"""Request budgets: how many calls of which kind, in windows of venue time.

Deriv publishes two tables, one per group of calls and user, one per connection and token; where both limit a call, the
smaller limit counts. Paper time can run far faster than the wall, so a factor widens all of them in lockstep.

Source: developers.deriv.com/docs/limits and the API overview of September 2026.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from paper_exchange.errors import CallError

Window = tuple[str, int, int]
"""Name of the counter, seconds it covers, requests it allows."""


def _group(name: str, minute: int, hour: int) -> tuple[Window, ...]:
    return ((f"{name}/minute", 60, minute), (f"{name}/hour", 3_600, hour))


_PRICING = _group("pricing", 360, 14_400)
_CASH = _group("cash", 100, 2_000)
_RECORDS = _group("records", 30, 1_500)
_OTHER = _group("other", 220, 14_400)
GROUPS: dict[str, tuple[Window, ...]] = {
    **dict.fromkeys(("proposal", "proposal_open_contract", "buy", "sell"), _PRICING),
    **dict.fromkeys(("balance", "statement"), _CASH),
    **dict.fromkeys(("portfolio", "profit_table"), _RECORDS),
    "ping": (),
}
"""The budget a call shares with others of its row; calls not named share the last row."""

PER_CONNECTION: tuple[Window, ...] = (("everything/second", 1, 100),)
PINGS: tuple[Window, ...] = (("ping/second", 1, 10), *PER_CONNECTION)
REST_PER_USER: tuple[Window, ...] = (("rest/minute", 60, 60),)
REST_PER_ADDRESS: tuple[Window, ...] = (("rest/minute", 60, 300), ("rest/10 minutes", 600, 1_000))


@dataclass(slots=True)
class Budgets:
    """The counters of all users, addresses and connections.

    Attributes:
        factor: multiplies every limit.
    """

    factor: int = 1
    _counts: dict[tuple[Hashable, str], tuple[int, int]] = field(default_factory=dict)

    def take(self, now: float, *counters: tuple[Hashable, tuple[Window, ...]]) -> bool:
        """Count one request; False, and nothing counted, when a window is used up.

        Args:
            now: venue epoch.
            counters: the owners and windows it counts against.
        """
        used = []
        for owner, windows in counters:
            for name, span, limit in windows:
                number = int(now // span)
                at, count = self._counts.get((owner, name), (-1, 0))
                count = count if at == number else 0
                if count >= limit * self.factor:
                    return False
                used.append(((owner, name), (number, count + 1)))
        self._counts.update(used)
        return True

    def spend(self, call: str, now: float, *, user: Hashable, connection: Hashable) -> None:
        """Count one request on a socket.

        Raises:
            CallError: RateLimit when a window is used up; the request then costs nothing.
        """
        own = PINGS if call == "ping" else PER_CONNECTION
        if not self.take(now, (user, GROUPS.get(call, _OTHER)), (connection, own)):
            raise CallError("RateLimit", f"You have reached the rate limit for {call}.")

    def forget(self, owner: Hashable) -> None:
        """Drop the counters of an owner that is not needed any more."""
        for key in [key for key in self._counts if key[0] == owner]:
            del self._counts[key]
