"""Labels of one symbol-day: each contract that the heads predict, settled by the core as everywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xtitan_assets.modeling.samples import LABELS
from xtitan_assets.steps.features.partition_files import partition_path, read_partition, write_partition
from xtitan_assets.steps.ingest.ticks import read_ordered_day
from xtitan_assets.steps.report import Report, content_sha256
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.contracts import Contract, ContractType, DurationUnit, Epochs, Quotes, outcomes
from xtitan_core.symbols import symbol as look_up

BARRIER_DIGITS = 3
"""Significant digits of a barrier offset. Few digits keep the number of distinct contracts small."""


@dataclass(frozen=True, slots=True)
class DayLabels:
    """Outcomes of the contracts that start at each tick of a day.

    Attributes:
        epochs: decision epochs, int64 (n,).
        exit_epochs: when the last of the five was decided, 0 where one is unknown.
        won: uint8 (n, 5), columns as in ``LABELS``.
        known: bool (n,): False where the day's ticks end before a contract does.
    """

    epochs: Epochs
    exit_epochs: Epochs
    won: npt.NDArray[np.uint8]
    known: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelsReport(Report):
    """One built partition.

    Attributes:
        known: decisions with all five outcomes known.
        rates: share of wins by label.
        sha256: of the label arrays.
    """

    symbol: str
    day: str
    ticks: int
    known: int
    rates: dict[str, float]
    sha256: str


def barrier_offsets(quotes: Quotes, tick_sigma: float, sigmas: float, decimals: int) -> Quotes:
    """Distance of a barrier from the entry, known at the decision: ``sigmas`` tick moves at the decision's quote.

    Returns:
        Positive multiples of the price increment, shape of ``quotes``.
    """
    distance = sigmas * tick_sigma * quotes
    scale = 10.0 ** (BARRIER_DIGITS - 1 - np.floor(np.log10(distance)))
    rounded = np.round(np.round(distance * scale) / scale, decimals)
    return np.maximum(rounded, 10.0**-decimals)


def settle_all(symbol: str, epochs: Epochs, quotes: Quotes, params: Params) -> DayLabels:
    """Settle the five contracts at every tick.

    Args:
        symbol: for its price precision and nominal volatility.
        epochs, quotes: ticks, shape (n,). A contract starts at a tick's epoch plus the measured latency.
    """
    market = look_up(symbol)
    chosen = params.labels
    starts = epochs + chosen.latency_seconds
    unit = DurationUnit(chosen.unit)
    won = np.zeros((len(epochs), len(LABELS)), np.uint8)
    known = np.ones(len(epochs), bool)
    exits = np.zeros(len(epochs), np.int64)

    def settle(column: int, contract: Contract, at: npt.NDArray[np.int64]) -> None:
        result, settled, ended = outcomes(contract, starts[at], epochs, quotes, market.decimals)
        won[at, column] = result
        known[at] &= settled
        exits[at] = np.maximum(exits[at], ended)

    everywhere = np.arange(len(epochs))
    settle(0, Contract(ContractType.CALL, chosen.duration, unit), everywhere)
    settle(1, Contract(ContractType.PUT, chosen.duration, unit), everywhere)
    touch = barrier_offsets(quotes, market.tick_sigma, chosen.touch_sigmas, market.decimals)
    for offset in np.unique(touch):
        at = np.flatnonzero(touch == offset)
        settle(2, Contract(ContractType.ONETOUCH, chosen.duration, unit, float(offset)), at)
        settle(3, Contract(ContractType.ONETOUCH, chosen.duration, unit, -float(offset)), at)
    stay = barrier_offsets(quotes, market.tick_sigma, chosen.range_sigmas, market.decimals)
    for offset in np.unique(stay):
        at = np.flatnonzero(stay == offset)
        settle(4, Contract(ContractType.RANGE, chosen.duration, unit, float(offset), -float(offset)), at)
    return DayLabels(epochs, np.where(known, exits, 0), np.where(known[:, None], won, 0).astype(np.uint8), known)


def labels_path(home: Home, symbol: str, day: date) -> Path:
    """Where the labels of a symbol-day are."""
    return partition_path(home.labels, symbol, day)


def build_partition(symbol: str, day: date, home: Home, params: Params) -> LabelsReport:
    """Compute and write the labels of one symbol-day.

    Raises:
        StepError: missing or broken ticks.
    """
    epochs, quotes = read_ordered_day(home, symbol, day)
    built = settle_all(symbol, epochs, quotes, params)
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "epochs": built.epochs,
        "exit_epochs": built.exit_epochs,
        "won": built.won,
        "known": built.known,
    }
    write_partition(labels_path(home, symbol, day), arrays, _parameters(params))
    known = int(built.known.sum())
    rates = {
        name: round(float(built.won[built.known, column].mean()) if known else 0.0, 6)
        for column, name in enumerate(LABELS)
    }
    return LabelsReport(symbol, day.isoformat(), len(epochs), known, rates, content_sha256(*arrays.values()))


def load_partition(symbol: str, day: date, home: Home, params: Params) -> DayLabels:
    """Read a built partition.

    Raises:
        StepError: it is missing, broken or was built with other parameters.
    """
    arrays = read_partition(labels_path(home, symbol, day), _parameters(params))
    return DayLabels(**arrays)


def _parameters(params: Params) -> dict[str, Any]:
    # The slot grid picks the decisions; it does not change how a contract ends.
    return params.labels.model_dump(mode="json", exclude={"slot_seconds"})
