"""Scheduled maintenance: windows of venue time without logins and purchases, while the markets go on.

At the beginning every socket is closed with 1001; until the end, logins and upgrades answer 503 and nothing can be
bought. Contracts run and settle meanwhile, so a client finds them settled when it comes back. In lockstep time has no
member to wait for: the window passes as soon as the last socket is closed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from paper_exchange.errors import SetupError

GOING_AWAY = 1001
REASON = "scheduled maintenance"


class Maintenance:
    """The windows.

    Args:
        windows: (first epoch, first epoch after it) of each, in any order.

    Raises:
        SetupError: a window that is empty or overlaps another.
    """

    def __init__(self, windows: Iterable[tuple[int, int]] = ()) -> None:
        self._windows = sorted(windows)
        last = None
        for begin, end in self._windows:
            if end <= begin:
                raise SetupError(f"maintenance from {begin} to {end} has no length; give the end after the beginning")
            if last is not None and begin < last:
                raise SetupError(f"maintenance from {begin} begins before the one until {last} is over; join the two")
            last = end
        self._begins = [begin for begin, _ in self._windows]

    def until(self, epoch: int) -> int | None:
        """First epoch after the window that ``epoch`` lies in, None outside of all."""
        k = bisect_right(self._begins, epoch) - 1
        return self._windows[k][1] if k >= 0 and epoch < self._windows[k][1] else None

    def begins(self, epoch: int) -> bool:
        """Whether a window begins at ``epoch``."""
        k = bisect_right(self._begins, epoch) - 1
        return k >= 0 and self._begins[k] == epoch

    def next_begin(self, after: int) -> int | None:
        """First beginning strictly after ``after``."""
        k = bisect_right(self._begins, after)
        return self._begins[k] if k < len(self._begins) else None
