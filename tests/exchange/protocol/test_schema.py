"""The quick test of a request never takes what the thorough one refuses, and takes what clients really send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_exchange.protocol.requests import REQUESTS
from paper_exchange.protocol.schema import Field

FIELDS = [(call, name, field) for call, request in REQUESTS.items() for name, field in request.every.items()]
_TEXTS = ["CALL", "stake", "USD", "R_100", "t", "+0.5", "-1.25", "latest", "2026-03-02", "1", "", "é", "a\n", "ticks"]
_LEAVES = (
    st.none() | st.booleans() | st.integers(-2, 100) | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)
) | (st.sampled_from(_TEXTS) | st.text(max_size=5))
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["contract_type", "currency", "underlying_symbol", "amount", "x"]), inner)
    ),
    max_leaves=6,
)


@given(which=st.sampled_from(FIELDS), value=_VALUES)
def test_what_fits_has_no_problem(which: tuple[str, str, Field], value: Any) -> None:
    field = which[2]
    if field.fits(value):
        assert field.problem(value) is None


@given(value=_VALUES)
def test_a_field_with_two_kinds_of_bounds_is_left_to_the_thorough_test(value: Any) -> None:
    field = Field("string", enum=("CALL", "PUT"), pattern="[A-Z]{4}")
    assert not field.fits(value) or field.problem(value) is None
    assert field.problem("CALL") is None
    assert field.problem("PUT") is not None


@pytest.mark.parametrize(
    ("call", "name", "value"),
    [
        ("proposal", "contract_type", "CALL"),
        ("proposal", "amount", 10),
        ("proposal", "amount", 0.35),
        ("proposal", "duration", 5),
        ("proposal", "underlying_symbol", "R_100"),
        ("proposal", "barrier", "+0.5"),
        ("buy", "buy", "1"),
        ("buy", "parameters", {"contract_type": "PUT", "currency": "USD", "underlying_symbol": "R_10"}),
        ("ticks", "ticks", "R_100"),
        ("ticks", "req_id", 7),
    ],
)
def test_what_clients_send_takes_the_quick_way(call: str, name: str, value: Any) -> None:
    assert REQUESTS[call].every[name].fits(value)
