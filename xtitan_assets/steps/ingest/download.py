"""Ticks of closed days from the venue to disk: paged, resumable, write-once, with every gap on record.

A run that is interrupted keeps the days it finished; the next run starts at the first missing one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from xtitan_assets.steps.ingest.ticks import day_of, midnight, note_path, read_note, tick_path, write_day
from xtitan_assets.steps.ingest.venue import is_deriv, public_socket
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.interrupts import attended
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import DerivError
from xtitan_core.deriv.history import fetch_ticks
from xtitan_core.symbols import UnknownSymbolError, symbol

REPAIRS = 20
"""Gaps of one day that are asked for once more; a day with more is recorded as it is."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing ticks between two present ones.

    Attributes:
        after, before: epochs of the present ticks on either side (the day's bounds at its ends).
        missing: ticks of the symbol's grid that are not there.
    """

    after: int
    before: int
    missing: int


@dataclass(frozen=True, slots=True)
class DayReport(Report):
    """What one symbol-day on disk holds.

    Attributes:
        kept: True when the file was there already.
        rows, expected: ticks present, and ticks on the symbol's grid.
        gaps: every hole, as recorded.
    """

    symbol: str
    day: date
    kept: bool
    rows: int
    expected: int
    gaps: tuple[Gap, ...]
    source: str

    def as_metadata(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "expected": self.expected,
            "missing": sum(gap.missing for gap in self.gaps),
            "gaps": len(self.gaps),
            "kept": self.kept,
            "source": self.source,
        }


def find_gaps(epochs: Epochs, start: int, end: int, tick_seconds: int) -> tuple[Gap, ...]:
    """Holes of more than one grid step in ``[start, end)``.

    Args:
        epochs: strictly increasing, int64, shape (n,).
        start: first grid epoch that should be there.
        end: first epoch that belongs to the next day.
        tick_seconds: the symbol's grid.
    """
    marks = np.concatenate(([start - tick_seconds], epochs, [end]))
    missing = np.diff(marks) // tick_seconds - 1
    return tuple(Gap(int(marks[i]), int(marks[i + 1]), int(missing[i])) for i in np.flatnonzero(missing > 0))


def collect(
    home: Home,
    params: Params,
    symbol_name: str,
    days: Sequence[date],
    progress: Callable[[str], None] = lambda line: None,
) -> list[DayReport]:
    """Download the days that are not on disk yet; a connection is opened only when there are some.

    Args:
        progress: called with one line for each downloaded day.

    Raises:
        StepError: unknown symbol, unreachable venue, a day that is not closed yet or has no ticks.
    """
    try:
        symbol(symbol_name)
    except UnknownSymbolError as error:
        raise StepError(str(error)) from None
    wanted = [day for day in sorted(set(days)) if not tick_path(home, symbol_name, day).exists()]
    if wanted:
        attended(_download(home, params, symbol_name, wanted, progress))
    return [_report(home, symbol_name, day, kept=day not in wanted) for day in sorted(set(days))]


def prune(home: Home, params: Params, symbol_name: str, venue_now: int) -> list[date]:
    """Delete Deriv's ticks older than ``venue.retention_days`` (0 keeps everything); other sources are kept.

    Returns:
        The days that were deleted.
    """
    if params.venue.retention_days == 0:
        return []
    limit = day_of(venue_now - params.venue.retention_days * DAY)
    deleted = []
    for path in sorted((home.ticks / f"symbol={symbol_name}").glob("date=*.parquet")):
        day = date.fromisoformat(path.stem.removeprefix("date="))
        if day < limit and is_deriv(str(read_note(home, symbol_name, day).get("source", ""))):
            path.unlink()
            note_path(home, symbol_name, day).unlink(missing_ok=True)
            deleted.append(day)
    return deleted


def _report(home: Home, symbol_name: str, day: date, *, kept: bool) -> DayReport:
    note = read_note(home, symbol_name, day)
    if not note:
        raise StepError(f"{note_path(home, symbol_name, day)}: missing; delete the day's parquet file and ingest again")
    gaps = tuple(Gap(*row) for row in note["gaps"])
    return DayReport(symbol_name, day, kept, note["rows"], note["expected"], gaps, note["source"])


async def _download(
    home: Home, params: Params, symbol_name: str, days: Sequence[date], progress: Callable[[str], None]
) -> None:
    async with public_socket(params) as client:
        now = int((await client.request({"time": 1}))["time"])
        late = [day for day in days if midnight(day) + DAY > now]
        if late:
            raise StepError(f"{late[0]} is not over at the venue (its time is {now}); only closed days are stored")
        for number, day in enumerate(days, start=1):
            report = await _one_day(home, params, client, symbol_name, day)
            progress(
                f"{symbol_name} {day}: {report} ticks" + (f" ({number} of {len(days)} days)" if len(days) > 1 else "")
            )


async def _one_day(home: Home, params: Params, client: DerivClient, symbol_name: str, day: date) -> int:
    known = symbol(symbol_name)
    start, end = midnight(day), midnight(day) + DAY
    epochs, quotes = await _fetch(client, symbol_name, start, end)
    if len(epochs) == 0:
        raise StepError(
            f"{symbol_name} has no ticks on {day}: the market was closed or the history does not reach back"
        )
    holes = find_gaps(epochs, start, end, known.tick_seconds)
    if 0 < len(holes) <= REPAIRS:
        for gap in holes:
            more_epochs, more_quotes = await _fetch(client, symbol_name, gap.after + 1, gap.before)
            epochs, first = np.unique(np.concatenate((epochs, more_epochs)), return_index=True)
            quotes = np.concatenate((quotes, more_quotes))[first]
        holes = find_gaps(epochs, start, end, known.tick_seconds)
    note = {
        "symbol": symbol_name,
        "day": day.isoformat(),
        "source": params.venue.url,
        "rows": len(epochs),
        "expected": DAY // known.tick_seconds,
        "gaps": [[gap.after, gap.before, gap.missing] for gap in holes],
    }
    write_day(home, symbol_name, day, epochs, quotes, note)
    return len(epochs)


async def _fetch(client: DerivClient, symbol_name: str, start: int, end: int) -> tuple[Epochs, Quotes]:
    """Ticks with ``start <= epoch < end``."""
    try:
        epochs, quotes, _ = await fetch_ticks(client, symbol_name, start, end - 1)
    except DerivError as error:
        raise StepError(f"{symbol_name}: the venue refused its history ({error}); check data.symbol") from error
    inside = (epochs >= start) & (epochs < end)
    return epochs[inside], quotes[inside]
