"""Two planted symbols that alternate between two regimes: calm and wild, or falling and rising.

The regime is a Markov chain that changes before a tick with probability ``1 / VOLATILITY_TICKS`` or
``1 / DRIFT_TICKS``; both regimes are equally frequent. It does not depend on the prices, so the mean variance of a tick
is the nominal one.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import repeat

import numpy as np
import numpy.typing as npt

from paper_exchange.markets.gaussian import Gaussian
from paper_exchange.markets.plant import Plant
from paper_exchange.markets.series import State
from xtitan_core.clock import DAY
from xtitan_core.contracts import Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import Symbol

VOLATILITY_TICKS = 300
"""Mean length of a volatility regime, ten minutes."""

DRIFT_TICKS = 100
"""Mean length of a drift regime, a little over three minutes."""


Moments = tuple[tuple[Quotes, Quotes], tuple[Quotes, Quotes]]


class _Regimes(Gaussian, ABC):
    """A Gaussian walk whose mean and standard deviation follow a regime of 0 or 1."""

    length: int

    def __init__(self, symbol: Symbol, seed: int, plant: Plant, first_day: int) -> None:
        super().__init__(symbol, seed)
        self.plant, self._first_day = plant, first_day

    def begin(self) -> State:
        regime = float(stream(self.seed, "regime", self.symbol.name).integers(2))
        return math.log(self.symbol.initial_price), regime

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        regimes = self.regimes(day, int(state[1]))
        begin, step = self._first_day + day * DAY, self.symbol.tick_seconds
        strengths = self.plant.strengths(begin, self.ticks, step)
        means, deviations = self.moments(strengths)
        noise = self.noise(day)
        returns = np.where(regimes, means[1], means[0]) + np.where(regimes, deviations[1], deviations[0]) * noise
        logs: Quotes = state[0] + np.cumsum(returns)
        return logs, (float(logs[-1]), float(regimes[-1]))

    def regimes(self, day: int, before: int) -> npt.NDArray[np.int64]:
        """The regime of every tick of a day, given the one of the tick before it."""
        changes = stream(self.seed, "regime", self.symbol.name, day).random(self.ticks) < 1 / self.length
        return (before + np.cumsum(changes)) % 2

    @abstractmethod
    def moments(self, strengths: list[float] | None) -> Moments:
        """Mean and standard deviation of a tick's log return in regime 0 and in regime 1, each a number a tick."""


class VolatilityRegimes(_Regimes):
    """PLANTED_VOL_100: calm and wild in turn, and a martingale in both regimes.

    Direction cannot be predicted, but whether a barrier is reached can: touch, stays and ends contracts are priced with
    the nominal volatility, which is the true one in neither regime.
    """

    length = VOLATILITY_TICKS

    def moments(self, strengths: list[float] | None) -> Moments:
        sigma = self.symbol.tick_sigma
        contrast = self.plant.contrast * _array(strengths, self.ticks)
        calm, wild = (sigma * np.sqrt(1 - contrast), sigma * np.sqrt(1 + contrast))
        return (-calm * calm / 2, -wild * wild / 2), (calm, wild)


class DriftRegimes(_Regimes):
    """PLANTED_DRIFT_100: falling and rising in turn, by a fraction of a standard deviation a tick.

    The variance of a tick is the nominal one; that of a long stretch is larger, since drifts last.
    """

    length = DRIFT_TICKS

    def moments(self, strengths: list[float] | None) -> Moments:
        sigma = self.symbol.tick_sigma
        drift = self.plant.drift * _array(strengths, self.ticks)
        deviation = sigma * np.sqrt(1 - drift * drift)
        middle = -sigma * sigma / 2
        return (middle - sigma * drift, middle + sigma * drift), (deviation, deviation)


def _array(strengths: list[float] | None, count: int) -> Quotes:
    return np.fromiter(repeat(1.0, count) if strengths is None else strengths, dtype=np.float64, count=count)
