"""What can be bought on which symbol, and how long: one table by kind of symbol.

Sources: ``contracts_for`` of R_100 and R_50 recorded on 2026-09-14 for the volatility indices; refusals of forex and
metals seen in 2026; digit prices quoted on jump indices. Boom, crash and step indices have no options here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from paper_exchange.errors import CallError
from xtitan_core.clock import DAY
from xtitan_core.contracts import ContractType
from xtitan_core.symbols import Symbol, SymbolKind


@dataclass(frozen=True, slots=True)
class Span:
    """Durations of one kind.

    Attributes:
        expiry: as Deriv calls it: "tick", "intraday" or "daily".
        shortest, longest: as ``contracts_for`` spells them.
        least, most: the same in ticks, seconds or days.
    """

    expiry: str
    shortest: str
    longest: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Contract types that are offered alike.

    Attributes:
        category: Deriv's ``contract_category``.
        types: the contract types.
        barriers: how many a contract takes.
        spans: durations on offer.
    """

    category: str
    types: tuple[ContractType, ...]
    barriers: int
    spans: tuple[Span, ...]

    def span(self, expiry: str) -> Span | None:
        """The durations of one kind, None where there are none."""
        return next((span for span in self.spans if span.expiry == expiry), None)


def _ticks(least: int, most: int) -> Span:
    return Span("tick", f"{least}t", f"{most}t", least, most)


def _intraday(shortest: str, longest: str = "1d") -> Span:
    """Up to 24 hours; ``contracts_for`` calls them 1d where days (to the end of a trading day) are offered as well."""
    seconds = int(shortest[:-1]) * (60 if shortest.endswith("m") else 1)
    return Span("intraday", shortest, longest, seconds, DAY)


_DAILY = Span("daily", "1d", "365d", 1, 365)
_C = ContractType
_RISE_FALL, _EQUAL = (_C.CALL, _C.PUT), (_C.CALLE, _C.PUTE)
_DIGITS = (
    Offer("digits", (_C.DIGITMATCH, _C.DIGITDIFF, _C.DIGITOVER, _C.DIGITUNDER), 1, (_ticks(1, 10),)),
    Offer("digits", (_C.DIGITODD, _C.DIGITEVEN), 0, (_ticks(1, 10),)),
)
_VOLATILITY = (
    Offer("callput", _RISE_FALL, 0, (_ticks(1, 10), _intraday("15s"), _DAILY)),
    Offer("callputequal", _EQUAL, 0, (_ticks(1, 10), _intraday("15s"), _DAILY)),
    Offer("higherlower", (_C.HIGHER, _C.LOWER), 1, (_ticks(5, 10), _intraday("15s"), _DAILY)),
    Offer("touchnotouch", (_C.ONETOUCH, _C.NOTOUCH), 1, (_ticks(5, 10), _intraday("2m"), _DAILY)),
    Offer("endsinout", (_C.EXPIRYMISS, _C.EXPIRYRANGE), 2, (_intraday("2m"), _DAILY)),
    Offer("endsinout", (_C.EXPIRYMISSE, _C.EXPIRYRANGEE), 2, (_intraday("2m"), _DAILY)),
    Offer("staysinout", (_C.RANGE, _C.UPORDOWN), 2, (_intraday("2m"), _DAILY)),
    *_DIGITS,
)
_JUMP = (Offer("callput", _RISE_FALL, 0, (_ticks(1, 10), _intraday("15s", longest="24h"))), *_DIGITS)
_FOREX = (Offer("callput", _RISE_FALL, 0, (_intraday("15m"), _DAILY)),)
_METALS = (Offer("callput", _RISE_FALL, 0, (_intraday("5m"), _DAILY)),)

OFFERINGS: dict[SymbolKind, tuple[Offer, ...]] = {
    SymbolKind.VOLATILITY: _VOLATILITY,
    SymbolKind.PLANTED: _VOLATILITY,
    SymbolKind.JUMP: _JUMP,
    SymbolKind.FOREX: _FOREX,
    SymbolKind.BOOM: (),
    SymbolKind.CRASH: (),
    SymbolKind.STEP: (),
}
"""What is offered on each kind of symbol. Metals are of the kind forex; on them shorter contracts are offered."""

CATEGORIES = {
    "callput": "Up/Down",
    "callputequal": "Rise/Fall Equal",
    "higherlower": "Higher/Lower",
    "touchnotouch": "Touch/No Touch",
    "endsinout": "Ends Between/Ends Outside",
    "staysinout": "Stays Between/Goes Outside",
    "digits": "Digits",
}
"""Deriv's names of the categories on offer."""

_UP = {_C.CALL, _C.CALLE, _C.HIGHER, _C.DIGITOVER}
_DOWN = {_C.PUT, _C.PUTE, _C.LOWER, _C.DIGITUNDER}
_SENTIMENTS = {
    _C.ONETOUCH: "high_vol",
    _C.NOTOUCH: "low_vol",
    _C.UPORDOWN: "high_vol",
    _C.RANGE: "low_vol",
    _C.EXPIRYMISS: "high_vol",
    _C.EXPIRYMISSE: "high_vol",
    _C.EXPIRYRANGE: "low_vol",
    _C.EXPIRYRANGEE: "low_vol",
    _C.DIGITMATCH: "match",
    _C.DIGITDIFF: "differ",
    _C.DIGITODD: "odd",
    _C.DIGITEVEN: "even",
}


def sentiment(kind: ContractType) -> str:
    """What the buyer of a type expects, as ``contracts_for`` names it."""
    return "up" if kind in _UP else "down" if kind in _DOWN else _SENTIMENTS[kind]


def offers(symbol: Symbol) -> tuple[Offer, ...]:
    """Everything offered on a symbol."""
    return _METALS if symbol.market == "commodities" else OFFERINGS[symbol.kind]


@cache
def _by_type(kind: SymbolKind, metal: bool) -> dict[str, Offer]:
    table = _METALS if metal else OFFERINGS[kind]
    return {contract_type: offer for offer in table for contract_type in offer.types}


def offer(symbol: Symbol, contract_type: str) -> Offer:
    """The terms on which a type is offered on a symbol.

    Raises:
        CallError: OfferingsInvalidSymbol where nothing is offered, InvalidOfferings where this type is not.
    """
    table = _by_type(symbol.kind, symbol.market == "commodities")
    if contract_type in table:
        return table[contract_type]
    if not table:
        raise CallError(
            "OfferingsInvalidSymbol",
            "There's no contract available for this symbol.",
            {"field": "underlying_symbol"},
        )
    raise CallError("InvalidOfferings", "Trading is not offered for this contract type.", {"field": "contract_type"})


def all_types() -> dict[str, list[str]]:
    """Contract types by category, over every symbol."""
    table: dict[str, list[str]] = {}
    for offer_ in _VOLATILITY:
        table.setdefault(offer_.category, []).extend(str(kind) for kind in offer_.types)
    return table


def still_offered(symbol: Symbol, kind: ContractType, seconds: int) -> bool:
    """Whether a life of so many seconds is itself on offer; a contract with less left cannot be sold back."""
    for span in _by_type(symbol.kind, symbol.market == "commodities")[kind].spans:
        if span.expiry == "intraday" and span.least <= seconds:
            return True
    return False
