"""Markets with a known truth, written as tick partitions, and pipelines trained on them once per session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from support.dagster_workspace import definitions, empty_instance, exchange, project, workspace
from support.registry_workspace import migrated_database
from xtitan_assets.steps.ingest import ticks as tick_files
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY
from xtitan_core.randomness import stream

__all__ = ["definitions", "empty_instance", "exchange", "migrated_database", "project", "workspace"]

FIRST_DAY = date(2026, 1, 5)
TICKS_A_DAY = 43_200
SIGMA = 2.518e-4
"""Standard deviation of one tick's log return, R_100."""

Returns = npt.NDArray[np.float64]


def fair_returns(count: int, seed: int) -> Returns:
    """A driftless random walk: nothing can be predicted."""
    return SIGMA * stream(seed, "fair").standard_normal(count)


def momentum_returns(count: int, seed: int, phi: float = 0.75) -> Returns:
    """AR(1) returns. An oracle wins 63.8 % of 5-tick rise/fall contracts entered one tick later."""
    noise = SIGMA * (1.0 - phi * phi) ** 0.5 * stream(seed, "momentum").standard_normal(count)
    returns = np.empty(count)
    last = 0.0
    for t, shock in enumerate(noise.tolist()):
        last = phi * last + shock
        returns[t] = last
    return returns


def parity_returns(count: int, seed: int, strength: float = 0.7) -> Returns:
    """Drift that follows the product of neighbouring signs: invisible to anything linear, plain to a network."""
    returns = SIGMA * stream(seed, "parity").standard_normal(count)
    product = np.zeros(count)
    for t in range(7, count):
        returns[t] += SIGMA * strength * product[t - 6 : t - 1].mean()
        product[t] = np.sign(returns[t] * returns[t - 1])
    return returns


@dataclass(frozen=True)
class World:
    """A market on disk.

    Attributes:
        days: days with warm-up before them; one more day lies before the first.
    """

    home: Home
    params: Params
    days: list[date]

    @property
    def symbol(self) -> str:
        return self.params.data.symbol

    def ticks(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        parts = [
            tick_files.read_day(self.home, self.symbol, d) for d in tick_files.days_on_disk(self.home, self.symbol)
        ]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def write_world(root: Path, symbol: str, returns: Returns, **sections: dict[str, Any]) -> World:
    """Write whole days of 2-second ticks, prices rounded to the symbol's two decimals."""
    home = Home(root, root / "data")
    quotes = np.round(640.0 * np.exp(np.cumsum(returns)), 2)
    days = [FIRST_DAY + timedelta(days=k) for k in range(len(returns) // TICKS_A_DAY)]
    for k, day in enumerate(days):
        epochs = tick_files.midnight(day) + 2 * np.arange(TICKS_A_DAY, dtype=np.int64)
        part = slice(k * TICKS_A_DAY, (k + 1) * TICKS_A_DAY)
        tick_files.write_day(home, symbol, day, epochs, quotes[part], {"source": "test"})
    base: dict[str, Any] = {
        "data": {"symbol": symbol, "days": 2},
        "splits": {"folds": 2, "test_fraction": 0.3, "calibration_fraction": 0.2},
        "train": {"epochs": 4, "width": 8, "batch_size": 256},
    }
    for name, values in sections.items():
        base[name] = {**base.get(name, {}), **values}
    return World(home, Params.model_validate(base), days[1:])


def prepare(world: World) -> World:
    """Features, labels and dataset."""
    from xtitan_assets.steps.dataset import snapshot as dataset
    from xtitan_assets.steps.features import inputs as features
    from xtitan_assets.steps.features import labels

    for day in world.days:
        features.build_partition(world.symbol, day, world.home, world.params)
        labels.build_partition(world.symbol, day, world.home, world.params)
    dataset.build_dataset(world.home, world.params, world.days)
    return world


def train_and_package(world: World) -> World:
    """Everything from the dataset to the signed bundle."""
    from xtitan_assets.steps.model import calibrate, export, train

    train.train(world.home, world.params)
    calibrate.fit(world.home, world.params)
    now = tick_files.midnight(world.days[-1]) + DAY
    export.export(world.home, world.params, sequence=1, venue_epoch=now, lineage={"dagster_run_id": "test"})
    return world


@pytest.fixture(scope="session")
def new_world(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., World]:
    """Write a market of one's own: ``new_world(symbol, returns, section={...})``."""

    def build(symbol: str, returns: Returns, **sections: dict[str, Any]) -> World:
        return write_world(tmp_path_factory.mktemp("world"), symbol, returns, **sections)

    return build


@pytest.fixture(scope="session")
def momentum(new_world: Callable[..., World]) -> World:
    """A market with a planted edge and its dataset."""
    return prepare(new_world("PLANTED_100", momentum_returns(2 * TICKS_A_DAY, seed=1)))


@pytest.fixture(scope="session")
def fair(new_world: Callable[..., World]) -> World:
    """A market without any edge and its dataset."""
    return prepare(new_world("R_100", fair_returns(2 * TICKS_A_DAY, seed=2)))


@pytest.fixture(scope="session")
def momentum_bundle(momentum: World) -> World:
    """The momentum market, trained and packaged."""
    return train_and_package(momentum)


@pytest.fixture(scope="session")
def fair_bundle(fair: World) -> World:
    """The fair market, trained and packaged."""
    return train_and_package(fair)


@pytest.fixture(scope="session")
def parity(new_world: Callable[..., World]) -> World:
    """A market whose edge is not linear, and its dataset."""
    returns = parity_returns(2 * TICKS_A_DAY, seed=3)
    return prepare(new_world("PLANTED_100", returns, train={"epochs": 6, "width": 16}))


@pytest.fixture(scope="session")
def parity_bundle(parity: World) -> World:
    """The market whose edge is not linear, trained and packaged."""
    return train_and_package(parity)
