"""A recorded tick series, with simulated ticks before it where there is no recording."""

from __future__ import annotations

import csv
import gzip
import io
import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paper_exchange.errors import SetupError
from paper_exchange.markets import simulate
from xtitan_core.clock import DAY, midnight
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.symbols import Symbol, SymbolKind

MAX_BYTES = 1 << 30
"""Largest recording read, unpacked."""

EARLIEST = 946_684_800
"""2000-01-01T00:00:00Z. Paper time never starts earlier, so a smaller epoch is a mistake."""

LATEST = 4_102_444_800
"""2100-01-01T00:00:00Z. A larger epoch is not in seconds."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of a file.

    Attributes:
        epochs: int64, strictly increasing.
        quotes: float64, positive.
        simulated: bool per tick, or None when the file has no such column.
    """

    epochs: Epochs
    quotes: Quotes
    simulated: list[bool] | None


class RecordedSeries:
    """Ticks known in advance, in order; the series ends with the last one."""

    def __init__(self, symbol: Symbol, epochs: Epochs, quotes: Quotes) -> None:
        self.symbol = symbol
        self._epochs, self._quotes = epochs, quotes
        # Lists for single look-ups: bisect on a list is several times faster than searchsorted on an array.
        self._times: list[int] = epochs.tolist()
        self._values: list[float] = quotes.tolist()
        self.first_epoch: int = self._times[0]
        self.last_epoch: int | None = self._times[-1]

    def quote_at(self, epoch: int) -> float | None:
        i = bisect_left(self._times, epoch)
        return self._values[i] if i < len(self._times) and self._times[i] == epoch else None

    def next_epoch(self, after: int) -> int | None:
        i = bisect_right(self._times, after)
        return self._times[i] if i < len(self._times) else None

    def previous_epoch(self, at: int) -> int | None:
        i = bisect_right(self._times, at)
        return self._times[i - 1] if i else None

    def between(self, start: int, end: int) -> tuple[Epochs, Quotes]:
        i, j = bisect_left(self._times, start), bisect_right(self._times, end)
        return self._epochs[i:j], self._quotes[i:j]


def parquet_as_csv(path: Path) -> bytes:
    """The same rows as csv, so that both formats pass the same checks.

    Raises:
        SetupError: pyarrow is not among the base dependencies, or the file is not parquet.
    """
    try:
        from pyarrow import ArrowException, parquet
        from pyarrow import csv as arrow_csv
    except ModuleNotFoundError:
        raise SetupError(f"reading {path} needs pyarrow; pip install pyarrow, or convert it to csv") from None
    text = io.BytesIO()
    try:
        arrow_csv.write_csv(parquet.read_table(path), text, arrow_csv.WriteOptions(quoting_style="none"))
    except ArrowException as problem:
        raise SetupError(
            f"cannot read the recording {path}: {str(problem).splitlines()[0]}; give parquet or csv"
        ) from None
    return text.getvalue()


def read_ticks(path: Path) -> Ticks:
    """Read ``epoch,quote[,simulated]`` from a ``.csv``, ``.csv.gz`` or ``.parquet`` file.

    Raises:
        SetupError: when the file is missing or of another kind, or its ticks are out of order or not positive; or for
            parquet where pyarrow is not installed.
    """
    try:
        raw = parquet_as_csv(path) if path.suffix == ".parquet" else path.read_bytes()
        if path.suffix == ".gz":
            with gzip.open(io.BytesIO(raw)) as packed:
                raw = packed.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not a csv or csv.gz text file"
        raise SetupError(f"cannot read the recording {path}: {reason}; give a csv with columns epoch,quote") from None
    if len(raw) > MAX_BYTES:
        raise SetupError(f"the recording {path} is larger than {MAX_BYTES} bytes; cut it into pieces")
    try:
        return _parse(path, text)
    except csv.Error as problem:
        raise SetupError(f"the recording {path} is no csv: {problem}; give a csv with columns epoch,quote") from None


def _parse(path: Path, text: str) -> Ticks:
    rows = csv.reader(io.StringIO(text))
    header = [" ".join(name.split()) for name in next(rows, [])]
    if "epoch" not in header or "quote" not in header:
        columns = ",".join(header)[:60] or "(none)"
        raise SetupError(f"the recording {path} has columns {columns}; it needs epoch,quote")
    at_epoch, at_quote = header.index("epoch"), header.index("quote")
    at_simulated = header.index("simulated") if "simulated" in header else None
    epochs: list[int] = []
    quotes: list[float] = []
    marks: list[bool] = []
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        try:
            epoch, quote = int(row[at_epoch]), float(row[at_quote])
            if at_simulated is not None:
                marks.append(bool(int(row[at_simulated])))
        except (ValueError, IndexError):
            raise SetupError(f"{path} line {line} is no tick: {','.join(row)[:60]}; repair or cut the file") from None
        if not (math.isfinite(quote) and quote > 0) or (epochs and epoch <= epochs[-1]):
            raise SetupError(f"{path} line {line}: quotes must be positive and epochs increase; repair or cut the file")
        if epoch >= LATEST:
            raise SetupError(f"{path} line {line}: {epoch} is no time in epoch seconds; convert the epoch column")
        epochs.append(epoch)
        quotes.append(quote)
    if len(epochs) < 2:
        raise SetupError(f"the recording {path} holds {len(epochs)} ticks; it needs at least two")
    return Ticks(
        np.asarray(epochs, dtype=np.int64),
        np.asarray(quotes, dtype=np.float64),
        marks if at_simulated is not None else None,
    )


def replay(symbol: Symbol, ticks: Ticks, seed: int, history_days: int) -> tuple[RecordedSeries, int]:
    """The series to replay and the epoch where "now" begins.

    Rows before the first one that is not marked simulated are history. A file without such marks begins with its
    first tick, and simulated ticks ending at that tick's quote are put before it.
    """
    quotes = np.asarray([round(q, symbol.decimals) for q in ticks.quotes.tolist()], dtype=np.float64)
    if not (quotes > 0).all():
        raise SetupError(f"a quote is less than half a pip of {symbol.name} ({symbol.pip}); choose another --symbol")
    if not np.allclose(quotes, ticks.quotes, rtol=0.0, atol=1e-6 * float(symbol.pip)):
        raise SetupError(
            f"quotes of the recording have more decimals than {symbol.name}'s {symbol.decimals}; "
            "name the symbol they are of with --symbol, or round them"
        )
    if ticks.simulated is not None:
        if all(ticks.simulated):
            raise SetupError("every tick of the recording is marked simulated; nothing is left to replay")
        first = ticks.simulated.index(False)
        return RecordedSeries(symbol, ticks.epochs, quotes), int(ticks.epochs[first])
    now = int(ticks.epochs[0])
    first_day = midnight(now) - history_days * DAY
    step = symbol.tick_seconds
    before, simulated = simulate(symbol, seed, first_day).between(first_day, now - 1)
    pip = float(symbol.pip)
    scaled = simulated
    if len(simulated) and symbol.kind is SymbolKind.STEP:
        # Steps are in points, not in percent: moved to end one step below the recording's first quote.
        scaled = simulated + (float(quotes[0]) - pip - float(simulated[-1]))
    elif len(simulated):
        # Scaled to end one typical step away from the recording's first quote; simulated log returns stay as drawn.
        scaled = simulated * (float(quotes[0]) / float(simulated[-1]))
    lead = np.asarray([max(pip, round(q, symbol.decimals)) for q in scaled.tolist()], dtype=np.float64)
    keep = before <= now - step
    return (
        RecordedSeries(symbol, np.concatenate([before[keep], ticks.epochs]), np.concatenate([lead[keep], quotes])),
        now,
    )
