"""Money and numbers from the wire: exact or refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.deriv import fields
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.fields import from_cents, to_cents

CENTS = st.integers(-(10**13), 10**13)


@given(CENTS)
def test_a_cent_amount_survives_the_trip_over_the_wire_as_number_and_as_text(cents: int) -> None:
    as_number = json.loads(json.dumps(from_cents(cents)))
    as_text = f"{Decimal(cents) / 100:.2f}"
    assert to_cents(as_number) == to_cents(as_text) == cents


@given(CENTS)
def test_an_amount_we_send_never_has_more_than_two_decimals(cents: int) -> None:
    assert -Decimal(json.dumps(from_cents(cents))).as_tuple().exponent <= 2  # type: ignore[operator]


@pytest.mark.parametrize(
    ("amount", "cents"),
    [(10, 1000), (18.83, 1883), ("18.83", 1883), ("0.00", 0), (-10, -1000), ("-0.35", -35), (0.29, 29), ("1.500", 150)],
)
def test_deriv_s_own_forms_are_read_exactly(amount: object, cents: int) -> None:
    assert to_cents(amount) == cents


@pytest.mark.parametrize(
    "amount",
    [0.001, "0.005", 18.834, float("nan"), float("inf"), "NaN", "Infinity", "1e3", "1_000", " 1", "1\n", "", "٣", "1.",
     None, True, [], {}, "9" * 40],
)  # fmt: skip
def test_anything_else_is_refused(amount: object) -> None:
    with pytest.raises(FrameError):
        to_cents(amount)


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_an_integer_is_an_integer_and_nothing_that_equals_one(value: object) -> None:
    with pytest.raises(FrameError, match="epoch"):
        fields.integer({"epoch": value}, "epoch")


def test_optional_fields_may_be_absent_or_null_but_not_of_another_type() -> None:
    assert fields.optional_integer({}, "x") is fields.optional_integer({"x": None}, "x") is None
    assert fields.optional_text({"x": ""}, "x") is None
    assert fields.optional_cents({"x": "0.00"}, "x") == 0
    assert fields.optional_number({"x": "92.0252"}, "x") == 92.0252
    for read in (fields.optional_integer, fields.optional_text, fields.optional_cents, fields.optional_number):
        with pytest.raises(FrameError):
            read({"x": []}, "x")


def test_flags_are_zero_or_one() -> None:
    assert (fields.flag({}, "f"), fields.flag({"f": 0}, "f"), fields.flag({"f": 1}, "f")) == (False, False, True)
    for value in (2, True, "1", None):
        with pytest.raises(FrameError):
            fields.flag({"f": value}, "f")


def test_lists_and_objects_are_checked_before_they_are_walked() -> None:
    assert fields.rows({"a": {"b": [{"c": 1}]}}, "a", "b") == [{"c": 1}]
    for frame in ({}, {"a": None}, {"a": []}, {"a": {}}, {"a": {"b": {}}}, {"a": {"b": [1]}}):
        with pytest.raises(FrameError):
            fields.rows(frame, "a", "b")
