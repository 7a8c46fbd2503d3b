"""Calls about the market: active_symbols, contracts_for, trading_times, ticks."""

from __future__ import annotations

from typing import Any

from paper_exchange.connections import Connection, Frame
from paper_exchange.errors import CallError
from paper_exchange.streams import tick_body, tick_frame
from paper_exchange.terms import MAX_TICKS, MIN_SECONDS
from paper_exchange.venue import Venue
from xtitan_core.contracts import RISE_FALL
from xtitan_core.symbols import Symbol

_CATEGORIES = {"CALL": "callput", "PUT": "callput", "CALLE": "callputequal", "PUTE": "callputequal"}


def active_symbols(venue: Venue, connection: Connection, request: Frame) -> None:
    """Every symbol, always open. ``pip_size`` is the increment here, the number of decimals in ticks."""
    wanted = set(request.get("contract_type", RISE_FALL))
    rows = [_symbol_row(venue, symbol) for symbol in venue.symbols.values()] if wanted & RISE_FALL else []
    venue.reply(connection, request, "active_symbols", rows)


def _symbol_row(venue: Venue, symbol: Symbol) -> dict[str, Any]:
    return {
        "exchange_is_open": int(not venue.finished),
        "is_trading_suspended": 0,
        "market": "synthetic_index",
        "pip_size": float(symbol.pip),
        "subgroup": "synthetics",
        "submarket": "random_index",
        "trade_count": 0,
        "underlying_symbol": symbol.name,
        "underlying_symbol_name": symbol.display_name,
        "underlying_symbol_type": "stockindex",
    }


def contracts_for(venue: Venue, connection: Connection, request: Frame) -> None:
    """What can be bought on a symbol: rise/fall in ticks and within a day."""
    symbol = _known(venue, request["contracts_for"], "contracts_for")
    spans = (("tick", "1t", f"{MAX_TICKS}t"), ("intraday", f"{MIN_SECONDS}s", "1d"))
    rows = [
        {
            "barriers": 0,
            "contract_category": category,
            "contract_type": kind,
            "default_stake": 10,
            "expiry_type": expiry,
            "market": "synthetic_index",
            "max_contract_duration": longest,
            "min_contract_duration": shortest,
            "sentiment": "up" if kind.startswith("CALL") else "down",
            "submarket": "random_index",
            "underlying_symbol": symbol.name,
        }
        for kind, category in _CATEGORIES.items()
        for expiry, shortest, longest in spans
    ]
    venue.reply(connection, request, "contracts_for", {"available": rows, "hit_count": len(rows)})


def trading_times(venue: Venue, connection: Connection, request: Frame) -> None:
    """The indices never close."""
    symbols = [
        {
            "events": [],
            "name": symbol.display_name,
            "times": {"open": ["00:00:00"], "close": ["23:59:59"], "settlement": "23:59:59"},
            "trading_days": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
            "underlying_symbol": symbol.name,
        }
        for symbol in venue.symbols.values()
    ]
    submarkets = [{"name": "Continuous Indices", "symbols": symbols}]
    body = {"markets": [{"name": "Derived", "submarkets": submarkets}]}
    venue.reply(connection, request, "trading_times", body)


def ticks(venue: Venue, connection: Connection, request: Frame) -> None:
    """The latest tick of each named symbol, and every later one with ``subscribe``."""
    named = request["ticks"]
    for name in [named] if isinstance(named, str) else named:
        symbol = _known(venue, name, "ticks")
        epoch, quote = venue.last_tick(name)
        if "subscribe" in request:
            key = ("ticks", name)
            stream = venue.subscribe(connection, request, "ticks", key, name, "tick", symbol=name)
            venue.send(connection, tick_frame(stream, symbol, epoch, quote))
        else:
            venue.reply(connection, request, "tick", tick_body(symbol, epoch, quote))


def _known(venue: Venue, name: str, field: str) -> Symbol:
    if name not in venue.symbols:
        raise CallError("InvalidSymbol", f"Symbol {name} is invalid.", {"field": field})
    return venue.symbols[name]
