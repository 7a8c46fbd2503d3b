"""Simulated tick series: each day depends only on seed, symbol and day, chained to the day before.

A series makes its days when they are asked for; the laws they follow have a module each.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np

from xtitan_core.clock import DAY
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.symbols import Symbol

CACHED_DAYS = 12
"""Days of quotes kept per symbol; older days are made again when asked for."""

State = tuple[float, ...]
"""What a law carries over midnight; the log price, or the price in pips, comes first."""

Walked = TypeVar("Walked")
Made = TypeVar("Made")


class TickSource(Protocol):
    """Where the ticks of one symbol come from, past and future alike."""

    symbol: Symbol
    first_epoch: int
    last_epoch: int | None

    def quote_at(self, epoch: int) -> float | None:
        """The quote stamped ``epoch``, None when no tick is."""
        ...

    def next_epoch(self, after: int) -> int | None:
        """Epoch of the first tick strictly after ``after``."""
        ...

    def previous_epoch(self, at: int) -> int | None:
        """Epoch of the last tick at or before ``at``."""
        ...

    def between(self, start: int, end: int) -> tuple[Epochs, Quotes]:
        """Ticks of ``[start, end]``, both inclusive."""
        ...


class Law(Protocol):
    """How the price of a symbol moves on its tick grid, a day at a time.

    Day 0 is the series' first day. A day's walk may be asked for at any time, and has to be the same each time.
    """

    def begin(self) -> State:
        """The state before the first tick."""
        ...

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        """The day's path in the form :meth:`quotes` takes, and the state after it."""
        ...

    def quotes(self, path: Quotes) -> list[float]:
        """The quotes of a path, one a tick, on the pip grid."""
        ...


class Days(Generic[Walked, Made]):
    """Days made on demand, in any order; the last few asked for are kept.

    Args:
        begin: state before day 0.
        walk: from a day and the state before it to the day's walk and the state after it.
        make: from a day and its walk to what is wanted of it.
    """

    def __init__(
        self,
        begin: State,
        walk: Callable[[int, State], tuple[Walked, State]],
        make: Callable[[int, Walked], Made],
    ) -> None:
        self._walk, self._make = walk, make
        self._states = [begin]
        self._made: OrderedDict[int, Made] = OrderedDict()

    def __getitem__(self, day: int) -> Made:
        made = self._made.get(day)
        if made is not None:
            return made
        while len(self._states) < day + 1:
            self._states.append(self._walk(len(self._states) - 1, self._states[-1])[1])
        walked, after = self._walk(day, self._states[day])
        if len(self._states) == day + 1:
            self._states.append(after)
        self._made[day] = made = self._make(day, walked)
        while len(self._made) > CACHED_DAYS:
            self._made.popitem(last=False)
        return made


class SimulatedSeries:
    """An endless series with a tick at every epoch of the symbol's grid.

    Args:
        symbol: what is simulated.
        law: how it moves.
        first_day: UTC midnight where the series begins.
    """

    last_epoch: int | None = None

    def __init__(self, symbol: Symbol, law: Law, first_day: int) -> None:
        self.symbol, self.first_epoch = symbol, first_day
        self._step = symbol.tick_seconds
        self._days: Days[Quotes, list[float]] = Days(law.begin(), law.walk, lambda day, path: law.quotes(path))
        # The day of the last look-up; most of the following ones fall into it.
        self._begins, self._quotes = first_day - DAY, [0.0]

    def quote_at(self, epoch: int) -> float | None:
        second = epoch - self._begins
        if second < 0 or second >= DAY or epoch < self.first_epoch:
            if epoch < self.first_epoch:
                return None
            day = (epoch - self.first_epoch) // DAY
            self._quotes, self._begins = self._days[day], self.first_epoch + day * DAY
            second = epoch - self._begins
        return None if second % self._step else self._quotes[second // self._step]

    def next_epoch(self, after: int) -> int | None:
        at = (after // self._step + 1) * self._step
        return at if at > self.first_epoch else self.first_epoch

    def previous_epoch(self, at: int) -> int | None:
        epoch = at // self._step * self._step
        return epoch if epoch >= self.first_epoch else None

    def between(self, start: int, end: int) -> tuple[Epochs, Quotes]:
        first = max(self.first_epoch, -(-start // self._step) * self._step)
        epochs = np.arange(first, end + 1, self._step, dtype=np.int64)
        parts: list[float] = []
        at = first
        while at <= end:
            day, second = divmod(at - self.first_epoch, DAY)
            until = min(end, self.first_epoch + day * DAY + DAY - 1)
            quotes = self._days[day]
            parts += quotes[second // self._step : (until - self.first_epoch - day * DAY) // self._step + 1]
            at = self.first_epoch + (day + 1) * DAY
        return epochs, np.asarray(parts, dtype=np.float64)


def round_quotes(symbol: Symbol, logs: list[float]) -> Quotes:
    """Quotes from log prices, rounded to the symbol's pip and at least one pip."""
    # math.exp, not numpy's: vector exponentials differ in the last bit from machine to machine.
    quotes = np.fromiter(map(math.exp, logs), dtype=np.float64, count=len(logs))
    scale = 10.0**symbol.decimals
    return np.maximum(1.0, np.rint(quotes * scale)) / scale
