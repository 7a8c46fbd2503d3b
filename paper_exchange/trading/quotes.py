"""Prices: the terms of a request, their price on a connection, and the frame with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paper_exchange.contracts.pricing import MAX_PAYOUT, MIN_STAKE, Price, quote
from paper_exchange.contracts.resale import REFUSALS
from paper_exchange.contracts.terms import Terms, named_symbol, parse_terms
from paper_exchange.errors import CallError
from paper_exchange.money import number, spot, text
from paper_exchange.venue.connections import Connection, Proposal, Subscription
from paper_exchange.venue.state import Venue
from xtitan_core.contracts import DIGITS, TWO_BARRIERS, ContractType, DurationUnit
from xtitan_core.contracts import barriers as barrier_levels
from xtitan_core.prices.fair import Monitoring
from xtitan_core.symbols import SymbolKind

CONSTANT = frozenset({"R_10", "R_25", "R_50", "R_75", "R_100", "RDBULL", "RDBEAR"})
"""Symbols whose prices without a barrier never move and are not streamed, as the schema of ``proposal`` lists them."""

_CALL_PUT = frozenset({ContractType.CALL, ContractType.PUT})
"""Worth no more than half the payout however many ticks are to come."""

_LIMITS = {"payout": {"max": text(MAX_PAYOUT)}, "stake": {"min": text(MIN_STAKE)}}


_FIELDS = ("contract_type", "duration", "duration_unit", "amount", "basis", "barrier", "barrier2", "currency")
_NEUTRAL = frozenset(_FIELDS) | {"proposal", "subscribe", "req_id", "passthrough", "underlying_symbol"}
_timeless: dict[tuple[Any, ...], Terms] = {}
"""Terms that are the same at every instant and spot; to read them anew was a quarter of a quote's time."""


def read_terms(venue: Venue, parameters: Mapping[str, Any], currency: str) -> Terms:
    """The contract a request describes, as of now.

    Raises:
        CallError: with Deriv's code for terms that are not offered, or a market that is closed.
    """
    symbol = named_symbol(parameters, venue.symbols)
    key = (symbol.name, currency, *map(parameters.get, _FIELDS)) if parameters.keys() <= _NEUTRAL else None
    known = _timeless.get(key) if key else None
    if known is not None and known.symbol is symbol:
        return known
    _, last = venue.last_tick(symbol.name)
    terms = parse_terms(
        parameters,
        symbol,
        venue.epoch,
        currency,
        spot=last,
        calendar=venue.world.calendar(symbol.name),
        rolling_days=venue.assumes("daily_expiry") == "24h",
    )
    if key and terms.timeless:
        if len(_timeless) >= 10_000:
            _timeless.clear()
        _timeless[key] = terms
    return terms


def price_now(venue: Venue, terms: Terms, last: float, commission: float) -> Price:
    """The price of a contract now, at a spot.

    Raises:
        CallError: when it cannot be offered, or its price would rely on ticks that are missing: the market has moved
            since its latest quote, or a life in seconds may have fewer ticks than it should.
    """
    contract = terms.contract
    counts = terms.bounds.absolute or not (contract.in_ticks or contract.contract_type in _CALL_PUT)
    if counts and venue.tick_missing(terms.symbol.name):
        raise CallError("OldMarketData", REFUSALS["OldMarketData"])
    monitoring: Monitoring = "continuous" if venue.assumes("touch_monitoring") == "continuous" else "discrete"
    return quote(terms, last, venue.epoch, commission, monitoring)


def price_moves(terms: Terms) -> bool:
    """Whether a price changes from tick to tick, so that its stream sends every change."""
    if terms.symbol.name not in CONSTANT and terms.symbol.kind is not SymbolKind.PLANTED:
        return True
    return terms.bounds.first is not None or (terms.contract.unit is DurationUnit.DAYS or terms.daily)


def remember(
    venue: Venue, connection: Connection, proposal_id: str, terms: Terms, price: Price, stream: Subscription | None
) -> None:
    """Keep a price so that it can be bought on this connection."""
    subscription_id = stream.subscription_id if stream else None
    connection.remember(
        Proposal(proposal_id, terms, price.ask, price.payout, venue.epoch, subscription_id, price.probability)
    )


def proposal_body(
    venue: Venue, terms: Terms, price: Price, proposal_id: str, spot_time: int, last: float
) -> dict[str, Any]:
    """The ``proposal`` member of a frame.

    Args:
        spot_time, last: epoch and quote of the tick that was priced.
    """
    step, end = terms.symbol.tick_seconds, terms.end(venue.epoch)
    if end is None:
        end = venue.epoch + (terms.contract.duration + 1) * step
    return {
        "ask_price": number(price.ask),
        "contract_details": _details(terms, last),
        "date_expiry": end,
        "date_start": venue.epoch,
        "id": proposal_id,
        "longcode": terms.longcode,
        "payout": number(price.payout),
        "spot": spot(last),
        "spot_time": spot_time,
        "validation_params": _LIMITS,
    }


def _details(terms: Terms, last: float) -> dict[str, str]:
    """Barriers as they would lie if the latest tick were the entry."""
    kind, show = terms.contract.contract_type, terms.symbol.format
    if kind in DIGITS:
        return {} if terms.contract.digit is None else {"barrier": str(terms.contract.digit)}
    if terms.bounds.first is None:
        return {"barrier": show(last)}
    first, second = barrier_levels(terms.contract, last, terms.symbol.decimals)
    if kind in TWO_BARRIERS:
        return {"high_barrier": show(first), "low_barrier": show(second)}
    return {"barrier": show(second if first is None else first)}


def requote(venue: Venue, connection: Connection, stream: Subscription) -> None:
    """Send one frame of a proposal stream: the price after the latest tick, which replaces the one before.

    Where there is no price any more, the reason is sent and the stream ends.
    """
    held = connection.proposals.get(stream.subscription_id)
    if held is None:
        return
    terms = held.terms
    if terms.fixed_end is None:
        terms = terms.restamped(venue.epoch)
    spot_time, last = venue.last_tick(terms.symbol.name)
    try:
        price = price_now(venue, terms, last, venue.commission(connection, terms))
    except CallError as error:
        connection.proposals.pop(stream.subscription_id)
        venue.refuse(connection, stream.head["echo_req"], "proposal", error)
        venue.forget(connection, stream.subscription_id)
        return
    remember(venue, connection, stream.subscription_id, terms, price, stream)
    body = proposal_body(venue, terms, price, stream.subscription_id, spot_time, last)
    venue.send(connection, {**stream.head, "proposal": body})
