"""The one module of the trading packages that may read a clock (a lint in the tests refuses every other).

Two times exist. *Venue time* decides everything that has to do with the market: against Deriv it is the wall clock
plus the measured offset, against the paper exchange it is the exchange's own clock. *Monotonic time* serves
keepalive and answer timeouts and never enters a record.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

DAY = 86_400
"""Seconds of a day; venue time knows no leap seconds."""

Timer = Callable[[], float]
"""Seconds from an arbitrary origin: ``monotonic``, or an event loop's own ``time`` where that is virtual."""


class Clock(Protocol):
    """Where venue time comes from."""

    def now(self) -> float:
        """Venue time in epoch seconds."""
        ...


class WallClock:
    """The host's clock, corrected by a measured offset."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        return time.time() + self.offset


class ScaledClock:
    """Time that started at ``epoch`` and runs ``rate`` times as fast as the wall, or as another timer."""

    def __init__(self, epoch: float, rate: float, timer: Timer = time.monotonic) -> None:
        self._epoch, self._rate, self._timer, self._started = epoch, rate, timer, timer()

    def now(self) -> float:
        return self._epoch + (self._timer() - self._started) * self._rate


class ManualClock:
    """Time that moves only when told to: lockstep, virtual time and tests."""

    def __init__(self, epoch: float) -> None:
        self._epoch = float(epoch)

    def now(self) -> float:
        return self._epoch

    def set(self, epoch: float) -> None:
        """Move forward to ``epoch``.

        Raises:
            ValueError: when that would move time backwards.
        """
        if epoch < self._epoch:
            raise ValueError(f"time cannot go back from {self._epoch} to {epoch}")
        self._epoch = float(epoch)


def monotonic() -> float:
    """Seconds from an arbitrary origin, never going back."""
    return time.monotonic()


def thread_cpu() -> float:
    """Seconds of processor time that the calling thread has used; other programs do not lengthen it."""
    return time.thread_time()


def wall() -> float:
    """The host's own epoch seconds, for log lines and reports only."""
    return time.time()


def midnight(epoch: float) -> int:
    """Epoch of the UTC midnight at or before ``epoch``."""
    return int(epoch) // DAY * DAY
