"""Barriers and digit predictions: what is understood, and in which words the rest is refused."""

from __future__ import annotations

from typing import Any

import pytest

from paper_exchange.contracts.barriers import Barriers, check_against_spot, read_barriers
from paper_exchange.errors import CallError
from xtitan_core.contracts import ContractType
from xtitan_core.symbols import symbol

R_100 = symbol("R_100")
SPOT = 640.0


def read(kind: str, barrier: str | None = None, barrier2: str | None = None, *, daily: bool = False) -> Barriers:
    request: dict[str, Any] = {"barrier": barrier, "barrier2": barrier2}
    given = {k: v for k, v in request.items() if v is not None}
    read_ = read_barriers(ContractType(kind), given, R_100, daily=daily)
    check_against_spot(ContractType(kind), read_, R_100, SPOT)
    return read_


@pytest.mark.parametrize(
    ("kind", "barriers", "daily", "expected"),
    [
        ("CALL", (), False, Barriers()),
        ("DIGITEVEN", (), False, Barriers()),
        ("HIGHER", ("+0.10",), False, Barriers(("+0.10",), 0.1)),
        ("HIGHER", ("-3",), False, Barriers(("-3",), -3.0)),
        ("LOWER", ("+0",), False, Barriers(("+0",), 0.0)),
        ("LOWER", ("640.00",), False, Barriers(("640.00",), 640.0, absolute=True)),
        ("ONETOUCH", ("645.1",), True, Barriers(("645.1",), 645.1, absolute=True)),
        ("RANGE", ("+1", "-2.5"), False, Barriers(("+1", "-2.5"), 1.0, -2.5)),
        ("EXPIRYMISS", ("650", "645"), False, Barriers(("650", "645"), 650.0, 645.0, True)),
        ("DIGITOVER", ("8",), False, Barriers(("8",), digit=8)),
        ("DIGITUNDER", ("1",), False, Barriers(("1",), digit=1)),
    ],
)
def test_understood(kind: str, barriers: tuple[str, ...], daily: bool, expected: Barriers) -> None:
    assert read(kind, *barriers, daily=daily) == expected


@pytest.mark.parametrize(
    ("kind", "barriers", "code", "message"),
    [
        ("HIGHER", (), "InvalidBarrierSingle", "Invalid barrier (Single barrier input is expected)."),
        ("ONETOUCH", (None, "+1"), "InvalidBarrierSingle", "Invalid barrier (Single barrier input is expected)."),
        ("ONETOUCH", ("+1", "-1"), "InvalidBarrierSingle", "Invalid barrier (Single barrier input is expected)."),
        ("RANGE", ("+1",), "InvalidBarrierDouble", "Invalid barrier (Double barrier input is expected)."),
        ("EXPIRYRANGE", (), "InvalidBarrierDouble", "Invalid barrier (Double barrier input is expected)."),
        (
            "RANGE", ("+1", "639"), "InvalidBarrierDifferentType",
            "Invalid barrier (Barrier type must be the same for double-barrier contracts).",
        ),
        ("RANGE", ("-1", "+1"), "InvalidHighBarrier", "High barrier must be higher than low barrier."),
        ("RANGE", ("+1", "+1.0"), "SameBarriersNotAllowed", "High and low barriers must be different."),
        ("RANGE", ("+2", "+1"), "InvalidBarrierRange", "Barriers must be on either side of the spot."),
        ("UPORDOWN", ("645", "641"), "InvalidBarrierRange", "Barriers must be on either side of the spot."),
        ("EXPIRYRANGE", ("+2", "+1"), "InvalidBarrierRange", "Barriers must be on either side of the spot."),
        ("ONETOUCH", ("+0",), "InvalidBarrierForSpot", "Barrier must be at least 1 pip away from the spot."),
        ("NOTOUCH", ("640",), "InvalidBarrierForSpot", "Barrier must be at least 1 pip away from the spot."),
        ("HIGHER", ("+0.001",), "BarrierValidationError", "Barrier can only be up to 2 decimal places."),
        ("HIGHER", ("0",), "ZeroAbsoluteBarrier", "Barrier cannot be zero."),
        ("HIGHER", ("2000",), "BarrierOutOfRange", "Barrier is out of acceptable range."),
        ("LOWER", ("1",), "BarrierOutOfRange", "Barrier is out of acceptable range."),
        (
            "LOWER", ("-640",), "NegativeContractBarrier",
            "Barrier offset -640 exceeded quote price, contract barrier must be positive.",
        ),
        (
            "DIGITMATCH", (), "MissingRequiredDigit",
            "Missing required contract parameters (last digit prediction for digit contracts).",
        ),
        ("DIGITMATCH", ("+1",), "IntegerBarrierRequired", "Barrier must be an integer."),
        ("DIGITMATCH", ("1.5",), "IntegerBarrierRequired", "Barrier must be an integer."),
        ("DIGITMATCH", ("10",), "DigitOutOfRange", "Digit must be in the range of 0 to 9."),
        ("DIGITOVER", ("9",), "DigitOutOfRange", "Digit must be in the range of 0 to 8."),
        ("DIGITUNDER", ("0",), "DigitOutOfRange", "Digit must be in the range of 1 to 9."),
        ("DIGITDIFF", ("1", "2"), "InvalidBarrierSingle", "Invalid barrier (Single barrier input is expected)."),
    ],
)  # fmt: skip
def test_refused(kind: str, barriers: tuple[str | None, ...], code: str, message: str) -> None:
    with pytest.raises(CallError) as caught:
        read(kind, *barriers)
    body = caught.value.body()
    assert (body["code"], body["subcode"], body["message"]) == (code, code, message)
    assert body["details"] == {"field": "barrier"}


@pytest.mark.parametrize("kind", ["CALL", "PUTE", "DIGITODD"])
def test_a_barrier_where_none_is_taken_is_refused_as_recorded(kind: str) -> None:
    with pytest.raises(CallError) as caught:
        read(kind, "+0.1")
    assert caught.value.body() == {
        "code": "ContractBuyValidationError",
        "subcode": "InvalidBarrier",
        "message": "Invalid barrier.",
        "details": {"field": "barrier"},
    }


@pytest.mark.parametrize(("kind", "barriers"), [("HIGHER", ("+1",)), ("RANGE", ("+1", "-1"))])
def test_days_take_levels(kind: str, barriers: tuple[str, ...]) -> None:
    with pytest.raises(CallError, match="NeedAbsoluteBarrier"):
        read(kind, *barriers, daily=True)


def test_values_of_a_message_are_sent_apart_from_it() -> None:
    with pytest.raises(CallError) as caught:
        read("DIGITOVER", "9")
    assert caught.value.body()["code_args"] == ["0", "8"]
