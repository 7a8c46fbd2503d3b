"""Volatility indices: driftless geometric Brownian motion on Deriv's tick grid.

Recorded (420,000 ticks of five indices): independent Gaussian log returns with the nominal volatility over a 365-day
year, no drift, no autocorrelation, no volatility clustering, nothing but the rounding to a pip on top.
"""

from __future__ import annotations

import math

import numpy as np

from paper_exchange.markets.series import State, round_quotes
from xtitan_core.clock import DAY
from xtitan_core.contracts import Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import Symbol


class Gaussian:
    """A martingale with independent Gaussian log returns.

    Args:
        symbol: gives the volatility, the grid and the initial price.
        seed: the exchange's seed.
    """

    def __init__(self, symbol: Symbol, seed: int) -> None:
        self.symbol, self.seed = symbol, seed
        self.ticks = DAY // symbol.tick_seconds

    def begin(self) -> State:
        return (math.log(self.symbol.initial_price),)

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        logs: Quotes = state[0] + np.cumsum(self.returns(self.noise(day)))
        return logs, (float(logs[-1]),)

    def quotes(self, path: Quotes) -> list[float]:
        quotes: list[float] = round_quotes(self.symbol, path.tolist()).tolist()
        return quotes

    def noise(self, day: int) -> Quotes:
        """The day's standard normal numbers, one a tick."""
        return stream(self.seed, "ticks", self.symbol.name, day).standard_normal(self.ticks)

    def returns(self, noise: Quotes) -> Quotes:
        """Log returns made of standard normal numbers."""
        sigma = self.symbol.tick_sigma
        return sigma * noise - sigma * sigma / 2
