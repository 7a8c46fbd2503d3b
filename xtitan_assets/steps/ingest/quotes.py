"""Payout quotes of one day, as the runner's journal recorded them.

The pipeline never asks for quotes itself, because the request budget of the account is needed for buying. On a day
without recorded quotes the file says so, and a model is judged at the paper profile's commission
(``quotes.commission``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from xtitan_assets.steps.ingest.ticks import day_of
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.files import write_atomically
from xtitan_core.journal import DecisionRecord, QuoteRecord, read_journal


@dataclass(frozen=True, slots=True)
class QuoteReport(Report):
    """Quotes of one day.

    Attributes:
        source: ``journal`` or ``paper_commission``.
        rows: recorded quotes.
        break_even: median of ask / payout over them, None without any.
    """

    day: date
    source: str
    rows: int
    break_even: float | None
    commission: float
    path: Path

    def as_metadata(self) -> dict[str, Any]:
        known = {} if self.break_even is None else {"break_even": self.break_even}
        return {"source": self.source, "rows": self.rows, "commission": self.commission, **known}


def quotes_path(home: Home, day: date) -> Path:
    """Where the quotes of a day are."""
    return home.data / "raw" / "quotes" / f"date={day.isoformat()}.json"


def collect_quotes(home: Home, params: Params, days: Iterable[date]) -> list[QuoteReport]:
    """Read the quotes of these days from the journal, once, and write one file for each day.

    Raises:
        JournalError: a broken journal.
    """
    wanted = sorted(set(days))
    rows: dict[date, list[list[Any]]] = {day: [] for day in wanted}
    for segment in read_journal(home.journal):
        for record in segment.records:
            if not isinstance(record, DecisionRecord | QuoteRecord) or not record.ask_cents or not record.payout_cents:
                continue
            day = day_of(record.epoch)
            side = record.contract_type if isinstance(record, QuoteRecord) else record.preferred
            if day in rows:
                rows[day].append([record.epoch, record.symbol, side, record.ask_cents, record.payout_cents])
    return [_write(home, params, day, rows[day]) for day in wanted]


def _write(home: Home, params: Params, day: date, rows: list[list[Any]]) -> QuoteReport:
    source = "journal" if rows else "paper_commission"
    path = quotes_path(home, day)
    body = {
        "day": day.isoformat(),
        "source": source,
        "commission": params.quotes.commission,
        "columns": ["epoch", "symbol", "contract_type", "ask_cents", "payout_cents"],
        "rows": rows,
    }
    write_atomically(path, (json.dumps(body, separators=(",", ":")) + "\n").encode(), durable=False)
    break_even = median(row[3] / row[4] for row in rows) if rows else None
    return QuoteReport(day, source, len(rows), break_even, params.quotes.commission, path)
