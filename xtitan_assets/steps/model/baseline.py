"""Candidate 0: the closed-form price of a driftless market. It predicts nothing, and every model has to beat it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xtitan_core.contracts import UNIT_SECONDS, DurationUnit
from xtitan_core.prices import rise_fall_probability
from xtitan_core.symbols import Symbol


def contract_sigma(market: Symbol, duration: int, unit: str) -> float:
    """Nominal volatility of the log price over a contract's life.

    Args:
        duration: in ticks or in time units.
        unit: a value of ``DurationUnit``.
    """
    if unit == DurationUnit.TICKS:
        return market.tick_sigma * math.sqrt(duration)
    return market.tick_sigma * math.sqrt(duration * UNIT_SECONDS[DurationUnit(unit)] / market.tick_seconds)


def closed_form(market: Symbol, quotes: npt.NDArray[np.float64], duration: int, unit: str) -> npt.NDArray[np.float64]:
    """Win probabilities of CALL and PUT on a driftless market, less half the chance of a tie each.

    Ties lose both sides, and prices come in steps, so leaving them out would let any model with an intercept beat
    this baseline without predicting anything.

    Args:
        quotes: spot at each decision, shape (n,).

    Returns:
        Shape (n, 2).
    """
    sigma = contract_sigma(market, duration, unit)
    tie = float(market.pip) / (quotes * sigma * math.sqrt(2.0 * math.pi))
    fair = np.array([rise_fall_probability(sigma, rise=True), rise_fall_probability(sigma, rise=False)])
    probability: npt.NDArray[np.float64] = fair[None, :] - tie[:, None] / 2.0
    return probability
