"""The expected value of forex contracts, from simulated ones settled as the exchange settles: forex has no closed law.

Contracts that start within one day share that day's path, so a week counts as one observation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paper_exchange.contracts.offerings import offers
from paper_exchange.contracts.pricing import Price
from paper_exchange.contracts.terms import Terms, parse_terms
from paper_exchange.markets import simulate
from paper_exchange.markets.calendar import FOREX_WEEK, WEEK
from paper_exchange.markets.plant import Plant
from xtitan_core.clock import DAY
from xtitan_core.contracts import (
    RISE_FALL,
    UNIT_SECONDS,
    Contract,
    ContractType,
    DurationUnit,
    Epochs,
    Quotes,
    entry_index,
    outcomes,
    wins,
)
from xtitan_core.symbols import SYMBOLS, Symbol, SymbolKind

MONDAY = 1_771_804_800
"""2026-02-23T00:00:00Z."""

WEEKS, EVERY_SECONDS, SEED = 26, 10, 1
"""A contract of each kind starts every ten seconds of half a year."""

DURATIONS = ((5, "m"), (15, "m"), (1, "h"), (12, "h"), (1, "d"))
NIGHT = 21 * 3_600
"""Second of the day from which no contract is sold; the short ones must be over by then."""


@dataclass(frozen=True)
class Simulated:
    """Contracts of one symbol, side and duration.

    Attributes:
        value: mean profit per unit of stake.
        error: its standard error, from weekly means.
        contracts: how many were settled.
    """

    symbol: str
    side: str
    duration: str
    value: float
    error: float
    contracts: int

    @property
    def z(self) -> float:
        """One-sided statistic against an expected value of zero; positive speaks for the player."""
        return self.value / self.error if self.error else math.copysign(math.inf, self.value)


def forex_symbols() -> list[Symbol]:
    """The symbols with hours and sessions."""
    return [symbol for symbol in SYMBOLS.values() if symbol.kind is SymbolKind.FOREX]


def simulated(
    quoting: Callable[[Terms, float, int, float], Price],
    commission: Callable[[str, ContractType, int, DurationUnit], float],
    *,
    symbols: Iterable[Symbol] | None = None,
    weeks: int = WEEKS,
    every: int = EVERY_SECONDS,
) -> Iterator[Simulated]:
    """Buy every rise/fall contract on offer, every few seconds, for weeks.

    Args:
        quoting: the house.
        commission: what it takes of a symbol, type and duration.
    """
    for symbol in forex_symbols() if symbols is None else symbols:
        series = simulate(symbol, SEED, MONDAY, Plant())
        epochs, quotes = series.between(MONDAY, MONDAY + (weeks + 1) * WEEK)
        least = min(span.least for offer in offers(symbol) for span in offer.spans if span.expiry == "intraday")
        for length, unit in DURATIONS:
            seconds = length * UNIT_SECONDS[DurationUnit(unit)]
            if seconds < least:
                continue  # majors begin at a quarter of an hour
            starts = np.arange(MONDAY, MONDAY + weeks * WEEK, every, dtype=np.int64)
            second, day = starts % DAY, (starts - MONDAY) % WEEK // DAY
            daily = unit == DurationUnit.DAYS
            starts = starts[(second < NIGHT - (0 if daily else seconds)) & (day < 5)]
            for kind in sorted(RISE_FALL & {kind for offer in offers(symbol) for kind in offer.types}):
                spot, request = symbol.initial_price, _request(symbol, kind, length, unit)
                terms = parse_terms(request, symbol, MONDAY, "USD", spot=spot, calendar=FOREX_WEEK)
                price = quoting(terms, spot, MONDAY, commission(symbol.name, kind, length, DurationUnit(unit)))
                won, known = _settled(terms.contract, starts, epochs, quotes, symbol.decimals, daily=daily)
                profit = won[known] * (float(price.payout) / float(price.ask)) - 1
                week = (starts[known] - MONDAY) // WEEK
                means = np.bincount(week, profit) / np.bincount(week)
                error = float(means.std(ddof=1)) / math.sqrt(len(means)) if len(means) > 1 else 0.0
                yield Simulated(
                    symbol.name, kind.value, f"{length}{unit}", float(profit.mean()), error, int(known.sum())
                )


def show(rows: Iterable[Simulated], limit: float = 4.0) -> bool:
    """Print the rows; True when none speaks for the player by ``limit`` standard errors."""
    rows = list(rows)
    for row in rows:
        flag = "" if row.z < limit else "  <-- the player wins"
        print(
            f"   {row.symbol:<10} {row.duration:<4} {row.side:<5} {row.contracts:>9,}  "
            f"{row.value:>+8.3%} +- {row.error:.3%}  z {row.z:+.1f}{flag}"
        )
    return bool(rows) and all(row.z < limit for row in rows)


def _settled(
    contract: Contract, starts: Epochs, epochs: Epochs, quotes: Quotes, decimals: int, *, daily: bool
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which contracts won, and which of them ended by the last tick."""
    if not daily:
        won, known, _ = outcomes(contract, starts, epochs, quotes, decimals)
        return won, known
    ends = {day: FOREX_WEEK.trading_day_end(day, contract.duration) for day in np.unique(starts // DAY * DAY).tolist()}
    end = np.asarray([ends[day] for day in (starts // DAY * DAY).tolist()])
    entry, exit_ = entry_index(epochs, starts), np.searchsorted(epochs, end, side="right") - 1
    return wins(contract.contract_type, quotes[entry], quotes[exit_]), epochs[-1] > end


def _request(symbol: Symbol, kind: ContractType, length: int, unit: str) -> dict[str, Any]:
    return {
        "proposal": 1,
        "underlying_symbol": symbol.name,
        "contract_type": kind.value,
        "currency": "USD",
        "amount": 10,
        "basis": "stake",
        "duration": length,
        "duration_unit": unit,
    }
