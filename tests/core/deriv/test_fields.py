"""Money and numbers from the wire: exact or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
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
     None, True, [], {}, "9" * 40, 10**400, -(10**400), 1e300, 10_000_000_000_000.01, "1000000000000.000000000000000001"],
)  # fmt: skip
def test_anything_else_is_refused(amount: object) -> None:
    with pytest.raises(FrameError):
        to_cents(amount)


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_an_integer_is_an_integer_and_nothing_that_equals_one(value: object) -> None:
    with pytest.raises(FrameError, match="epoch"):
        fields.integer({"epoch": value}, "epoch")


def test_optional_fields_may_be_absent_or_null_but_not_of_another_type() -> None:
    for read in (fields.optional_identifier, fields.optional_epoch):
        assert read({}, "x") is read({"x": None}, "x") is None
    assert fields.optional_text({"x": ""}, "x") is None
    assert fields.optional_cents({"x": "0.00"}, "x") == 0
    assert fields.optional_number({"x": "92.0252"}, "x") == 92.0252
    for reader in (
        fields.optional_identifier,
        fields.optional_epoch,
        fields.optional_text,
        fields.optional_cents,
        fields.optional_number,
    ):
        with pytest.raises(FrameError):
            reader({"x": []}, "x")


@pytest.mark.parametrize("value", [2**63, -(2**63), 10**400, -(10**400)])
@pytest.mark.parametrize("read", [fields.identifier, fields.epoch, fields.integer, fields.number, fields.cents])
def test_a_number_too_large_for_a_float_an_array_or_the_ledger_is_refused_in_one_short_line(
    read: Callable[[fields.Frame, str], object], value: int
) -> None:
    with pytest.raises(FrameError, match="venue_field") as refused:
        read({"venue_field": value}, "venue_field")
    assert len(str(refused.value)) < 120


def test_the_largest_values_of_each_kind_are_still_read() -> None:
    assert fields.identifier({"x": 2**63 - 1}, "x") == 2**63 - 1
    assert fields.epoch({"x": 9_999_999_999}, "x") == 9_999_999_999
    assert fields.cents({"x": -(10**13)}, "x") == -(10**15)
    assert fields.text({"x": "é" * fields.MAX_TEXT}, "x")
    with pytest.raises(FrameError, match="epoch"):
        fields.epoch({"epoch": 10_000_000_000}, "epoch")
    for read in (fields.identifier, fields.epoch):
        with pytest.raises(FrameError, match="between 0"):
            read({"x": -1}, "x")


@pytest.mark.parametrize("value", ["a" * 4_097, "CALL\ud800", "\udfff", 5, True, ["a"]])
def test_a_text_that_no_file_or_database_takes_is_refused(value: object) -> None:
    with pytest.raises(FrameError, match="code"):
        fields.text({"code": value}, "code")


def test_a_refused_container_is_not_written_out() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    for read in (fields.integer, fields.text, fields.number, fields.cents, fields.flag):
        with pytest.raises(FrameError):
            read({"x": nested}, "x")


def test_flags_are_zero_or_one() -> None:
    assert (fields.flag({}, "f"), fields.flag({"f": 0}, "f"), fields.flag({"f": 1}, "f")) == (False, False, True)
    for value in (2, True, "1", None):
        with pytest.raises(FrameError):
            fields.flag({"f": value}, "f")


def test_lists_and_objects_are_checked_before_they_are_walked() -> None:
    assert fields.rows({"a": {"b": [{"c": 1}]}}, "a", "b") == [{"c": 1}]
    bad: list[dict[str, object]] = [{}, {"a": None}, {"a": []}, {"a": {}}, {"a": {"b": {}}}, {"a": {"b": [1]}}]
    for frame in bad:
        with pytest.raises(FrameError):
            fields.rows(frame, "a", "b")
