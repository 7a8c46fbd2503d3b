"""Barriers and digit predictions: read from a request, checked against the type and against the spot.

A barrier with a sign is an offset from the entry quote, one without a price level. The sentences are those that Deriv's
own client has for each code; codes that were recorded are marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from paper_exchange.errors import CallError
from xtitan_core.contracts import ONE_BARRIER, PREDICTIONS, STAYS, TOUCH, TWO_BARRIERS, ContractType
from xtitan_core.symbols import Symbol

LOWEST, HIGHEST = 0.25, 2.5
"""A level outside these multiples of the spot is refused. Deriv's limits are not published."""

_FIELDS = ("barrier", "barrier2")


@dataclass(frozen=True, slots=True)
class Barriers:
    """Barriers or digit of a request.

    Attributes:
        texts: as written, the upper one first.
        first, second: offsets or levels; None where the type has none.
        absolute: True for levels.
        digit: the predicted last digit.
    """

    texts: tuple[str, ...] = ()
    first: float | None = None
    second: float | None = None
    absolute: bool = False
    digit: int | None = None


NO_BARRIERS = Barriers()


def read_barriers(kind: ContractType, request: Mapping[str, Any], symbol: Symbol, *, daily: bool) -> Barriers:
    """Read ``barrier`` and ``barrier2`` for a contract type.

    Args:
        daily: the contract ends with a trading day, so its barriers have to be levels.

    Raises:
        CallError: with Deriv's code for what does not fit.
    """
    if kind in PREDICTIONS:
        return _prediction(kind, request)
    if kind not in ONE_BARRIER and kind not in TWO_BARRIERS:
        if "barrier" in request or "barrier2" in request:
            # Recorded on the new API for a CALL with a barrier: this code with the subcode.
            raise _refusal("ContractBuyValidationError", "Invalid barrier.", subcode="InvalidBarrier")
        return NO_BARRIERS
    texts = [request[field] for field in _FIELDS if field in request]
    if kind in ONE_BARRIER and (len(texts) != 1 or "barrier" not in request):
        raise _refusal("InvalidBarrierSingle", "Invalid barrier (Single barrier input is expected).")
    if kind in TWO_BARRIERS and len(texts) != 2:
        raise _refusal("InvalidBarrierDouble", "Invalid barrier (Double barrier input is expected).")
    signed = [text[0] in "+-" for text in texts]
    if len(set(signed)) > 1:
        raise _refusal(
            "InvalidBarrierDifferentType",
            "Invalid barrier (Barrier type must be the same for double-barrier contracts).",
        )
    absolute = not signed[0]
    if daily and not absolute:
        raise _refusal(
            "NeedAbsoluteBarrier", "Contracts more than 24 hours in duration would need an absolute barrier."
        )
    values = [_value(text, symbol, absolute=absolute) for text in texts]
    if len(values) == 2 and values[0] <= values[1]:
        if values[0] == values[1]:
            raise _refusal("SameBarriersNotAllowed", "High and low barriers must be different.")
        raise _refusal("InvalidHighBarrier", "High barrier must be higher than low barrier.")
    second = float(values[1]) if len(values) == 2 else None
    return Barriers(tuple(texts), float(values[0]), second, absolute)


def check_against_spot(kind: ContractType, barriers: Barriers, symbol: Symbol, spot: float) -> None:
    """Refuse barriers that lie on the spot, on one side of it, or nowhere near it.

    Raises:
        CallError: InvalidBarrierForSpot, InvalidBarrierRange, BarrierOutOfRange or NegativeContractBarrier.
    """
    origin = 0.0 if barriers.absolute else spot
    levels = [
        round(origin + value, symbol.decimals) for value in (barriers.first, barriers.second) if value is not None
    ]
    if not levels:
        return
    for level, text in zip(levels, barriers.texts, strict=True):
        if level <= 0:
            raise _refusal(
                "NegativeContractBarrier",
                f"Barrier offset {text} exceeded quote price, contract barrier must be positive.",
                args=(text,),
            )
        if not LOWEST * spot <= level <= HIGHEST * spot:
            raise _refusal("BarrierOutOfRange", "Barrier is out of acceptable range.")
    if kind in TOUCH and levels[0] == spot:
        raise _refusal("InvalidBarrierForSpot", "Barrier must be at least 1 pip away from the spot.", args=("1 pip",))
    if len(levels) == 2 and (kind in STAYS or not barriers.absolute) and not levels[1] < spot < levels[0]:
        raise _refusal("InvalidBarrierRange", "Barriers must be on either side of the spot.")


def _prediction(kind: ContractType, request: Mapping[str, Any]) -> Barriers:
    if "barrier2" in request:
        raise _refusal("InvalidBarrierSingle", "Invalid barrier (Single barrier input is expected).")
    text = request.get("barrier")
    if text is None:
        raise _refusal(
            "MissingRequiredDigit",
            "Missing required contract parameters (last digit prediction for digit contracts).",
        )
    if not text.isdecimal():
        raise _refusal("IntegerBarrierRequired", "Barrier must be an integer.")
    digit, allowed = int(text), PREDICTIONS[kind]
    if digit not in allowed:
        first, last = allowed[0], allowed[-1]
        raise _refusal("DigitOutOfRange", f"Digit must be in the range of {first} to {last}.", args=(first, last))
    return Barriers((str(digit),), digit=digit)


def _value(text: str, symbol: Symbol, *, absolute: bool) -> Decimal:
    value = Decimal(text)
    if absolute and value == 0:
        raise _refusal("ZeroAbsoluteBarrier", "Barrier cannot be zero.")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > symbol.decimals:
        raise _refusal(
            "BarrierValidationError",
            f"Barrier can only be up to {symbol.decimals} decimal places.",
            args=(symbol.decimals,),
        )
    return value


def _refusal(code: str, message: str, *, subcode: str | None = None, args: tuple[object, ...] = ()) -> CallError:
    # Recorded on the new API: the code repeated as the subcode, the field named in the details.
    return CallError(code, message, {"field": "barrier"}, subcode=subcode or code, args=tuple(str(arg) for arg in args))
