"""Contracts on fair markets as a trader can ask for them, each with its true chance to win."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drills.long_paths import at_most
from drills.rounded_law import Law
from paper_exchange.contracts.offerings import Offer, offers
from paper_exchange.contracts.terms import Terms, parse_terms
from paper_exchange.errors import CallError
from paper_exchange.markets.calendar import ALWAYS_OPEN
from xtitan_core.contracts import (
    DIGITS,
    ENDS,
    HIGHER_LOWER,
    PATH,
    PREDICTIONS,
    RISE_FALL,
    TOUCH,
    ContractType,
    DurationUnit,
)
from xtitan_core.symbols import JUMP_SIGMAS, SYMBOLS, Symbol, SymbolKind

EVENING = 1_772_395_200 + 20 * 3_600
"""A second at which every symbol ticks; daily contracts bought here end after 4 h and whole days."""

Durations = Mapping[str, tuple[tuple[int, str], ...]]

DURATIONS: Durations = {
    "tick": tuple((n, "t") for n in (1, 2, 5, 7, 10)),
    "intraday": ((15, "s"), (16, "s"), (61, "s"), (2, "m"), (5, "m"), (15, "m"), (1, "h"), (24, "h")),
    "daily": ((1, "d"), (365, "d")),
}
LONGEST_PATH_LOOKS, LONG_PATH_LOOKS = 110_000, 10_000
LONG_PATH_SYMBOLS = ("R_10", "R_100", "1HZ100V")
"""Symbols whose paths of more than 10,000 looks are followed: those with the least drift, the most drift and the most
looks. On all others, and for paths of a year on every symbol, a bound in the player's favour replaces the odds."""

DISTANCES = (0.05, 0.3, 0.8, 1.5, 2.2)
"""Distances of a barrier in standard deviations of the whole life; a distance of one pip is tried too."""

PAIRS = ((0.6, 0.6), (1.0, 1.0), (0.7, 1.6), (1.9, 1.2))
"""Distances of the upper and the lower barrier, in the same unit."""


@dataclass(frozen=True)
class Case:
    """One contract on offer.

    Attributes:
        terms: as the exchange understood the request; basis and amount are replaced by the caller.
        now, spot: when, and the last quote.
        expiry: "tick", "intraday" or "daily".
        chance: true probability of winning, or of a long path a bound above it.
    """

    terms: Terms
    now: int
    spot: float
    expiry: str
    chance: float


def law_of(symbol: Symbol) -> Law:
    """What a fair symbol's ticks follow."""
    if symbol.kind is SymbolKind.JUMP:
        return Law(symbol.tick_sigma, 1 / symbol.event_every, JUMP_SIGMAS * symbol.tick_sigma)
    return Law(symbol.tick_sigma)


def fair_symbols() -> list[Symbol]:
    """Symbols with options on them whose ticks follow a known law without an edge."""
    return [s for s in SYMBOLS.values() if s.kind in (SymbolKind.VOLATILITY, SymbolKind.JUMP)]


def chance_of(
    kind: ContractType, law: Law, quote: int, looks: int, levels: tuple[int, ...] = (), digit: int | None = None
) -> float:
    """True probability of winning.

    Args:
        quote: the quote that the ``looks`` ticks follow, in pips.
        looks: ticks that count, the last of which is the exit.
        levels: barriers in pips, the upper one first; for rise/fall the entry quote.
        digit: the predicted digit.
    """
    if kind in DIGITS:
        digits = law.last_digits(quote, looks)
        return float(sum(digits[k] for k in range(10) if _digit_wins(kind, k, digit)))
    first = levels[0]
    match kind:
        case ContractType.CALL | ContractType.HIGHER:
            return law.above(quote, first + 0.5, looks)
        case ContractType.CALLE:
            return law.above(quote, first - 0.5, looks)
        case ContractType.PUT | ContractType.LOWER:
            return 1 - law.above(quote, first - 0.5, looks)
        case ContractType.PUTE:
            return 1 - law.above(quote, first + 0.5, looks)
        case ContractType.ONETOUCH | ContractType.NOTOUCH:
            stays = (law.stays_below if first > quote else law.stays_above)(quote, first, (looks,))[looks]
            return stays if kind is ContractType.NOTOUCH else 1 - stays
    upper, lower = levels
    if kind in ENDS:
        # Strictly between: above the lower level's pip and below the upper one's.
        between = law.above(quote, lower + 0.5, looks) - law.above(quote, upper - 0.5, looks)
        at_most = law.above(quote, lower - 0.5, looks) - law.above(quote, upper + 0.5, looks)
        return {
            ContractType.EXPIRYRANGE: between,
            ContractType.EXPIRYRANGEE: at_most,
            ContractType.EXPIRYMISS: 1 - at_most,
            ContractType.EXPIRYMISSE: 1 - between,
        }[kind]
    stays = law.stays_between(quote, upper, lower, looks)
    return stays if kind is ContractType.RANGE else 1 - stays


def _digit_wins(kind: ContractType, last: int, digit: int | None) -> bool:
    named = -1 if digit is None else digit
    return {
        ContractType.DIGITMATCH: last == named,
        ContractType.DIGITDIFF: last != named,
        ContractType.DIGITOVER: last > named,
        ContractType.DIGITUNDER: last < named,
        ContractType.DIGITODD: last % 2 == 1,
        ContractType.DIGITEVEN: last % 2 == 0,
    }[kind]


def cases(
    symbol: Symbol, price: float, longest: int = LONGEST_PATH_LOOKS, spans: Durations = DURATIONS
) -> Iterator[Case]:
    """Every type and kind of duration offered on a symbol, over a grid of durations, starts and barriers.

    Args:
        price: where the last quote stands.
        longest: path contracts with more looks are left out; where it is the usual one, they are bounded instead.
        spans: durations to try, by kind.

    The entry quote of a relative barrier is taken to be the last quote: the level it gives moves the odds by less
    than 1e-5.
    """
    law, scale = law_of(symbol), 10**symbol.decimals
    quote = round(price * scale)
    bounded = longest >= LONGEST_PATH_LOOKS
    if symbol.name not in LONG_PATH_SYMBOLS:
        longest = min(longest, LONG_PATH_LOOKS)
    for offered in offers(symbol):
        for expiry, durations in spans.items():
            span = offered.span(expiry)
            if span is None:
                continue
            for length, unit in durations:
                amount = length * {"s": 1, "m": 60, "h": 3_600}.get(unit, 1)
                if not span.least <= amount <= span.most:
                    continue
                # On a two-second grid a contract in seconds may start on a tick or between two.
                for now in (EVENING, EVENING + 1) if symbol.tick_seconds == 2 and unit == "s" else (EVENING,):
                    yield from _of_one_duration(
                        symbol, law, offered, quote, now, expiry, length, unit, longest, bounded
                    )


def _of_one_duration(
    symbol: Symbol,
    law: Law,
    offered: Offer,
    quote: int,
    now: int,
    expiry: str,
    length: int,
    unit: str,
    longest: int,
    bounded: bool,
) -> Iterator[Case]:
    spot = quote / 10**symbol.decimals
    for kind in offered.types:
        for absolute in _styles(kind, expiry):
            after = _ticks_after(symbol, now, length, unit, kind)
            looks = after if absolute or kind in DIGITS else after - 1
            long = looks > longest and kind in PATH
            if long and not bounded:
                continue
            spread = quote * law.sigma * math.sqrt(looks)
            for levels, digit in _conditions(kind, quote, spread):
                request: dict[str, Any] = {
                    "proposal": 1,
                    "underlying_symbol": symbol.name,
                    "contract_type": kind.value,
                    "currency": "USD",
                    "amount": 10,
                    "basis": "stake",
                    "duration": length,
                    "duration_unit": unit,
                }
                request |= _barrier_texts(kind, symbol, quote, levels, digit, absolute=absolute)
                try:
                    terms = parse_terms(request, symbol, now, "USD", spot=spot, calendar=ALWAYS_OPEN)
                except CallError:
                    continue  # a barrier the exchange will not have, such as one too far away
                chance = (
                    at_most(kind, law, quote, looks, levels)
                    if long
                    else chance_of(kind, law, quote, looks, levels or (quote,), digit)
                )
                yield Case(terms, now, spot, expiry, chance)


def _styles(kind: ContractType, expiry: str) -> tuple[bool, ...]:
    if kind in RISE_FALL | DIGITS:
        return (False,)
    return (True,) if expiry == "daily" else (False, True)


def _ticks_after(symbol: Symbol, now: int, length: int, unit: str, kind: ContractType) -> int:
    """Ticks strictly after ``now``, the entry among them, up to the end of the contract."""
    if unit == DurationUnit.TICKS:
        return length if kind in DIGITS else length + 1
    step = symbol.tick_seconds
    if unit == DurationUnit.DAYS:
        end = (now // 86_400 + length) * 86_400 + 86_399
    else:
        end = now + length * {"s": 1, "m": 60, "h": 3_600}[unit]
    return end // step - now // step


def _conditions(kind: ContractType, quote: int, spread: float) -> Iterator[tuple[tuple[int, ...], int | None]]:
    if kind in DIGITS:
        yield from (((), digit) for digit in PREDICTIONS.get(kind, (None,)))
    elif kind in RISE_FALL:
        yield (), None
    elif kind in HIGHER_LOWER | TOUCH:
        away = sorted({1, *(max(1, round(d * spread)) for d in DISTANCES)})
        yield from (((quote + side * pips,), None) for pips in away for side in (1, -1))
        if kind in HIGHER_LOWER:
            yield (quote,), None
    else:
        for up, down in PAIRS:
            yield (quote + max(1, round(up * spread)), quote - max(1, round(down * spread))), None


def _barrier_texts(
    kind: ContractType, symbol: Symbol, quote: int, levels: tuple[int, ...], digit: int | None, *, absolute: bool
) -> dict[str, str]:
    if kind in DIGITS:
        return {} if digit is None else {"barrier": str(digit)}
    sign, origin = ("", 0) if absolute else ("+", quote)
    texts = [f"{(level - origin) / 10**symbol.decimals:{sign}.{symbol.decimals}f}" for level in levels]
    return dict(zip(("barrier", "barrier2"), texts, strict=False))
