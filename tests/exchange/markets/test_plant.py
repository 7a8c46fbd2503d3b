"""Planted edges over time: whole, fading by half-lives, or gone from a known instant on, in every planted world."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from paper_exchange.errors import SetupError
from paper_exchange.markets import simulate
from paper_exchange.markets.oracles import oracle
from paper_exchange.markets.plant import Plant
from xtitan_core.contracts import ContractType
from xtitan_core.symbols import PLANTED_DIGIT, PLANTED_SYMBOL, PLANTED_VOLATILITY, SYMBOLS, symbol

BEGIN = 1_772_409_600
DAY = 86_400
PLANTED = [name for name, entry in SYMBOLS.items() if entry.planted]
planted = pytest.mark.parametrize("name", PLANTED)


def quotes(name: str, plant: Plant, days: int = 2) -> npt.NDArray[np.float64]:
    return simulate(symbol(name), 2, BEGIN, plant).between(BEGIN, BEGIN + days * DAY - 1)[1]


def trace(name: str, series: npt.NDArray[np.float64]) -> float:
    """What the world's edge rests on, in standard errors: a standard normal number where there is no edge."""
    if name == PLANTED_DIGIT:
        digits = np.rint(series * 1_000).astype(np.int64) % 10
        return (float((digits[1:] == digits[:-1]).mean()) - 0.1) / math.sqrt(0.1 * 0.9 / len(digits))
    r = np.diff(np.log(series))
    if name == PLANTED_VOLATILITY:
        r = np.abs(r)
    # Over all lags that a regime lasts, as a drift of 0.15 hardly shows in neighbours alone.
    d = (r - r.mean()) / r.std()
    lags = range(1, 2 if name == PLANTED_SYMBOL else 41)
    return float(np.mean([(d[lag:] * d[:-lag]).mean() for lag in lags])) * math.sqrt(len(d) * len(lags))


def test_an_edge_lasts_unless_told_otherwise() -> None:
    assert Plant().strength(0) == Plant().strength(2**40) == 1.0
    assert Plant().strengths(BEGIN, 10, 2) is None


def test_an_edge_that_dies_is_whole_until_then() -> None:
    plant = Plant(until=BEGIN + 10)
    assert [plant.strength(BEGIN + s) for s in (9, 10, 11)] == [1.0, 0.0, 0.0]
    assert plant.strengths(BEGIN, 5, 2) is None
    assert plant.strengths(BEGIN, 7, 2) == [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]


def test_a_half_life_counts_from_its_start() -> None:
    plant = Plant(half_life=2.0, since=BEGIN)
    assert plant.strength(BEGIN - 5) == plant.strength(BEGIN) == 1.0
    assert plant.strength(BEGIN + 2 * DAY) == 0.5
    assert plant.strength(BEGIN + 6 * DAY) == 0.125
    assert plant.strengths(BEGIN - 10, 3, 2) is None
    assert plant.strengths(BEGIN + 2 * DAY, 2, 2 * DAY) == [0.5, 0.25]


@planted
def test_a_whole_edge_shows_in_the_ticks(name: str) -> None:
    assert trace(name, quotes(name, Plant())) > 15


@planted
def test_a_dead_edge_leaves_no_trace(name: str) -> None:
    assert abs(trace(name, quotes(name, Plant(until=BEGIN)))) < 4


@planted
def test_ticks_before_the_end_are_those_of_an_edge_that_lasts(name: str) -> None:
    half = DAY // 2
    lasting, dying = quotes(name, Plant(), 1), quotes(name, Plant(until=BEGIN + half), 1)
    ticks = half // symbol(name).tick_seconds
    assert dying[:ticks].tolist() == lasting[:ticks].tolist()
    assert dying[ticks:].tolist() != lasting[ticks:].tolist()


@planted
def test_a_tick_varies_as_nominal_whatever_is_planted(name: str) -> None:
    r = np.diff(np.log(quotes(name, Plant(), 8)))
    # Regimes of ten minutes leave some 600 independent pieces of variances 0.2 and 1.8.
    assert r.std() == pytest.approx(symbol(name).tick_sigma, rel=4 * 0.8 / 2 / math.sqrt(570))


def test_what_is_left_is_what_the_oracle_wins() -> None:
    # Five days of half-life and five days gone: half, and hardly less six hours later.
    plant = Plant(half_life=5.0, since=BEGIN - 5 * DAY)
    digits = np.rint(quotes(PLANTED_DIGIT, plant, 1)[: DAY // 8] * 1_000).astype(np.int64) % 10
    best = oracle(PLANTED_DIGIT, ContractType.DIGITMATCH, 1, plant, strength=plant.strength(BEGIN + DAY // 8))
    assert best.win_rate == pytest.approx(0.1 + 0.9 * 0.15, abs=0.005)
    repeats = float((digits[1:] == digits[:-1]).mean())
    assert repeats == pytest.approx(best.win_rate, abs=4 * math.sqrt(0.25 * 0.75 / len(digits)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phi": 1.0}, "choose --planted-phi"),
        ({"phi": math.nan}, "choose --planted-phi"),
        ({"contrast": 1.0}, "a contrast of 1.0"),
        ({"drift": -0.1}, "a drift of -0.1"),
        ({"memory": 1.5}, "a memory of 1.5"),
        ({"half_life": 0.0}, "choose a positive --edge-half-life"),
        ({"half_life": math.inf}, "choose a positive --edge-half-life"),
    ],
)
def test_edges_that_cannot_be(change: dict[str, float], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        Plant(**change)  # type: ignore[arg-type]


def test_worlds_do_not_share_their_edges() -> None:
    # Products of returns that cluster vary half as much again.
    assert abs(trace(PLANTED_SYMBOL, quotes(PLANTED_VOLATILITY, Plant()))) < 6
    assert abs(trace(PLANTED_SYMBOL, quotes(PLANTED_DIGIT, Plant()))) < 4
    assert abs(trace(PLANTED_VOLATILITY, quotes(PLANTED_DIGIT, Plant()))) < 4
