"""Ticks for subscribers: the frames of tick, candle and price streams that a new tick causes."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from paper_exchange.money import spot
from paper_exchange.protocol.frames import Frame
from paper_exchange.trading.quotes import requote
from paper_exchange.venue.connections import Stream, Subscription
from paper_exchange.venue.state import Venue
from xtitan_core.symbols import Symbol

SPREAD = 1.1e-4
"""Half the distance between bid and ask as a fraction of the symbol's first price; recorded on R_50: 0.01 at 92."""


def tick_stream(symbol: str) -> Stream:
    """The stream of a symbol's ticks."""
    return Stream("ticks", (symbol,), msg_type="tick", label=symbol, symbol=symbol)


def candle_stream(symbol: str, granularity: int) -> Stream:
    """The stream of a symbol's candles of ``granularity`` seconds."""
    return Stream(
        "candles", (symbol, granularity), msg_type="ohlc", label=symbol, symbol=symbol, granularity=granularity
    )


def send_tick(venue: Venue, symbol: Symbol, epoch: int, quote: float) -> None:
    """Send a tick to every connection that subscribed to its symbol, as the stream's kind shows it."""
    body = ""
    for connection, subscription in venue.watchers.get(symbol.name, ()):
        if subscription.stream.kind == "ticks":
            # One text for all subscribers, put together rather than encoded: ticks are nearly all that is ever sent.
            body = body or tick_text(symbol, epoch, quote)
            text = f'{subscription.opening},"tick":{body},"id":"{subscription.subscription_id}"}}}}'
            venue.send_text(connection, text)
        elif subscription.stream.kind == "proposal":
            requote(venue, connection, subscription)
        else:
            venue.send(connection, _candle_frame(subscription, symbol, epoch, quote))


def tick_body(symbol: Symbol, epoch: int, quote: float) -> dict[str, Any]:
    """The ``tick`` member of a frame, without its id."""
    half = _half_spread(symbol.decimals, symbol.initial_price)
    return {
        "ask": spot(round(quote + half, symbol.decimals)),
        "bid": spot(round(quote - half, symbol.decimals)),
        "epoch": epoch,
        "pip_size": symbol.decimals,
        "quote": spot(quote),
        "symbol": symbol.name,
    }


def tick_text(symbol: Symbol, epoch: int, quote: float) -> str:
    """``tick_body`` as its JSON text, without the closing brace; a template takes a third of the encoder's time."""
    decimals = symbol.decimals
    half = _half_spread(decimals, symbol.initial_price)
    return (
        f'{{"ask":{spot(round(quote + half, decimals))},"bid":{spot(round(quote - half, decimals))},"epoch":{epoch},'
        f'"pip_size":{decimals},"quote":{spot(quote)},"symbol":"{symbol.name}"'
    )


@cache
def _half_spread(decimals: int, first_price: float) -> float:
    return max(float(Decimal(1).scaleb(-decimals)), first_price * SPREAD)


def tick_frame(subscription: Subscription, symbol: Symbol, epoch: int, quote: float) -> Frame:
    """One frame of a tick stream."""
    body = tick_body(symbol, epoch, quote)
    body["id"] = subscription.subscription_id
    return {**subscription.head, "tick": body}


def _candle_frame(subscription: Subscription, symbol: Symbol, epoch: int, quote: float) -> Frame:
    """One ``ohlc`` update: prices as text, the candle that ``epoch`` falls into."""
    opened = epoch // subscription.stream.granularity * subscription.stream.granularity
    candle = subscription.candle
    if not candle or candle[0] != opened:
        subscription.candle = candle = [opened, quote, quote, quote, quote]
    candle[2], candle[3], candle[4] = max(candle[2], quote), min(candle[3], quote), quote
    body = {
        "close": symbol.format(candle[4]),
        "epoch": epoch,
        "granularity": subscription.stream.granularity,
        "high": symbol.format(candle[2]),
        "id": subscription.subscription_id,
        "low": symbol.format(candle[3]),
        "open": symbol.format(candle[1]),
        "open_time": opened,
        "pip_size": symbol.decimals,
        "symbol": symbol.name,
    }
    return {**subscription.head, "ohlc": body}
