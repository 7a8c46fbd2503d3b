"""Request budgets: how many calls of which kind in a minute and an hour of venue time.

Deriv publishes one table per call group and a second, coarser one per connection; the stricter counts. Paper time can
run far faster than the wall, so a factor widens everything where a client's wall-clock pace says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from paper_exchange.errors import CallError

_PRICING = ("pricing", 360, 14_400)
_CASH = ("cash", 100, 2_000)
_RECORDS = ("records", 30, 1_500)
_OTHER = ("other", 220, 14_400)
GROUPS: dict[str, tuple[str, int, int]] = {
    **dict.fromkeys(("proposal", "proposal_open_contract", "buy", "sell"), _PRICING),
    **dict.fromkeys(("balance", "statement"), _CASH),
    **dict.fromkeys(("portfolio", "profit_table"), _RECORDS),
}
PINGS_PER_SECOND = 10


@dataclass(slots=True)
class Budgets:
    """The counters of one user.

    Attributes:
        factor: multiplies every limit.
    """

    factor: int = 1
    _counts: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)

    def spend(self, call: str, now: int) -> None:
        """Count one request.

        Raises:
            CallError: RateLimit when a window is used up; the request then costs nothing.
        """
        if call == "ping":
            windows = [("ping", 1, PINGS_PER_SECOND)]
        else:
            group, minute, hour = GROUPS.get(call, _OTHER)
            windows = [(group, 60, minute), (group, 3_600, hour)]
        used = []
        for group, span, limit in windows:
            at, count = self._counts.get((group, span), (-1, 0))
            count = count if at == now // span else 0
            if count >= limit * self.factor:
                raise CallError("RateLimit", f"You have reached the rate limit for {call}.")
            used.append(((group, span), (now // span, count + 1)))
        self._counts.update(used)
