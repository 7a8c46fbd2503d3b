"""Deriv's sentence for a contract, and its compact name.

The sentences were seen on the wire: those of rise/fall and digits on the new API, the others on the old one; the
published schemas still quote the latter.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from paper_exchange.contracts.barriers import Barriers
from paper_exchange.money import plain
from xtitan_core.clock import DAY
from xtitan_core.contracts import DIGITS, PATH, Contract, ContractType, DurationUnit
from xtitan_core.symbols import Symbol

_C = ContractType
_RELATIONS = {
    _C.CALL: "strictly higher than",
    _C.PUT: "strictly lower than",
    _C.CALLE: "higher than or equal to",
    _C.PUTE: "lower than or equal to",
    _C.HIGHER: "strictly higher than",
    _C.LOWER: "strictly lower than",
}
_VERBS = {
    _C.ONETOUCH: "touches",
    _C.NOTOUCH: "does not touch",
    _C.RANGE: "stays between",
    _C.UPORDOWN: "goes outside",
    _C.EXPIRYRANGE: "ends strictly between",
    _C.EXPIRYRANGEE: "ends between",
    _C.EXPIRYMISS: "ends outside",
    _C.EXPIRYMISSE: "ends outside or on",
}
_JOINTS = {_C.UPORDOWN: "and"}
_LAST_DIGIT = {
    _C.DIGITMATCH: "{}",
    _C.DIGITDIFF: "not {}",
    _C.DIGITOVER: "strictly higher than {}",
    _C.DIGITUNDER: "strictly lower than {}",
    _C.DIGITODD: "odd",
    _C.DIGITEVEN: "even",
}
_EPOCH = date(1970, 1, 1).toordinal()
_UNIT_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_SHORT = {_C.HIGHER: _C.CALL, _C.LOWER: _C.PUT}
"""Recorded: shortcodes call the barrier versions of rise/fall by the old names."""


def longcode(symbol: Symbol, contract: Contract, barriers: Barriers, *, close: int | None, fixed: int | None) -> str:
    """The sentence.

    Args:
        close: the last second of the trading day the contract ends with, None for a shorter one.
        fixed: the end the client named for a shorter contract, else None.
    """
    kind, name = contract.contract_type, symbol.display_name
    if kind in DIGITS:
        outcome = _LAST_DIGIT[kind].format(contract.digit)
        # Recorded: "after 1 ticks" here, "after 1 tick" for rise/fall.
        return f"Win payout if the last digit of {name} is {outcome} after {contract.duration} ticks."
    what = _barriers(symbol, barriers, _JOINTS.get(kind, "to"))
    if kind in _VERBS:
        return f"Win payout if {name} {_VERBS[kind]} {what} {_when(contract, kind in PATH, close, fixed)}."
    outcome = f"is {_RELATIONS[kind]} {what}"
    if contract.in_ticks:
        return f"Win payout if {name} after {_count(contract.duration, 'tick')} {outcome}."
    return f"Win payout if {name} {outcome} {_when(contract, False, close, fixed)}."


def shortcode(
    symbol: Symbol, contract: Contract, barriers: Barriers, payout: Decimal, start: int, end: int | None, *, fixed: bool
) -> str:
    """``TYPE_SYMBOL_PAYOUT_START_END_BARRIER_BARRIER2``.

    The end is ``nT``, an epoch, or an epoch with F when the client fixed it. Barriers are ``S10P`` (an offset in pips)
    or a level in millionths; even and odd digits have none.
    """
    kind = contract.contract_type
    when = f"{contract.duration}T" if end is None else f"{end}F" if fixed else str(end)
    head = f"{_SHORT.get(kind, kind)}_{symbol.name}_{plain(payout)}_{start}_{when}"
    if kind in DIGITS:
        return head if contract.digit is None else f"{head}_{contract.digit}_0"
    first = "S0P" if barriers.first is None else _short_barrier(symbol, barriers.first, absolute=barriers.absolute)
    second = "0" if barriers.second is None else _short_barrier(symbol, barriers.second, absolute=barriers.absolute)
    return f"{head}_{first}_{second}"


def _short_barrier(symbol: Symbol, value: float, *, absolute: bool) -> str:
    if absolute:
        return str(round(value * 1_000_000))
    return f"S{round(value * 10**symbol.decimals)}P"


def _barriers(symbol: Symbol, barriers: Barriers, joint: str) -> str:
    if barriers.first is None:
        return "entry spot"
    upper = _barrier(symbol, barriers.first, absolute=barriers.absolute)
    if barriers.second is None:
        return upper
    return f"{_barrier(symbol, barriers.second, absolute=barriers.absolute)} {joint} {upper}"


def _barrier(symbol: Symbol, value: float, *, absolute: bool) -> str:
    if absolute:
        return symbol.format(value)
    if value == 0:
        return "entry spot"
    return f"entry spot {'plus' if value > 0 else 'minus'} {symbol.format(abs(value))}"


def _when(contract: Contract, path: bool, close: int | None, fixed: int | None) -> str:
    preposition = "through" if path else "at"
    if close is not None:
        return f"{preposition} close on {date.fromordinal(_EPOCH + close // DAY).isoformat()}"
    if contract.in_ticks:
        return f"{preposition} {_count(contract.duration, 'tick')} after first tick"
    if fixed is not None:
        # As the old API spelled it, in Deriv's own clients' fixtures.
        return f"{preposition} {datetime.fromtimestamp(fixed, UTC):%Y-%m-%d %H:%M:%S} GMT"
    return f"{preposition} {_span(contract)} after contract start time"


def _span(contract: Contract) -> str:
    if contract.unit is DurationUnit.DAYS:
        return _count(contract.duration * 24, "hour")
    return _count(contract.duration, _UNIT_NAMES[contract.unit])


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
