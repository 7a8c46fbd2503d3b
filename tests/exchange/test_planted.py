"""The planted market's oracle: its closed form against what it wins on the simulated series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paper_exchange.planted import DEFAULT_PHI, planted_oracle
from paper_exchange.series import SimulatedSeries
from xtitan_core.contracts import Contract, ContractType, DurationUnit, outcomes
from xtitan_core.symbols import PLANTED_SYMBOL, symbol

BEGIN = 1_772_409_600
DAYS = 6


@pytest.fixture(scope="module")
def ticks() -> tuple[np.ndarray, np.ndarray]:
    return SimulatedSeries(symbol(PLANTED_SYMBOL), 3, BEGIN, DEFAULT_PHI).between(BEGIN, BEGIN + DAYS * 86_400 - 1)


@pytest.mark.parametrize("duration", [1, 5, 10])
def test_oracle_wins_what_the_closed_form_says(ticks: tuple[np.ndarray, np.ndarray], duration: int) -> None:
    epochs, quotes = ticks
    at = np.arange(1, len(epochs) - 1, 12)
    move = quotes[at] - quotes[at - 1]
    call = outcomes(Contract(ContractType.CALL, duration, DurationUnit.TICKS), epochs[at], epochs, quotes, 2)
    put = outcomes(Contract(ContractType.PUT, duration, DurationUnit.TICKS), epochs[at], epochs, quotes, 2)
    use = call[1] & (move != 0)
    won = np.where(move > 0, call[0], put[0])[use]
    tied = (~call[0] & ~put[0])[use]
    n = int(use.sum())
    # Ties lose but are no news about direction; without them the closed form has to hold within four errors. The
    # move is read off rounded quotes, which costs a little of what the true last return would give.
    rate = won.sum() / (n - tied.sum())
    assert rate == pytest.approx(planted_oracle(DEFAULT_PHI, duration), abs=4 * 0.5 / math.sqrt(n) + 0.004)
    assert tied.mean() < 0.04


def test_five_ticks_at_the_default() -> None:
    assert planted_oracle(DEFAULT_PHI, 5) == pytest.approx(0.638, abs=0.001)


def test_the_oracle_of_one_tick_is_the_arcsine_law() -> None:
    # One tick bought one tick ahead: corr(r[k], r[k+2]) = phi^2.
    assert planted_oracle(0.6, 1) == pytest.approx(0.5 + math.asin(0.36) / math.pi)


def test_no_momentum_no_edge_and_delay_costs() -> None:
    assert planted_oracle(0.0, 5) == 0.5
    rates = [planted_oracle(0.75, 5, delay) for delay in range(1, 6)]
    assert rates == sorted(rates, reverse=True)
    assert planted_oracle(-0.5, 1) == planted_oracle(0.5, 1)


@pytest.mark.parametrize("arguments", [(1.0, 5), (-1.0, 5), (0.5, 0), (0.5, 5, 0)])
def test_impossible_arguments_are_refused(arguments: tuple[float, int]) -> None:
    with pytest.raises(ValueError, match="phi must lie"):
        planted_oracle(*arguments)
