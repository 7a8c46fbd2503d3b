"""Contracts to ask for, out of the rows of ``contracts_for``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from paper_exchange.protocol.frames import Frame

Row = Mapping[str, Any]
"""One of ``contracts_for``."""

WIDER = (1, 3, 10, 30, 100, 0.3, 0.1)
"""Multiples of the distance that a row names: what it names may be too near or too far to leave a return."""


def terms_of(row: Row, spot: float) -> Iterator[Frame]:
    """The shortest contract of a row: at the barriers it names, then at wider and narrower ones.

    Args:
        spot: latest quote, for barriers that are levels.
    """
    length = row["min_contract_duration"]
    terms: Frame = {
        "contract_type": row["contract_type"],
        "duration": int(length[:-1]),
        "duration_unit": length[-1],
        "underlying_symbol": row["underlying_symbol"],
    }
    digits = row.get("last_digit_range")
    if digits:
        yield {**terms, "barrier": str(digits[len(digits) // 2])}
    elif not row["barriers"]:
        yield terms
    else:
        named = [str(row[name]) for name in ("high_barrier", "low_barrier", "barrier") if name in row]
        for factor in WIDER:
            moved = [_moved(text, spot, factor) for text in named]
            yield {**terms, **dict(zip(("barrier", "barrier2"), moved, strict=False))}


def _moved(text: str, spot: float, factor: float) -> str:
    """A barrier so many times as far from the spot; levels keep the side they are on."""
    decimals = len(text.partition(".")[2])
    if text[0] in "+-":
        return f"{float(text) * factor:+.{decimals}f}"
    return f"{spot + (float(text) - spot) * factor:.{decimals}f}"
