"""PLANTED_DIGIT_100: fair Gaussian prices with a last digit that tends to repeat.

Each tick's last digit is the previous one with probability ``memory`` and a new uniform one else; the quote is the
price nearest to the Gaussian one that ends in it. That moves a quote by at most five pips of three decimals where a
tick's standard deviation is 160, so direction and barriers stay fair to a thousandth.
"""

from __future__ import annotations

import numpy as np

from paper_exchange.markets.gaussian import Gaussian
from paper_exchange.markets.plant import Plant
from paper_exchange.markets.series import State, round_quotes
from xtitan_core.clock import DAY
from xtitan_core.contracts import Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import Symbol


class DigitMemory(Gaussian):
    """Gaussian log prices and, independent of them, a Markov chain of last digits.

    Args:
        symbol: gives the volatility, the grid and the initial price.
        seed: the exchange's seed.
        plant: the probability that a digit stays, and its strength over time.
        first_day: midnight of day 0.
    """

    def __init__(self, symbol: Symbol, seed: int, plant: Plant, first_day: int) -> None:
        super().__init__(symbol, seed)
        self._plant, self._first_day = plant, first_day

    def begin(self) -> State:
        return *super().begin(), float(stream(self.seed, "digit", self.symbol.name).integers(10))

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        logs, after = super().walk(day, state)
        random = stream(self.seed, "digit", self.symbol.name, day)
        stays = random.random(self.ticks)
        strengths = self._plant.strengths(self._first_day + day * DAY, self.ticks, self.symbol.tick_seconds)
        kept = stays < self._plant.memory * (1.0 if strengths is None else np.asarray(strengths))
        fresh = np.concatenate(([state[1]], random.integers(10, size=self.ticks)))
        # A digit that repeats is the last one that was drawn, however long ago.
        drawn = np.maximum.accumulate(np.where(kept, 0, np.arange(1, self.ticks + 1)))
        digits = fresh[drawn]
        return np.stack((logs, digits)), (*after, float(digits[-1]))

    def quotes(self, path: Quotes) -> list[float]:
        logs, digits = path
        scale = 10.0**self.symbol.decimals
        pips = np.rint(round_quotes(self.symbol, logs.tolist()) * scale)
        pips += (digits - pips + 5) % 10 - 5
        quotes: list[float] = (np.where(pips < 1, pips + 10, pips) / scale).tolist()
        return quotes
