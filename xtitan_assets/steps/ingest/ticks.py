"""One symbol-day of ticks on disk: ``symbol=/date=.parquet`` and, beside it, a JSON note of where it came from.

Columns: ``epoch`` int64 (seconds UTC), ``quote`` float64. A closed day is written once and never changed. To revise a
day, a person deletes the file and ingests again.

pyarrow is imported inside the functions: the command line imports this module at every start and rarely reads ticks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.files import replacing, write_atomically


def midnight(day: date) -> int:
    """Epoch of the day's first second, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def day_of(epoch: float) -> date:
    """The UTC day that contains ``epoch``."""
    return datetime.fromtimestamp(epoch, UTC).date()


def tick_path(home: Home, symbol: str, day: date) -> Path:
    """Where the ticks of a symbol-day are."""
    return home.ticks / f"symbol={symbol}" / f"date={day.isoformat()}.parquet"


def note_path(home: Home, symbol: str, day: date) -> Path:
    """Where the note about a symbol-day is: source, rows, gaps."""
    return tick_path(home, symbol, day).with_suffix(".json")


def days_on_disk(home: Home, symbol: str) -> list[date]:
    """Days of a symbol that have been downloaded, oldest first."""
    files = (home.ticks / f"symbol={symbol}").glob("date=*.parquet")
    return sorted(date.fromisoformat(path.stem.removeprefix("date=")) for path in files)


def training_days(home: Home, symbol: str, count: int, warm_up_days: int) -> list[date]:
    """Of the newest ``count`` days on disk, those with their ``warm_up_days`` days before them, oldest first.

    Raises:
        StepError: there are fewer than ``count`` days, or none has its warm-up.
    """
    newest = days_on_disk(home, symbol)[-count:]
    before = [timedelta(days=k) for k in range(1, warm_up_days + 1)]
    usable = [day for day in newest if all(day - step in newest for step in before)]
    ingest = f"run `xtitan run ingest --set data.symbol={symbol}` first"
    if len(newest) < count:
        raise StepError(f"{symbol}: {len(newest)} of {count} days of ticks in {home.ticks}; {ingest}")
    if not usable:
        raise StepError(f"{symbol}: no day has {warm_up_days} day(s) of ticks before it for warm-up; raise data.days")
    return usable


def warm_up_days(anchor_bars: int, bar_seconds: int) -> int:
    """Whole days before a day that its anchored warm-up can reach into."""
    return -(-anchor_bars * bar_seconds // DAY)


def write_day(home: Home, symbol: str, day: date, epochs: Epochs, quotes: Quotes, note: Mapping[str, Any]) -> Path:
    """Write one symbol-day and its note atomically; the parquet file comes last, so it never exists without its note.

    Raises:
        FileExistsError: the day is already there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tick_path(home, symbol, day)
    if path.exists():
        raise FileExistsError(f"{path}: written once already")
    text = json.dumps(dict(note), sort_keys=True) + "\n"
    write_atomically(note_path(home, symbol, day), text.encode(), durable=True)
    table = pa.table({"epoch": np.asarray(epochs, np.int64), "quote": np.asarray(quotes, np.float64)})
    with replacing(path, durable=True) as file:
        pq.write_table(table, file)
    return path


def read_day(home: Home, symbol: str, day: date) -> tuple[Epochs, Quotes]:
    """Read one symbol-day.

    Returns:
        ``(epochs, quotes)``, int64 and float64, shape (n,).

    Raises:
        StepError: the file is missing, broken, or has other columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tick_path(home, symbol, day)
    try:
        table = pq.ParquetFile(path).read(columns=["epoch", "quote"])
        epochs = table.column("epoch").to_numpy()
        quotes = table.column("quote").to_numpy()
    except FileNotFoundError:
        raise StepError(f"{path}: not there; run `xtitan run ingest --set data.symbol={symbol}`") from None
    except (OSError, KeyError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:160]
        raise StepError(f"{path}: broken parquet ({reason}); delete it and run `xtitan run ingest` again") from error
    if epochs.dtype != np.int64 or quotes.dtype != np.float64 or len(epochs) == 0:
        raise StepError(f"{path}: expected rows of epoch int64 and quote float64; delete it and ingest again")
    return epochs, quotes


def read_ordered_day(home: Home, symbol: str, day: date) -> tuple[Epochs, Quotes]:
    """Read one symbol-day as ``read_day`` does, and refuse ticks that must not be used.

    The checks beside this file use ``read_day``, because they have to see bad ticks as well.

    Raises:
        StepError: as ``read_day``, or a tick is out of order, of another day, or no positive number.
    """
    epochs, quotes = read_day(home, symbol, day)
    start = midnight(day)
    inside = epochs[0] >= start and epochs[-1] < start + DAY
    if not (inside and (np.diff(epochs) > 0).all() and np.isfinite(quotes).all() and (quotes > 0).all()):
        raise StepError(
            f"{tick_path(home, symbol, day)}: ticks are out of order, of another day, or no positive numbers; "
            "delete it and run `xtitan run ingest` again"
        )
    return epochs, quotes


def read_note(home: Home, symbol: str, day: date) -> dict[str, Any]:
    """The note beside a symbol-day, empty when there is none."""
    try:
        note: dict[str, Any] = json.loads(note_path(home, symbol, day).read_text())
    except FileNotFoundError:
        return {}
    return note
