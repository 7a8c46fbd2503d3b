"""Simulated series: Deriv's grid, the nominal volatility, and the same ticks however they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from paper_exchange.series import CACHED_DAYS, SimulatedSeries
from xtitan_core.symbols import SYMBOLS, symbol

DAY = 86_400
BEGIN = 1_772_409_600


def series(name: str = "R_100", seed: int = 1, phi: float = 0.0) -> SimulatedSeries:
    return SimulatedSeries(symbol(name), seed, BEGIN, phi)


@pytest.mark.parametrize("name", ["R_10", "1HZ100V"])
def test_ticks_lie_on_the_symbols_grid(name: str) -> None:
    step = symbol(name).tick_seconds
    epochs, quotes = series(name).between(BEGIN, BEGIN + DAY - 1)
    assert len(epochs) == len(quotes) == DAY // step
    assert set((np.diff(epochs)).tolist()) == {step}
    assert not (epochs % step).any()


def test_no_tick_off_the_grid_or_before_the_beginning() -> None:
    ticks = series()
    assert ticks.quote_at(BEGIN + 1) is None
    assert ticks.quote_at(BEGIN - 2) is None
    assert ticks.previous_epoch(BEGIN - 1) is None
    assert ticks.previous_epoch(BEGIN + 3) == BEGIN + 2
    assert ticks.next_epoch(BEGIN + 2) == BEGIN + 4
    assert ticks.next_epoch(BEGIN - 100) == BEGIN


def test_single_ticks_and_ranges_agree_across_midnight() -> None:
    ticks = series()
    epochs, quotes = ticks.between(BEGIN + DAY - 11, BEGIN + DAY + 11)
    assert epochs[0] == BEGIN + DAY - 10
    assert epochs[-1] == BEGIN + DAY + 10
    assert [ticks.quote_at(e) for e in epochs.tolist()] == quotes.tolist()


def test_a_day_does_not_depend_on_what_was_asked_before() -> None:
    late = series().between(BEGIN + 3 * DAY, BEGIN + 3 * DAY + 100)[1]
    walked = series()
    for day in range(4):
        walked.between(BEGIN + day * DAY, BEGIN + day * DAY + 5)
    assert walked.between(BEGIN + 3 * DAY, BEGIN + 3 * DAY + 100)[1].tolist() == late.tolist()


def test_days_dropped_from_the_cache_come_back_the_same() -> None:
    ticks = series("R_50")
    first = ticks.quote_at(BEGIN + 600)
    for day in range(CACHED_DAYS + 2):
        ticks.quote_at(BEGIN + day * DAY)
    assert ticks.quote_at(BEGIN + 600) == first


def test_seed_and_symbol_decide_the_ticks() -> None:
    def first(name: str, seed: int) -> list[float]:
        ticks = series(name, seed)
        return [ticks.quote_at(BEGIN + k) or 0.0 for k in range(0, 20, 2)]

    assert first("R_100", 1) == first("R_100", 1)
    assert first("R_100", 1) != first("R_100", 2)
    assert first("R_75", 1) != first("R_100", 1)


@pytest.mark.parametrize("name", [name for name, s in SYMBOLS.items() if not s.planted])
def test_realised_volatility_is_the_nominal_one(name: str) -> None:
    entry = symbol(name)
    returns = np.diff(np.log(series(name).between(BEGIN, BEGIN + 2 * DAY - 1)[1]))
    # Rounding to a pip adds pip^2/6 to the variance of a return; the rest is sampling error of 2 days.
    rounding = float(entry.pip) ** 2 / 6 / entry.initial_price**2
    expected = (entry.tick_sigma**2 + rounding) ** 0.5
    assert returns.std() == pytest.approx(expected, rel=5 / (2 * len(returns)) ** 0.5 + 0.01)


def test_fair_returns_carry_no_momentum_and_planted_ones_do() -> None:
    def autocorrelation(name: str, phi: float) -> float:
        returns = np.diff(np.log(series(name, phi=phi).between(BEGIN, BEGIN + 2 * DAY - 1)[1]))
        return float(np.corrcoef(returns[1:], returns[:-1])[0, 1])

    assert abs(autocorrelation("R_75", 0.0)) < 5 / 86_400**0.5
    assert autocorrelation("PLANTED_100", 0.75) == pytest.approx(0.75, abs=0.02)


def test_quotes_are_rounded_to_the_pip_and_positive() -> None:
    for name in ("R_10", "R_50", "1HZ25V"):
        quotes = series(name).between(BEGIN, BEGIN + 2_000)[1].tolist()
        assert all(q > 0 and round(q, symbol(name).decimals) == q for q in quotes)
