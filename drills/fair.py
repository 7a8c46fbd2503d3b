"""The true expected value of every contract the paper exchange sells on a fair market: none may favour the player.

Quotes come from the exchange's own pricing, at the lowest commission in its table. Odds come from ``rounded_law``,
which counts ties, rounding to pips and the fact that only ticks are looked at. Odds are exact to 1e-5 for most
contracts and to 2e-4 for paths of more than 20,000 ticks; the lowest commission is 0.01. The longest paths of most
symbols are bounded instead (``long_paths``). Forex has no closed law; its contracts are simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from drills import fair_forex
from drills.fair_cases import DURATIONS, LONGEST_PATH_LOOKS, Case, Durations, cases, fair_symbols
from drills.fair_resale import Bidding, gains
from paper_exchange.contracts.commissions import schedules
from paper_exchange.contracts.offerings import offer
from paper_exchange.contracts.pricing import Price, quote
from paper_exchange.contracts.resale import bid
from paper_exchange.contracts.terms import Terms
from paper_exchange.errors import CallError
from xtitan_core.contracts import ContractType, DurationUnit
from xtitan_core.symbols import Symbol

Quoting = Callable[[Terms, float, int, float], Price]

STAKES = tuple(Decimal(s) for s in ("0.35", "0.36", "0.5", "1", "1.69", "10", "333.33"))
PAYOUTS = tuple(Decimal(s) for s in ("0.71", "1", "1.66", "10", "99.99", "1000"))
PRICE_FACTORS = (1.0, 0.3, 0.1)
"""Levels to quote at, as parts of the symbol's usual level. At low levels a pip is a large part of a tick's move."""

LOW_PRICE_LOOKS = 1_000
"""Looks of the longest path followed at the low levels. On longer paths a pip matters less than it costs to compute."""


@dataclass
class Worst:
    """The best a player can do in one row of the table.

    Attributes:
        value: expected profit per unit of stake.
        quotes: how many prices were looked at.
        where: the contract behind ``value``.
    """

    value: float = -1.0
    quotes: int = 0
    where: str = ""


Table = dict[tuple[str, str, str], Worst]


@cache
def lowest_commission(symbol: str, kind: ContractType, duration: int, unit: DurationUnit) -> float:
    """The lowest commission in any schedule of the shipped table for a contract, on any day from 2017 on."""
    days = [datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=30 * k) for k in range(130)]
    return min(
        schedule.rate(int(day.timestamp()), symbol, kind.value, duration, unit)
        for schedule in schedules().values()
        for day in days
    )


def expected_values(case: Case, quoting: Quoting) -> Iterator[tuple[float, str]]:
    """Expected profit per unit of stake at every stake and payout the exchange accepts."""
    contract = case.terms.contract
    commission = lowest_commission(case.terms.symbol.name, contract.contract_type, contract.duration, contract.unit)
    for basis, amounts in (("stake", STAKES), ("payout", PAYOUTS)):
        for amount in amounts:
            try:
                price = quoting(replace(case.terms, basis=basis, amount=amount), case.spot, case.now, commission)
            except CallError:
                continue  # nothing to win at this stake
            value = (case.chance * float(price.payout) - float(price.ask)) / float(price.ask)
            yield value, f"{price.ask} for {price.payout} at p {case.chance:.5f}, c {commission}"


def tabulate(
    markets: Iterable[tuple[Symbol, float]],
    quoting: Quoting = quote,
    longest: int = LONGEST_PATH_LOOKS,
    durations: Durations = DURATIONS,
) -> Table:
    """The worst expected value for the house by family, kind of duration and side."""
    table: Table = {}
    for symbol, price in markets:
        for case in cases(symbol, price, longest, durations):
            contract = case.terms.contract
            kind = contract.contract_type
            row = table.setdefault((offer(symbol, kind).category, case.expiry, kind.value), Worst())
            for value, text in expected_values(case, quoting):
                row.quotes += 1
                if value > row.value:
                    barriers = " ".join(case.terms.barriers)
                    row.value = value
                    row.where = f"{symbol.name} {contract.duration}{contract.unit} {barriers} at {case.spot}: {text}"
    return table


def tabulate_resale(markets: Iterable[tuple[Symbol, float]], bidding: Bidding = bid) -> Table:
    """The most by which a bid exceeds a contract's worth, as a fraction of the payout, by family and side."""
    table: Table = {}
    for symbol, price in markets:

        def commission(kind: ContractType, name: str = symbol.name) -> float:
            return lowest_commission(name, kind, 1, DurationUnit.HOURS)

        for kind, gain, where in gains(symbol, price, commission, bidding):
            row = table.setdefault((offer(symbol, kind).category, "resale", kind.value), Worst())
            row.quotes += 1
            if gain > row.value:
                row.value, row.where = gain, where
    return table


def joined(one: Table, other: Table) -> Table:
    """The worse of both, row by row."""
    table = dict(one)
    for key, row in other.items():
        known = table.get(key, Worst())
        worse = row if row.value > known.value else known
        table[key] = Worst(worse.value, known.quotes + row.quotes, worse.where)
    return table


def show(table: Table) -> bool:
    """Print the table; True when no row has a positive value."""
    print(f"   {'family':<13} {'duration':<9} {'side':<13} {'quotes':>8}              best   where", flush=True)
    for (family, expiry, side), row in sorted(table.items()):
        flag = "" if row.value < 0 else "  <-- the player wins"
        print(f"   {family:<13} {expiry:<9} {side:<13} {row.quotes:>8,}  {row.value:>+16.4%}   {row.where}{flag}")
    return bool(table) and all(row.quotes and row.value < 0 for row in table.values())


def drill() -> dict[str, Any]:
    """Every fair symbol, at its usual level and far below."""
    usual, low = (
        [(s, s.initial_price * factor) for factor in factors for s in fair_symbols()]
        for factors in (PRICE_FACTORS[:1], PRICE_FACTORS[1:])
    )
    table = joined(tabulate(usual), tabulate(low, longest=LOW_PRICE_LOOKS))
    print("   bought and held to the end: expected profit per unit of stake", flush=True)
    holds = show(table)
    resale = tabulate_resale(usual + low)
    print("   sold back: bid less true worth, per unit of payout", flush=True)
    holds = show(resale) and holds
    table |= resale
    print("   forex, simulated at the lowest commission: expected profit per unit of stake", flush=True)
    forex = list(fair_forex.simulated(quote, lowest_commission))
    holds = fair_forex.show(forex) and holds
    return {
        "holds": holds,
        "forex_contracts": sum(row.contracts for row in forex),
        "forex_highest_z": max(row.z for row in forex),
        "quotes": sum(row.quotes for row in table.values()),
        "rows": [
            {"family": f, "duration": e, "side": s, "best_ev": row.value, "quotes": row.quotes, "where": row.where}
            for (f, e, s), row in sorted(table.items())
        ],
    }
