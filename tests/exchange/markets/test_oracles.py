"""The planted worlds' oracles: what is computed against what a rule that knows the state wins on the simulated ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from paper_exchange.markets import simulate
from paper_exchange.markets.oracles import Oracle, OracleError, momentum_win_rate, oracle
from paper_exchange.markets.plant import DEFAULT_MEMORY, DEFAULT_PHI, Plant
from paper_exchange.markets.regimes import DriftRegimes, VolatilityRegimes
from xtitan_core.contracts import Contract, ContractType, DurationUnit, outcomes
from xtitan_core.symbols import PLANTED_DIGIT, PLANTED_DRIFT, PLANTED_SYMBOL, PLANTED_VOLATILITY, symbol

BEGIN = 1_772_409_600
DAY = 86_400
DAYS = 10
T = ContractType


@cache
def ticks(name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    return simulate(symbol(name), 3, BEGIN).between(BEGIN, BEGIN + DAYS * DAY - 1)


@cache
def regimes(name: str) -> npt.NDArray[np.int64]:
    """The regime of every tick, which only the market knows."""
    kind = VolatilityRegimes if name == PLANTED_VOLATILITY else DriftRegimes
    law = kind(symbol(name), 3, Plant(), BEGIN)
    parts, before = [], int(law.begin()[1])
    for day in range(DAYS):
        parts.append(law.regimes(day, before))
        before = int(parts[-1][-1])
    return np.concatenate(parts)


@dataclass
class Lives:
    """Contracts of ``n`` ticks bought one tick before their entry, one after the other.

    Attributes:
        state: the regime at the decision.
        last, highest, lowest: of the moves after the entry, in tick standard deviations.
    """

    state: npt.NDArray[np.int64]
    last: npt.NDArray[np.float64]
    highest: npt.NDArray[np.float64]
    lowest: npt.NDArray[np.float64]

    def wins(self, kind: ContractType, high: float, low: float) -> npt.NDArray[np.bool_]:
        stays = (self.highest < high) & (self.lowest > low)
        inside = (self.last < high) & (self.last > low)
        return {
            T.CALL: self.last > 0,
            T.PUT: self.last < 0,
            T.HIGHER: self.last > high,
            T.LOWER: self.last < high,
            T.ONETOUCH: ~stays,
            T.NOTOUCH: stays,
            T.RANGE: stays,
            T.UPORDOWN: ~stays,
            T.EXPIRYRANGE: inside,
            T.EXPIRYMISS: ~inside,
        }[kind]


def lives(name: str, n: int) -> Lives:
    logs = np.log(ticks(name)[1]) / symbol(name).tick_sigma
    decided = np.arange(0, len(logs) - n - 2, n + 1)
    moves = logs[decided[:, None] + 1 + np.arange(1, n + 1)] - logs[decided + 1, None]
    return Lives(regimes(name)[decided], moves[:, -1], moves.max(axis=1), moves.min(axis=1))


VOLATILITY_CASES = [
    (T.ONETOUCH, 1, 10, {"barrier": 4.0}),
    (T.ONETOUCH, 1, 10, {"barrier": -4.0}),
    (T.NOTOUCH, 0, 10, {"barrier": 2.0}),
    (T.RANGE, 0, 10, {"barrier": 3.0, "barrier2": -3.0}),
    (T.UPORDOWN, 1, 10, {"barrier": 5.0, "barrier2": -3.5}),
    (T.EXPIRYRANGE, 0, 20, {"barrier": 4.0, "barrier2": -3.0}),
    (T.EXPIRYMISS, 1, 20, {"barrier": 4.0, "barrier2": -3.0}),
    (T.ONETOUCH, 1, 150, {"barrier": 15.0}),
]
DRIFT_CASES = [
    (T.CALL, 1, 5, {}),
    (T.PUT, 0, 5, {}),
    (T.HIGHER, 1, 10, {"barrier": 2.0}),
    (T.HIGHER, 1, 10, {"barrier": -2.0}),
    (T.LOWER, 0, 10, {"barrier": 1.0}),
    (T.ONETOUCH, 1, 10, {"barrier": 3.0}),
    (T.ONETOUCH, 0, 10, {"barrier": -3.0}),
    (T.NOTOUCH, 0, 10, {"barrier": 3.0}),
]


@pytest.mark.parametrize(
    ("name", "kind", "state", "n", "barriers"),
    [(PLANTED_VOLATILITY, *case) for case in VOLATILITY_CASES] + [(PLANTED_DRIFT, *case) for case in DRIFT_CASES],
)
def test_a_regimes_oracle_wins_what_is_computed(
    name: str, kind: ContractType, state: int, n: int, barriers: dict[str, float]
) -> None:
    best = oracle(name, kind, n, **barriers)
    bought = lives(name, n)
    given = [*barriers.values(), math.inf]
    high, low = given[0], barriers.get("barrier2", -math.inf)
    if kind in (T.ONETOUCH, T.NOTOUCH) and high < 0:
        high, low = math.inf, high
    chosen = bought.state == state
    won = bought.wins(kind, high, low)
    rate, error = won[chosen].mean(), math.sqrt(best.win_rate * (1 - best.win_rate) / chosen.sum())
    assert rate == pytest.approx(best.win_rate, abs=4 * error)
    # It is the better regime, and better than what the house prices.
    assert rate > won[~chosen].mean()
    assert best.win_rate > best.priced


def test_regimes_are_shared_equally() -> None:
    for name, length in ((PLANTED_VOLATILITY, 300), (PLANTED_DRIFT, 100)):
        states = regimes(name)
        # Some len(states) / length independent stretches.
        assert states.mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(len(states) / (2 * length)))
        assert (np.diff(states) != 0).mean() == pytest.approx(1 / length, rel=4 / math.sqrt(len(states) / length))


@pytest.mark.parametrize("duration", [1, 5, 10])
def test_momentums_oracle_wins_what_the_closed_form_says(duration: int) -> None:
    epochs, quotes = ticks(PLANTED_SYMBOL)
    at = np.arange(1, len(epochs) - 1, 12)
    move = quotes[at] - quotes[at - 1]
    call = outcomes(Contract(T.CALL, duration, DurationUnit.TICKS), epochs[at], epochs, quotes, 2)
    put = outcomes(Contract(T.PUT, duration, DurationUnit.TICKS), epochs[at], epochs, quotes, 2)
    use = call[1] & (move != 0)
    won = np.where(move > 0, call[0], put[0])[use]
    tied = (~call[0] & ~put[0])[use]
    n = int(use.sum())
    # Ties lose but are no news about direction; without them the closed form has to hold within four errors. The
    # move is read off rounded quotes, which costs a little of what the true last return would give.
    rate = won.sum() / (n - tied.sum())
    assert rate == pytest.approx(momentum_win_rate(DEFAULT_PHI, duration), abs=4 * 0.5 / math.sqrt(n) + 0.004)
    assert tied.mean() < 0.04


def test_five_ticks_at_the_default() -> None:
    assert momentum_win_rate(DEFAULT_PHI, 5) == pytest.approx(0.638, abs=0.001)
    assert oracle(PLANTED_SYMBOL, T.CALL, 5) == Oracle(momentum_win_rate(DEFAULT_PHI, 5), 0.5, 0.5)


def test_momentums_oracle_of_one_tick_is_the_arcsine_law() -> None:
    # One tick bought one tick ahead: corr(r[k], r[k+2]) = phi^2.
    assert momentum_win_rate(0.6, 1) == pytest.approx(0.5 + math.asin(0.36) / math.pi)


def test_no_momentum_no_edge_and_delay_costs() -> None:
    assert momentum_win_rate(0.0, 5) == 0.5
    rates = [momentum_win_rate(0.75, 5, delay) for delay in range(1, 6)]
    assert rates == sorted(rates, reverse=True)
    assert momentum_win_rate(-0.5, 1) == momentum_win_rate(0.5, 1)


@pytest.mark.parametrize("arguments", [(1.0, 5), (-1.0, 5), (0.5, 0), (0.5, 5, 0)])
def test_impossible_momentum_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(OracleError, match="phi must lie"):
        momentum_win_rate(*arguments)


@pytest.mark.parametrize(
    ("kind", "digit", "n"),
    [
        (T.DIGITMATCH, None, 1),
        (T.DIGITMATCH, 7, 2),
        (T.DIGITDIFF, None, 1),
        (T.DIGITDIFF, 3, 1),
        (T.DIGITOVER, 6, 2),
        (T.DIGITUNDER, 4, 1),
        (T.DIGITEVEN, None, 1),
        (T.DIGITODD, None, 3),
    ],
)
def test_digits_oracle_wins_what_the_closed_form_says(kind: ContractType, digit: int | None, n: int) -> None:
    best = oracle(PLANTED_DIGIT, kind, n, digit=digit)
    digits = np.rint(ticks(PLANTED_DIGIT)[1] * 1_000).astype(np.int64) % 10
    # Decided at tick k; the entry tick k + 1 is number 1, the exit is number n.
    now, last = digits[:-n], digits[n:]
    predicted = now if kind is T.DIGITMATCH else (now + 1) % 10
    target = np.full(len(now), digit) if digit is not None else predicted

    def wins(d: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return {
            T.DIGITMATCH: d == target,
            T.DIGITDIFF: d != target,
            T.DIGITOVER: d > target,
            T.DIGITUNDER: d < target,
            T.DIGITEVEN: d % 2 == 0,
            T.DIGITODD: d % 2 == 1,
        }[kind]

    buys = wins(now)
    count = int(buys.sum())
    assert buys.mean() == pytest.approx(best.share, abs=0.01)
    error = math.sqrt(best.win_rate * (1 - best.win_rate) / count)
    assert wins(last)[buys].mean() == pytest.approx(best.win_rate, abs=5 * error)
    if best.share < 1:
        # Who buys at any instant wins what is priced.
        assert wins(last).mean() == pytest.approx(best.priced, abs=0.01)


def test_without_an_edge_every_oracle_is_worth_what_is_priced() -> None:
    for name, kind, barriers in (
        (PLANTED_SYMBOL, T.CALL, {}),
        (PLANTED_VOLATILITY, T.ONETOUCH, {"barrier": 3.0}),
        (PLANTED_VOLATILITY, T.EXPIRYRANGE, {"barrier": 3.0, "barrier2": -3.0}),
        (PLANTED_DRIFT, T.HIGHER, {"barrier": 1.0}),
        (PLANTED_DIGIT, T.DIGITEVEN, {}),
    ):
        best = oracle(name, kind, 10, strength=0.0, **barriers)
        assert best.win_rate == pytest.approx(best.priced, abs=1e-12)


def test_both_sides_of_a_regime_add_up() -> None:
    # In the calm regime NOTOUCH wins what ONETOUCH loses there; the oracles differ by the regime alone.
    wild = oracle(PLANTED_VOLATILITY, T.ONETOUCH, 10, barrier=3.0)
    calm = oracle(PLANTED_VOLATILITY, T.NOTOUCH, 10, barrier=3.0)
    assert wild.priced + calm.priced == pytest.approx(1.0)
    assert wild.win_rate + calm.win_rate > 1.0


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("R_100", T.CALL, 5), {}, "has no planted edge; choose one of PLANTED_100"),
        ((PLANTED_SYMBOL, T.ONETOUCH, 5), {"barrier": 1.0}, "no edge in ONETOUCH; choose one of CALL"),
        ((PLANTED_SYMBOL, T.CALL, 0), {}, "ticks must lie in 1 to 300"),
        ((PLANTED_SYMBOL, T.CALL, 301), {}, "ticks must lie in 1 to 300"),
        ((PLANTED_SYMBOL, T.CALL, 5), {"delay": 0}, "delay be positive"),
        ((PLANTED_DRIFT, T.HIGHER, 5), {}, "takes 1 barriers"),
        ((PLANTED_DRIFT, T.CALL, 5), {"barrier": 1.0}, "takes 0 barriers"),
        ((PLANTED_SYMBOL, T.CALL, 5), {"barrier": 1.0}, "takes 0 barriers"),
        ((PLANTED_SYMBOL, T.CALL, 5), {"digit": 1}, "takes no digit"),
        ((PLANTED_DIGIT, T.DIGITEVEN, 5), {"barrier": 1.0}, "takes no barrier"),
        ((PLANTED_DRIFT, T.HIGHER, 5), {"barrier": math.nan}, "must be finite"),
        ((PLANTED_DRIFT, T.ONETOUCH, 5), {"barrier": 0.0}, "away from the entry"),
        ((PLANTED_VOLATILITY, T.RANGE, 5), {"barrier": 1.0, "barrier2": 0.5}, "barrier2 below it"),
        ((PLANTED_DIGIT, T.DIGITOVER, 5), {}, "takes a digit from 0 to 8"),
        ((PLANTED_DIGIT, T.DIGITUNDER, 5), {"digit": 0}, "takes a digit from 1 to 9"),
        ((PLANTED_DIGIT, T.DIGITEVEN, 5), {"digit": 1}, "takes no digit"),
    ],
)
def test_contracts_that_cannot_be(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(OracleError, match=message):
        oracle(*arguments, **options)


def test_the_default_memory_makes_three_in_ten_repeat() -> None:
    assert DEFAULT_MEMORY == 0.3
    assert oracle(PLANTED_DIGIT, T.DIGITMATCH, 1).win_rate == pytest.approx(0.37)
