"""Simulated against recorded ticks themselves, where the recordings are at hand: the same distributions, and replays."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from paper_exchange.markets import simulate
from paper_exchange.markets.recording import Ticks, read_ticks
from paper_exchange.markets.world import build_world
from xtitan_core.symbols import symbol

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "real"
FILES = {path.name.split("_2026")[0].removeprefix("ticks_"): path for path in FOLDER.glob("ticks_*.csv.gz")}
BEGIN = 1_772_409_600
Array = npt.NDArray[np.float64]
VOLATILITY, SPIKES = ["R_10", "R_25", "R_100"], ["BOOM500", "CRASH500"]


def recording(name: str) -> Ticks:
    if name not in FILES:
        pytest.skip("the recorded ticks are not beside this checkout")
    return read_ticks(FILES[name])


def simulated(name: str, n: int, level: float) -> Array:
    """Quotes from the recorded price level on."""
    entry = replace(symbol(name), initial_price=level)
    return simulate(entry, 8, BEGIN).between(BEGIN, BEGIN + (n - 1) * entry.tick_seconds)[1]


def moves(name: str, quotes: Array, stream: int) -> Array:
    """Log moves of quotes that are spread evenly over their pip: the test below is made for laws without atoms."""
    pip = float(symbol(name).pip)
    spread = np.random.Generator(np.random.PCG64(stream)).uniform(-0.5, 0.5, len(quotes))
    return np.diff(np.log(quotes + pip * spread))


def distance(a: Array, b: Array) -> float:
    """The Kolmogorov-Smirnov statistic of two samples times its scale; 1.95 is its 0.1 % point."""
    grid = np.sort(np.concatenate([a, b]))
    gap = np.searchsorted(np.sort(a), grid, "right") / len(a) - np.searchsorted(np.sort(b), grid, "right") / len(b)
    return float(np.abs(gap).max()) * math.sqrt(len(a) * len(b) / (len(a) + len(b)))


@pytest.mark.parametrize("name", [*VOLATILITY, *SPIKES, "stpRNG"])
@pytest.mark.parametrize("ticks", [1, 10])
def test_moves_have_the_recorded_distribution(name: str, ticks: int) -> None:
    recorded = recording(name).quotes
    made = simulated(name, 80_000, float(recorded[0]))
    assert distance(moves(name, recorded[::ticks], 1), moves(name, made[::ticks], 2)) < 1.95


@pytest.mark.parametrize("name", [*VOLATILITY, *SPIKES, "stpRNG"])
def test_a_recording_replays_tick_by_tick(name: str) -> None:
    ticks = recording(name)
    today = float(ticks.epochs[-1] + 200 * 86_400)
    world = build_world(seed=1, today=today, history_days=1, recording=ticks, recorded_symbol=name)
    source = world.sources[name]
    assert (world.start, world.end) == (int(ticks.epochs[0]), int(ticks.epochs[-1]))
    epochs, quotes = source.between(world.start, world.end)
    assert epochs.tolist() == ticks.epochs.tolist()
    assert quotes.tolist() == ticks.quotes.tolist()
    # The simulated day before leads up to it without a jump that the law would not make.
    before = source.between(world.start - 1_000, world.start)[1]
    largest = np.abs(np.diff(np.log(before))[-1])
    assert largest < (0.005 if name in SPIKES else 6 * symbol(name).tick_sigma)
