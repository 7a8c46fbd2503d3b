"""Simulated tick series: each day depends only on seed, symbol and day, chained to the day before.

The volatility indices are driftless geometric Brownian motion on Deriv's tick grid. The planted series has the same
variance per tick, but its log returns follow an AR(1): they carry momentum, and ``planted`` says what that is worth.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Protocol

import numpy as np

from xtitan_core.clock import DAY
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import Symbol

CACHED_DAYS = 12
"""Days of quotes kept per symbol; older days are made again when asked for."""


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


class SimulatedSeries:
    """An endless series on the symbol's tick grid.

    Args:
        symbol: what is simulated.
        seed: the exchange's seed.
        first_day: UTC midnight where the series begins at ``symbol.initial_price``.
        phi: first-order autocorrelation of the log returns; 0 for a fair market.
    """

    last_epoch: int | None = None

    def __init__(self, symbol: Symbol, seed: int, first_day: int, phi: float = 0.0) -> None:
        self.symbol, self.first_epoch = symbol, first_day
        self._seed, self._phi, self._step = seed, phi, symbol.tick_seconds
        shock = float(stream(seed, "momentum", symbol.name).standard_normal()) * symbol.tick_sigma
        # State at the start of each day made so far: (log price, last return).
        self._states: list[tuple[float, float]] = [(math.log(symbol.initial_price), shock)]
        self._days: OrderedDict[int, list[float]] = OrderedDict()

    def quote_at(self, epoch: int) -> float | None:
        if epoch < self.first_epoch or epoch % self._step:
            return None
        day, second = divmod(epoch - self.first_epoch, DAY)
        return self._day(day)[second // self._step]

    def next_epoch(self, after: int) -> int | None:
        return max(self.first_epoch, (after // self._step + 1) * self._step)

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
            quotes = self._day(day)
            parts += quotes[second // self._step : (until - self.first_epoch - day * DAY) // self._step + 1]
            at = self.first_epoch + (day + 1) * DAY
        return epochs, np.asarray(parts, dtype=np.float64)

    def _day(self, day: int) -> list[float]:
        made = self._days.get(day)
        if made is not None:
            return made
        while len(self._states) <= day:
            self._logs(len(self._states) - 1)
        quotes: list[float] = round_quotes(self.symbol, self._logs(day).tolist()).tolist()
        self._days[day] = quotes
        while len(self._days) > CACHED_DAYS:
            self._days.popitem(last=False)
        return quotes

    def _logs(self, day: int) -> Quotes:
        """Log prices of one day; remembers the state after it when that is not known yet."""
        start, shock = self._states[day]
        sigma = self.symbol.tick_sigma
        noise = stream(self._seed, "ticks", self.symbol.name, day).standard_normal(DAY // self._step)
        if self._phi:
            returns = np.asarray(_momentum(noise.tolist(), self._phi, sigma, shock))
        else:
            returns = sigma * noise - sigma * sigma / 2
        logs: Quotes = start + np.cumsum(returns)
        if len(self._states) == day + 1:
            self._states.append((float(logs[-1]), float(returns[-1])))
        return logs


def round_quotes(symbol: Symbol, logs: list[float]) -> Quotes:
    """Quotes from log prices, rounded to the symbol's pip and at least one pip."""
    # math.exp, not numpy's: vector exponentials differ in the last bit from machine to machine.
    quotes = np.fromiter(map(math.exp, logs), dtype=np.float64, count=len(logs))
    scale = 10.0**symbol.decimals
    return np.maximum(1.0, np.rint(quotes * scale)) / scale


def _momentum(noise: list[float], phi: float, sigma: float, shock: float) -> list[float]:
    scale = sigma * math.sqrt(1 - phi * phi)
    out = []
    for e in noise:
        shock = phi * shock + scale * e
        out.append(shock)
    return out
