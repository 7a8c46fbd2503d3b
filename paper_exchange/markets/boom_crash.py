"""BOOM and CRASH: small steps of one sign and, now and then, one spike of the other.

Recorded (six indices, 185,000 ticks): every tick is a small step (BOOM down, CRASH up) or, with probability 1/N, one
spike. Small steps average 0.001/N in log terms and spikes 0.001, both half generalised normal with exponent about 2.8
(coefficient of variation 0.69); steps are uncorrelated and the gaps between spikes geometric. Quotes are rounded to
three decimals, so a small step may leave the quote unchanged.
"""

from __future__ import annotations

import math

import numpy as np

from paper_exchange.markets.gaussian import Gaussian
from paper_exchange.markets.series import State
from xtitan_core.contracts import Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import MEAN_STEP, STEP_EXPONENT, SymbolKind

_SHAPE = 1 / STEP_EXPONENT
_UNIT_MEAN = math.gamma(_SHAPE) / math.gamma(2 * _SHAPE)


class BoomCrash(Gaussian):
    """Steps and spikes on a log scale."""

    def walk(self, day: int, state: State) -> tuple[Quotes, State]:
        n = self.symbol.event_every
        random = stream(self.seed, "ticks", self.symbol.name, day)
        spikes = random.random(self.ticks) < 1 / n
        # |x| has density ~ exp(-|x/scale|^b) when |x/scale|^b is gamma(1/b) distributed. Python's power, not numpy's,
        # which differs in the last bit from machine to machine.
        powers = random.standard_gamma(_SHAPE, self.ticks).tolist()
        sizes = np.asarray([power**_SHAPE for power in powers], dtype=np.float64)
        up = 1.0 if self.symbol.kind is SymbolKind.BOOM else -1.0
        steps = MEAN_STEP * _UNIT_MEAN * up * np.where(spikes, sizes, -sizes / n)
        logs: Quotes = state[0] + np.cumsum(steps)
        return logs, (float(logs[-1]),)
