"""When each market is open: the indices always, forex and metals on weekdays.

Forex quotes run from Monday 00:00 to Friday 20:55 UTC (recorded: the last bars before a weekend open at 20:55:00 and
the next ones 183,900 seconds later, nothing is missing in between). Contracts on them are refused from 21:00 to
midnight on the other days too, when the banks' day changes (third party; Deriv's sentence is :data:`NIGHT`). Public
holidays and daylight saving time are not simulated.
"""

from __future__ import annotations

from typing import Protocol

from xtitan_core.clock import DAY, midnight
from xtitan_core.symbols import Symbol, SymbolKind

WEEK = 7 * DAY
WEEK_CLOSE = 4 * DAY + 20 * 3_600 + 55 * 60
"""Seconds from Monday 00:00 to the close on Friday, whose own second still has quotes."""

NIGHT_BEGINS = 21 * 3_600
CLOSED = "This market is presently closed."
NIGHT = "Trading is not available from 21:00:00 to 23:59:59."

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")
EVERY_DAY = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


class Calendar(Protocol):
    """Opening hours of one market, in epoch seconds UTC.

    Attributes:
        trading_days: names of the weekdays with trading, as ``trading_times`` gives them.
    """

    trading_days: tuple[str, ...]

    def is_open(self, epoch: int) -> bool:
        """True while the market quotes."""
        ...

    def refusal(self, epoch: int) -> str | None:
        """Why no contract can be bought at ``epoch``, as Deriv words it; None when one can."""
        ...

    def next_close(self, epoch: int) -> int | None:
        """First instant after ``epoch`` at which the market is closed again; None when it never closes."""
        ...

    def next_open(self, epoch: int) -> int:
        """First instant at or after ``epoch`` at which the market is open."""
        ...

    def trading_day_end(self, epoch: int, days: int) -> int:
        """Last second of the trading day ``days`` days after the one of ``epoch``; the next one when that is closed."""
        ...

    def hours(self, epoch: int) -> tuple[str, str] | None:
        """Opening and closing time of the UTC day of ``epoch``, None when it has no trading."""
        ...


class AlwaysOpen:
    """The indices: every second of every day."""

    trading_days: tuple[str, ...] = EVERY_DAY

    def is_open(self, epoch: int) -> bool:
        return True

    def refusal(self, epoch: int) -> str | None:
        return None

    def next_close(self, epoch: int) -> int | None:
        return None

    def next_open(self, epoch: int) -> int:
        return epoch

    def trading_day_end(self, epoch: int, days: int) -> int:
        return midnight(epoch) + (days + 1) * DAY - 1

    def hours(self, epoch: int) -> tuple[str, str] | None:
        return "00:00:00", "23:59:59"


class Weekdays:
    """Forex and metals: Monday 00:00 to Friday 20:55."""

    trading_days: tuple[str, ...] = WEEKDAYS

    def is_open(self, epoch: int) -> bool:
        return into_week(epoch) < WEEK_CLOSE

    def refusal(self, epoch: int) -> str | None:
        if not self.is_open(epoch):
            return CLOSED
        return NIGHT if epoch % DAY >= NIGHT_BEGINS else None

    def next_close(self, epoch: int) -> int | None:
        close = epoch - into_week(epoch) + WEEK_CLOSE
        return close if close > epoch else close + WEEK

    def next_open(self, epoch: int) -> int:
        return epoch if self.is_open(epoch) else epoch - into_week(epoch) + WEEK

    def trading_day_end(self, epoch: int, days: int) -> int:
        day = midnight(epoch) + days * DAY
        weekday = into_week(day) // DAY
        if weekday > 4:
            day, weekday = day + (7 - weekday) * DAY, 0
        return day - weekday * DAY + WEEK_CLOSE if weekday == 4 else day + DAY - 1

    def hours(self, epoch: int) -> tuple[str, str] | None:
        weekday = into_week(epoch) // DAY
        if weekday > 4:
            return None
        return "00:00:00", "20:55:00" if weekday == 4 else "23:59:59"


def into_week(epoch: int) -> int:
    """Seconds since the last Monday 00:00 UTC; epoch 0 was a Thursday."""
    return (epoch + 3 * DAY) % WEEK


ALWAYS_OPEN, FOREX_WEEK = AlwaysOpen(), Weekdays()


def calendar_of(symbol: Symbol) -> Calendar:
    """The opening hours of a symbol."""
    return FOREX_WEEK if symbol.kind is SymbolKind.FOREX else ALWAYS_OPEN
