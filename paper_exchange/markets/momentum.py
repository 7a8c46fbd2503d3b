"""PLANTED_100: log returns that follow an AR(1) with the nominal variance.

``r[t+1] = phi*r[t] + sigma*sqrt(1-phi^2)*e[t]`` with Gaussian ``e``: every return has variance sigma squared and the
sign of the last one predicts the next ones. What that is worth is in ``oracles``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import repeat

import numpy as np

from paper_exchange.markets.gaussian import Gaussian
from paper_exchange.markets.plant import Plant
from paper_exchange.markets.series import State
from xtitan_core.clock import DAY
from xtitan_core.contracts import Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import Symbol


class Momentum(Gaussian):
    """Autocorrelated log returns.

    Args:
        symbol: gives the volatility, the grid and the initial price.
        seed: the exchange's seed.
        plant: the autocorrelation and its strength over time.
        first_day: midnight of day 0.
    """

    def __init__(self, symbol: Symbol, seed: int, plant: Plant, first_day: int) -> None:
        super().__init__(symbol, seed)
        self._plant, self._first_day = plant, first_day

    def begin(self) -> State:
        shock = float(stream(self.seed, "momentum", self.symbol.name).standard_normal()) * self.symbol.tick_sigma
        return math.log(self.symbol.initial_price), shock

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        start, shock = state
        step = self.symbol.tick_seconds
        strengths = self._plant.strengths(self._first_day + day * DAY, self.ticks, step)
        phi, sigma = self._plant.phi, self.symbol.tick_sigma
        phis: Iterable[tuple[float, float]] = repeat((phi, sigma * math.sqrt(1 - phi * phi)))
        if strengths is not None:
            phis = ((phi * s, sigma * math.sqrt(1 - phi * s * phi * s)) for s in strengths)
        returns = []
        for e, (rho, scale) in zip(self.noise(day).tolist(), phis, strict=False):
            shock = rho * shock + scale * e
            returns.append(shock)
        logs: Quotes = start + np.cumsum(np.asarray(returns))
        return logs, (float(logs[-1]), float(returns[-1]))
