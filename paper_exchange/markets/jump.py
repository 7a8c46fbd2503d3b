"""Jump indices: constant volatility and, every twenty minutes on average, a jump either way.

An assumption: Deriv says that JD10 has a constant volatility of 10 % and jumps every 20 minutes on average that are
about 30 times as large as its moves, and no tick of them was recorded. Here jumps come with probability 1/1,200 a tick
and are Gaussian with 30 standard deviations of a tick, which adds three quarters to the variance.
"""

from __future__ import annotations

import math

import numpy as np

from paper_exchange.markets.gaussian import Gaussian
from paper_exchange.markets.series import State
from xtitan_core.contracts import Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import JUMP_SIGMAS


class Jump(Gaussian):
    """A martingale: Gaussian log returns, and jumps in them."""

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        random = stream(self.seed, "jumps", self.symbol.name, day)
        rate, deviation = 1 / self.symbol.event_every, JUMP_SIGMAS * self.symbol.tick_sigma
        jumps = np.where(random.random(self.ticks) < rate, deviation * random.standard_normal(self.ticks), 0.0)
        # The mean of exp(jump), so that the price has no drift.
        growth = math.log1p(rate * math.expm1(deviation * deviation / 2))
        logs: Quotes = state[0] + np.cumsum(self.returns(self.noise(day)) + jumps - growth)
        return logs, (float(logs[-1]),)
