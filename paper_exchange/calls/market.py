"""Calls about the market: active_symbols, contracts_for, contracts_list, trading_times, ticks."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

from paper_exchange.contracts.offerings import CATEGORIES, Offer, Span, all_types, offers, sentiment
from paper_exchange.errors import CallError
from paper_exchange.protocol.frames import Frame
from paper_exchange.trading.ticks import tick_body, tick_frame, tick_stream
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue
from xtitan_core.clock import DAY
from xtitan_core.contracts import PREDICTIONS, ContractType
from xtitan_core.symbols import Symbol

DEFAULT_STAKE = 10
_TYPES = {"synthetic_index": "stockindex", "forex": "forex", "commodities": "commodities"}
_SUBGROUPS = {"synthetic_index": "synthetics"}
_MARKETS = {"synthetic_index": "Derived", "forex": "Forex", "commodities": "Commodities"}
_SUBMARKETS = {
    "random_index": "Continuous Indices",
    "crash_index": "Crash/Boom Indices",
    "jump_index": "Jump Indices",
    "step_index": "Step Indices",
    "major_pairs": "Major Pairs",
    "metals": "Metals",
}


def active_symbols(venue: Venue, connection: Connection, request: Frame) -> None:
    """Every symbol, or those on which one of the named contract types is offered.

    ``pip_size`` is the increment here, the number of decimals in ticks.
    """
    wanted = request.get("contract_type")
    rows = [
        _symbol_row(venue, symbol)
        for symbol in venue.symbols.values()
        if wanted is None or any(kind in wanted for offered in offers(symbol) for kind in offered.types)
    ]
    venue.reply(connection, request, "active_symbols", rows)


def _symbol_row(venue: Venue, symbol: Symbol) -> dict[str, Any]:
    is_open = not venue.finished and venue.world.calendar(symbol.name).is_open(venue.epoch)
    return {
        "exchange_is_open": int(is_open),
        "is_trading_suspended": 0,
        "market": symbol.market,
        "pip_size": float(symbol.pip),
        "subgroup": _SUBGROUPS.get(symbol.market, "none"),
        "submarket": symbol.submarket,
        "trade_count": 0,
        "underlying_symbol": symbol.name,
        "underlying_symbol_name": symbol.display_name,
        "underlying_symbol_type": _TYPES[symbol.market],
    }


def contracts_for(venue: Venue, connection: Connection, request: Frame) -> None:
    """What can be bought on a symbol, and for how long."""
    symbol = _known(venue, request["contracts_for"], "contracts_for")
    offered = offers(symbol)
    if not offered:
        raise CallError("InvalidSymbol", "There's no contract available for this symbol.", {"field": "contracts_for"})
    _, last = venue.last_tick(symbol.name)
    rows = [
        _contract_row(symbol, entry, span, kind, last)
        for entry in offered
        for kind in entry.types
        for span in entry.spans
    ]
    venue.reply(connection, request, "contracts_for", {"available": rows, "hit_count": len(rows)})


def _contract_row(symbol: Symbol, offered: Offer, span: Span, kind: ContractType, last: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "barriers": offered.barriers,
        "contract_category": offered.category,
        "contract_type": str(kind),
        "default_stake": DEFAULT_STAKE,
        "expiry_type": span.expiry,
        "market": symbol.market,
        "max_contract_duration": span.longest,
        "min_contract_duration": span.shortest,
        "sentiment": sentiment(kind),
        "submarket": symbol.submarket,
        "underlying_symbol": symbol.name,
    }
    if kind in PREDICTIONS:
        row["last_digit_range"] = list(PREDICTIONS[kind])
    elif offered.barriers:
        row |= _suggested(symbol, offered.barriers, span, last)
    return row


def _suggested(symbol: Symbol, count: int, span: Span, last: float) -> dict[str, str]:
    """Default barriers, a standard deviation of the shortest life away: levels for days, else offsets."""
    daily = span.expiry == "daily"
    ticks = span.least if span.expiry == "tick" else (DAY if daily else span.least) / symbol.tick_seconds
    offset = max(last * symbol.tick_sigma * math.sqrt(ticks), float(symbol.pip))
    above = symbol.format(last + offset) if daily else f"+{symbol.format(offset)}"
    if count == 1:
        return {"barrier": above}
    return {"high_barrier": above, "low_barrier": symbol.format(last - offset if daily else -offset)}


def contracts_list(venue: Venue, connection: Connection, request: Frame) -> None:
    """The categories of contracts that exist here."""
    rows = [
        {"contract_category": category, "contract_types": types, "display_name": CATEGORIES[category]}
        for category, types in all_types().items()
    ]
    venue.reply(connection, request, "contracts_list", rows)


def trading_times(venue: Venue, connection: Connection, request: Frame) -> None:
    """Opening hours on a day, by market and submarket."""
    epoch = _noon(request["trading_times"], venue.epoch)
    markets: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for symbol in venue.symbols.values():
        calendar = venue.world.calendar(symbol.name)
        opening, closing = calendar.hours(epoch) or ("--", "--")
        early = closing not in ("--", "23:59:59")
        row = {
            "events": [{"dates": "Fridays", "descrip": f"Closes early (at {closing[:5]})"}] if early else [],
            "name": symbol.display_name,
            "times": {"open": [opening], "close": [closing], "settlement": closing},
            "trading_days": list(calendar.trading_days),
            "underlying_symbol": symbol.name,
        }
        markets.setdefault(symbol.market, {}).setdefault(symbol.submarket, []).append(row)
    body = [
        {
            "name": _MARKETS[market],
            "submarkets": [{"name": _SUBMARKETS[name], "symbols": rows} for name, rows in submarkets.items()],
        }
        for market, submarkets in markets.items()
    ]
    venue.reply(connection, request, "trading_times", {"markets": body})


def _noon(text: str, now: int) -> int:
    """Noon of a day written as the call takes it."""
    if text == "today":
        return now // DAY * DAY + DAY // 2
    try:
        day = date(*(int(part) for part in text.split("-")))
    except ValueError:
        raise CallError("InputValidationFailed", "Input validation failed: trading_times") from None
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())


def ticks(venue: Venue, connection: Connection, request: Frame) -> None:
    """The latest tick of each named symbol, and every later one with ``subscribe``; all of them or none.

    Raises:
        CallError: a symbol is unknown, subscribed to already or without a tick yet, or none is named.
    """
    named = request["ticks"]
    names = [named] if isinstance(named, str) else list(dict.fromkeys(named))
    if not names:
        raise CallError("InputValidationFailed", "Input validation failed: ticks", {"ticks": "No symbol is named."})
    found = [(_known(venue, name, "ticks"), *venue.last_tick(name)) for name in names]
    if "subscribe" not in request:
        for symbol, epoch, quote in found:
            venue.reply(connection, request, "tick", tick_body(symbol, epoch, quote))
        return
    for name in names:
        venue.check_streamed(name)
        connection.check_new(tick_stream(name), len(names))
    for symbol, epoch, quote in found:
        stream = venue.subscribe(connection, request, tick_stream(symbol.name))
        venue.send(connection, tick_frame(stream, symbol, epoch, quote))


def _known(venue: Venue, name: str, field: str) -> Symbol:
    if name not in venue.symbols:
        raise CallError("InvalidSymbol", f"Symbol {name} is invalid.", {"field": field})
    return venue.symbols[name]
