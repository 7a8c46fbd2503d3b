"""Where a tick moves the price by a few pips, quotes show where in its pip it lies; nobody may win by looking."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from xtitan_core.contracts import ContractType as T
from xtitan_core.contracts import wins
from xtitan_core.prices import fair_probability, normal_cdf, stay_probability
from xtitan_core.symbols import SYMBOLS

COMMISSION = 0.012
SIGMA, PIP = SYMBOLS["R_100"].tick_sigma, 0.01
PLACES = (np.arange(40) + 0.5) / 40 - 0.5
"""Places of the price within its pip."""


def seen(move: int, spread: float) -> npt.NDArray[np.float64]:
    """Chances of the places after a move of so many pips by a price that was anywhere in its pip before."""
    weight = np.array([normal_cdf((move + u + 0.5) / spread) - normal_cdf((move + u - 0.5) / spread) for u in PLACES])
    return np.asarray(weight / weight.sum())


def spot_where(spread: float, digit: int = 0) -> float:
    """A quote with that last digit at which a tick moves the price by about ``spread`` pips."""
    return round((round(spread / SIGMA / 10) * 10 + digit) * PIP, 2)


@pytest.mark.parametrize("deviations", [-3, 3])
@pytest.mark.parametrize("spread", [0.7, 1.0, 1.5, 2.0, 3.0, 5.0])
def test_touches_after_a_wild_move_are_charged_for(spread: float, deviations: int) -> None:
    ticks, spot, places = 6, spot_where(spread), seen(round(deviations * spread), spread)
    for away in range(1, 1 + math.ceil(3 * spread)):
        touched = [1 - stay_probability(ticks, (away - 0.5 - u) / spread, math.inf, 0.0) for u in PLACES]
        priced = fair_probability(
            T.ONETOUCH, sigma_tick=SIGMA, ticks=ticks, upper=spot + away * PIP, spot=spot, pip=PIP
        )
        assert places @ touched < priced + COMMISSION


@pytest.mark.parametrize("deviations", [-3, 3])
@pytest.mark.parametrize("spread", [0.7, 1.0, 1.5, 2.0, 3.0, 5.0])
def test_digits_after_a_wild_move_are_charged_for(spread: float, deviations: int) -> None:
    places = seen(round(deviations * spread), spread)
    pips = np.arange(-60, 61)
    lands = np.array(
        [[normal_cdf((k + 0.5 - u) / spread) - normal_cdf((k - 0.5 - u) / spread) for u in PLACES] for k in pips]
    )
    for now in range(10):
        for kind, digit in ((T.DIGITMATCH, 3), (T.DIGITOVER, 4), (T.DIGITUNDER, 5), (T.DIGITODD, None)):
            won = wins(kind, 0, 0, last=(now + pips) % 10, digit=digit)
            priced = fair_probability(
                kind, sigma_tick=SIGMA, ticks=1, spot=spot_where(spread, now), pip=PIP, digit=digit
            )
            assert places @ lands[won].sum(axis=0) < priced + COMMISSION


def test_at_the_catalogue_s_prices_nothing_is_seen_and_nothing_charged() -> None:
    for symbol in (SYMBOLS["1HZ100V"], SYMBOLS["R_100"], SYMBOLS["1HZ10V"]):
        market: dict[str, Any] = {
            "sigma_tick": symbol.tick_sigma,
            "ticks": 6,
            "spot": symbol.initial_price,
            "pip": 0.01,
        }
        level = symbol.initial_price + 0.2
        assert fair_probability(T.ONETOUCH, upper=level, **market) == fair_probability(
            T.ONETOUCH, upper=level, levels="true", **market
        )
        assert fair_probability(T.DIGITMATCH, digit=1, **market) == 0.1
