"""Partitions: one symbol and one UTC day. Features of a day also read the days before it, for their warm-up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import dagster as dg

from xtitan_assets.workspace.params import SYMBOLS

FIRST_DAY = "2026-01-01"

days = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC")
symbol_day = dg.MultiPartitionsDefinition({"date": days, "symbol": dg.StaticPartitionsDefinition(list(SYMBOLS))})


def warm_up(days_before: int) -> dg.MultiPartitionMapping:
    """Each symbol-day depends on its own day and on up to ``days_before`` days before it; the first day has none."""
    window = dg.TimeWindowPartitionMapping(start_offset=-days_before, allow_nonexistent_upstream_partitions=True)
    return dg.MultiPartitionMapping(
        {
            "date": dg.DimensionPartitionMapping("date", window),
            "symbol": dg.DimensionPartitionMapping("symbol", dg.IdentityPartitionMapping()),
        }
    )


def key(symbol: str, day: date) -> str:
    """Dagster's partition key of one symbol-day."""
    return str(dg.MultiPartitionKey({"date": day.isoformat(), "symbol": symbol}))


def split(keys: Iterable[str]) -> list[tuple[str, date]]:
    """Partition keys back to ``(symbol, day)``, in the order given."""
    parsed = (symbol_day.get_partition_key_from_str(str(text)).keys_by_dimension for text in keys)
    return [(part["symbol"], date.fromisoformat(part["date"])) for part in parsed]
