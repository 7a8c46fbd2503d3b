"""Commissions: what the house keeps of each payout, by schedule, date, symbol, contract type and duration.

The table ``commissions.csv`` is read once. Of the rows that fit a contract, the last one in the file counts, so
the rows of a schedule go from the general to the particular and from old to new. Schedule ``recorded`` is what Deriv
was seen to quote over the years, ``bought`` what it charged where a purchase was seen to pay less than its quote,
``demo`` what a demo account was quoted in September 2026. A row holds from the first day it was seen on.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from paper_exchange.errors import SetupError
from xtitan_core.clock import DAY
from xtitan_core.contracts import UNIT_SECONDS, DurationUnit

MAX_COMMISSION = 0.4
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        since: first day it holds, in days since 1970.
        symbols, types: patterns of which one has to fit.
        durations: shortest and longest, both in ticks or both in seconds; None for any.
        commission: fraction of the payout.
    """

    since: int
    symbols: tuple[str, ...]
    types: tuple[str, ...]
    durations: tuple[tuple[int, bool], tuple[int, bool]] | None
    commission: float

    def speaks_of(self, symbol: str, contract_type: str, length: int, in_ticks: bool) -> bool:
        """Whether it holds for such a contract, whatever the day; ``length`` in ticks or in seconds."""
        if self.durations is not None:
            (shortest, ticks), (longest, _) = self.durations
            if ticks != in_ticks or not shortest <= length <= longest:
                return False
        return any(fnmatchcase(symbol, pattern) for pattern in self.symbols) and any(
            fnmatchcase(contract_type, pattern) for pattern in self.types
        )


@dataclass(slots=True)
class Schedule:
    """The commissions of one kind of account.

    Attributes:
        name: of the schedule; a flat one is called by its rate.
        rows: the general before the particular.
    """

    name: str
    rows: tuple[Row, ...]
    _known: dict[tuple[str, str, int, bool], list[Row]] = field(default_factory=dict, repr=False)

    def rate(self, epoch: int, symbol: str, contract_type: str, duration: int, unit: DurationUnit) -> float:
        """Commission as a fraction of the payout of a contract quoted at ``epoch``.

        Args:
            epoch: venue second, its UTC day counts.
            duration: in ``unit``; a calendar day counts 86,400 seconds.

        Raises:
            SetupError: when no row speaks of it.
        """
        in_ticks = unit is DurationUnit.TICKS
        length = duration if in_ticks else duration * UNIT_SECONDS[unit]
        key = (symbol, contract_type, length, in_ticks)
        speaking = self._known.get(key)
        if speaking is None:
            if len(self._known) > 10_000:
                self._known.clear()
            # The last row counts, so the search below begins at the end.
            speaking = self._known[key] = [row for row in reversed(self.rows) if row.speaks_of(*key)]
        day = epoch // DAY
        for row in speaking:
            if row.since <= day:
                return row.commission
        raise SetupError(f"schedule {self.name} has no commission for {contract_type} on {symbol}; add a row for it")


def flat(commission: float) -> Schedule:
    """One commission for everything.

    Raises:
        SetupError: when it is not a fraction that leaves something to win.
    """
    if not 0 <= commission < MAX_COMMISSION:
        raise SetupError(f"a commission of {commission} is not possible; choose one between 0 and {MAX_COMMISSION}")
    return Schedule(f"{commission}", (Row(0, ("*",), ("*",), None, commission),))


def schedule(name: str) -> Schedule:
    """A schedule of the table, or a flat one when ``name`` is a number.

    Raises:
        SetupError: when it is neither.
    """
    table = schedules()
    if name in table:
        return table[name]
    try:
        return flat(float(name))
    except ValueError as error:
        if isinstance(error, SetupError):
            raise
        raise SetupError(f"commission {name!r} is unknown; choose {', '.join(table)} or a fraction") from None


@cache
def schedules() -> dict[str, Schedule]:
    """Every schedule of the shipped table, by name."""
    rows: dict[str, list[Row]] = {}
    with (files("paper_exchange.contracts") / "commissions.csv").open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            rows.setdefault(line["schedule"], []).append(
                Row(
                    date.fromisoformat(line["since"]).toordinal() - _EPOCH,
                    tuple(line["symbols"].split()),
                    tuple(line["types"].split()),
                    _durations(line["durations"]),
                    float(line["commission"]),
                )
            )
    return {name: Schedule(name, tuple(found)) for name, found in rows.items()}


def _durations(text: str) -> tuple[tuple[int, bool], tuple[int, bool]] | None:
    if text == "*":
        return None
    ends = [_duration(end) for end in text.split("-")]
    return ends[0], ends[-1]


def _duration(text: str) -> tuple[int, bool]:
    unit = DurationUnit(text[-1])
    if unit is DurationUnit.TICKS:
        return int(text[:-1]), True
    return int(text[:-1]) * UNIT_SECONDS[unit], False
