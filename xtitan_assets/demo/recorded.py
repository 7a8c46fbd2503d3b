"""Real ticks twice: as recorded, and with the signs of their returns redrawn so that an oracle wins a known share.

The second file is the positive control, because a gate that never opens is broken as well. It keeps the recording's
magnitudes, gaps and price grid and gives the signs a persistence whose best possible win rate is computed. Recordings
are short, so a simulated history is put before them, marked as simulated in the file and excluded from evidence.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xtitan_assets.workspace.errors import PipelineError
from xtitan_core.clock import DAY, midnight
from xtitan_core.randomness import stream
from xtitan_core.symbols import Symbol

if TYPE_CHECKING:
    from xtitan_core.contracts import Epochs, Quotes

Floats = npt.NDArray[np.float64]


class RecordingError(PipelineError, ValueError):
    """A recording cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Ticks read from a file: ``epochs`` int64 and ``quotes`` float64, shape (n,), strictly increasing in time."""

    epochs: Epochs
    quotes: Quotes


def read_recording(path: Path) -> Recording:
    """Read ``epoch,quote`` from csv, csv.gz or parquet.

    Raises:
        RecordingError: when the file is missing, has other columns, too few rows or impossible values.
    """
    import pandas as pd

    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except FileNotFoundError:
        raise RecordingError(f"{path}: no such file; name a recording with --file") from None
    except Exception as error:
        raise RecordingError(
            f"{path}: cannot be read as csv or parquet ({str(error).strip().partition(chr(10))[0]}); give another file"
        ) from error
    if not {"epoch", "quote"} <= set(frame.columns):
        columns = ", ".join(map(str, frame.columns))
        raise RecordingError(f"{path}: expected columns epoch,quote, found {columns}; rename them")
    try:
        epochs = frame["epoch"].to_numpy(np.int64)
        quotes = frame["quote"].to_numpy(np.float64)
    except (ValueError, TypeError) as error:
        raise RecordingError(f"{path}: epoch or quote is not a number ({error}); repair or cut the file") from error
    if len(epochs) < 2_000:
        raise RecordingError(f"{path}: {len(epochs)} ticks are too few to judge a model on; 2,000 are needed")
    if (np.diff(epochs) <= 0).any() or not np.isfinite(quotes).all() or (quotes <= 0).any():
        raise RecordingError(f"{path}: epochs must rise strictly and quotes be positive numbers; repair or cut it")
    return Recording(epochs, quotes)


def oracle_win_rate(magnitudes: Floats, persistence: float, ticks: int, pip: float) -> float:
    """Best possible win rate of an n-tick rise/fall contract when signs persist.

    The oracle knows the sign of the last tick before the decision. The entry is the next tick, the contract runs over
    the ``ticks`` returns after it; all sign paths are enumerated on the recording's own magnitudes.

    Args:
        magnitudes: absolute log returns in order, shape (n,).
        persistence: probability that a return keeps the sign of the one before.
        ticks: length of the contract.
        pip: smallest price step relative to the price. Quotes are rounded to it and ties lose, so a move of less than
            one pip wins only with probability move/pip.
    """
    windows = np.lib.stride_tricks.sliding_window_view(magnitudes, ticks)
    total = 0.0
    for signs in itertools.product((1, -1), repeat=ticks + 1):
        flips = sum(a != b for a, b in itertools.pairwise((1, *signs)))
        weight = persistence ** (ticks + 1 - flips) * (1.0 - persistence) ** flips
        total += weight * float(np.clip(windows @ np.asarray(signs[1:], dtype=np.float64) / pip, 0.0, 1.0).mean())
    return total


def persistence_for(magnitudes: Floats, ticks: int, pip: float, win_rate: float) -> float:
    """Persistence at which the oracle wins ``win_rate`` (bisection; the win rate rises with persistence)."""
    low, high = 0.5, 0.999
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if oracle_win_rate(magnitudes, middle, ticks, pip) < win_rate else (low, middle)
    return (low + high) / 2


def persistent_signs(count: int, persistence: float, rng: np.random.Generator) -> Floats:
    """A sign sequence (+1/-1) of a symmetric two-state Markov chain."""
    flips = rng.random(count) >= persistence
    first = 1.0 if rng.random() < 0.5 else -1.0
    signs: Floats = first * np.where(np.cumsum(flips) % 2 == 0, 1.0, -1.0)
    return signs


def redrawn(
    recording: Recording, symbol: Symbol, days: int, persistence: float, seed: int
) -> dict[str, npt.NDArray[Any]]:
    """Columns ``epoch, quote, simulated``: a simulated history and the recording, both with redrawn signs.

    Args:
        recording: the real ticks; their epochs and the magnitudes of their returns are kept.
        symbol: gives tick grid, precision and volatility of the history.
        days: whole UTC days of history before the recording's first midnight.
        persistence: probability that a return keeps its predecessor's sign.
        seed: of the signs and of the history's magnitudes.
    """
    rng = stream(seed, "redrawn", symbol.name)
    start = midnight(int(recording.epochs[0])) - days * DAY
    first = int(recording.epochs[0])
    history = np.arange(start + (-start) % symbol.tick_seconds, first, symbol.tick_seconds, dtype=np.int64)
    before = np.abs(rng.normal(0.0, symbol.tick_sigma, len(history)))
    real = np.abs(np.diff(np.log(recording.quotes)))
    signs = persistent_signs(len(before) + len(real), persistence, rng)
    returns = signs * np.concatenate([before, real])
    path = np.concatenate([[0.0], np.cumsum(returns)])
    # The path passes through the recording's first quote where the recording starts.
    quotes = np.round(recording.quotes[0] * np.exp(path - path[len(before)]), symbol.decimals)
    return {
        "epoch": np.concatenate([history, recording.epochs]),
        "quote": quotes,
        "simulated": np.concatenate([np.ones(len(history), np.int8), np.zeros(len(recording.epochs), np.int8)]),
    }


def write_market(path: Path, columns: dict[str, npt.NDArray[Any]]) -> Path:
    """Write a replay file that the exchange reads (csv, gzip)."""
    import pandas as pd

    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(columns).to_csv(path, index=False)
    return path
