"""Step index and jump indices: one test a fact. stpRNG is held against its recording, the jump indices, of which no
tick was recorded, against what Deriv says of them and the law that is assumed."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from paper_exchange.markets import simulate
from xtitan_core.symbols import JUMP_EVERY, JUMP_SIGMAS, SYMBOLS, SymbolKind, symbol

BEGIN = 1_772_409_600
N = 30_000
JUMPS = [name for name, s in SYMBOLS.items() if s.kind is SymbolKind.JUMP]


@cache
def steps() -> npt.NDArray[np.float64]:
    """Moves of as many ticks of stpRNG as were recorded, in pips."""
    quotes = simulate(symbol("stpRNG"), 4, BEGIN).between(BEGIN, BEGIN + N - 1)[1]
    return np.rint(np.diff(quotes) * 10)


def test_every_step_is_a_tenth_up_or_down() -> None:
    assert set(steps().tolist()) == {-1.0, 1.0}


def test_the_coin_is_fair() -> None:
    # Recorded: P(up) = 0.4992.
    assert (steps() > 0).mean() == pytest.approx(0.4992, abs=4 * math.sqrt(2) * 0.5 / math.sqrt(N))


def test_runs_are_those_of_a_coin() -> None:
    # Recorded: runs test z = 0.12.
    runs = 1 + int((np.diff(steps()) != 0).sum())
    assert runs == pytest.approx(1 + (N - 2) / 2, abs=4 * math.sqrt(N) / 2)


@pytest.mark.parametrize(("lag", "recorded"), [(1, -0.001), (2, -0.006), (5, -0.001), (10, 0.001)])
def test_signs_have_no_memory(lag: int, recorded: float) -> None:
    s = steps()
    assert float((s[lag:] * s[:-lag]).mean()) == pytest.approx(recorded, abs=4 * math.sqrt(2 / N))


@pytest.mark.parametrize(("ticks", "tie"), [(1, 0.0), (2, 50.04), (5, 0.0), (10, 24.53)])
def test_ties(ticks: int, tie: float) -> None:
    moves = np.add.reduceat(steps(), np.arange(0, N - ticks, ticks))[:-1]
    recorded = tie / 100
    # Recorded over windows a tick apart, which say no more than these.
    error = math.sqrt(2 * recorded * (1 - recorded) / len(moves))
    assert (moves == 0).mean() == pytest.approx(recorded, abs=4 * error)


def test_annual_volatility() -> None:
    # Recorded: 7.06 % at about 7,945 points; a step is always 0.1, so it is the level that counts.
    quotes = simulate(symbol("stpRNG"), 4, BEGIN).between(BEGIN, BEGIN + N - 1)[1]
    volatility = float(np.diff(np.log(quotes)).std()) * math.sqrt(31_536_000)
    assert volatility * quotes.mean() / 7_945 == pytest.approx(0.0706, rel=0.003)


def test_the_last_digit_moves_by_one_each_tick() -> None:
    quotes = simulate(symbol("stpRNG"), 4, BEGIN).between(BEGIN, BEGIN + N - 1)[1]
    digits = np.rint(quotes * 10).astype(np.int64) % 10
    assert set((np.diff(digits) % 10).tolist()) == {1, 9}


@cache
def returns(name: str) -> npt.NDArray[np.float64]:
    """Five days of log returns in tick standard deviations."""
    quotes = simulate(symbol(name), 4, BEGIN).between(BEGIN, BEGIN + 5 * 86_400 - 1)[1]
    return np.diff(np.log(quotes)) / symbol(name).tick_sigma


def core(name: str) -> npt.NDArray[np.float64]:
    """Returns without the jumps: of a normal sample of this size, none would be larger."""
    r = returns(name)
    return r[np.abs(r) < 5.5]


jumping = pytest.mark.parametrize("name", JUMPS)


@jumping
def test_between_jumps_volatility_is_the_nominal_one(name: str) -> None:
    entry = symbol(name)
    rounding = float(entry.pip) ** 2 / 6 / (entry.initial_price * entry.tick_sigma) ** 2
    error = 4 / math.sqrt(2 * len(core(name)))
    # 0.01 for the small jumps that pass for ordinary returns.
    assert core(name).std() == pytest.approx(math.sqrt(1 + rounding), abs=error + 0.01)


@jumping
def test_jumps_come_every_twenty_minutes_on_average(name: str) -> None:
    # A Gaussian jump of 30 sigmas stands out in 85.5 % of the cases.
    seen = math.erfc(5.5 / JUMP_SIGMAS / math.sqrt(2))
    expected = len(returns(name)) / JUMP_EVERY * seen
    assert (np.abs(returns(name)) >= 5.5).sum() == pytest.approx(expected, abs=4 * math.sqrt(expected))


@jumping
def test_jumps_are_some_thirty_times_as_large_as_other_moves(name: str) -> None:
    jumps = returns(name)[np.abs(returns(name)) >= 5.5]
    # The root mean square, cut off below at 5.5, which leaves out 14.5 % of the jumps and little of their squares.
    seen = math.erfc(5.5 / JUMP_SIGMAS / math.sqrt(2))
    expected = math.sqrt(((JUMP_SIGMAS**2 + 1) * len(jumps) / seen) / len(jumps))
    assert math.sqrt(float((jumps**2).mean())) == pytest.approx(expected, rel=4 / math.sqrt(2 * len(jumps)))


@jumping
def test_jumps_go_either_way_and_have_no_memory(name: str) -> None:
    jumps = returns(name)[np.abs(returns(name)) >= 5.5]
    assert (jumps > 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(len(jumps)))
    gaps = np.diff(np.flatnonzero(np.abs(returns(name)) >= 5.5))
    # Geometric gaps have a coefficient of variation of one.
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=4 / math.sqrt(len(gaps)) * 1.5)


@jumping
def test_a_jump_index_has_no_drift(name: str) -> None:
    r = returns(name)
    assert abs(r.mean()) < 4 * r.std() / math.sqrt(len(r))
