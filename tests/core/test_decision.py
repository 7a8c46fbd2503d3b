"""One decision rule for backtest, shadow and live."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.contracts import ContractType
from xtitan_core.decision import Quote, Reason, decide, edge, preferred_side

CALL, PUT = ContractType.CALL, ContractType.PUT
QUOTE = Quote(CALL, 1000, 1954, 0)


def test_a_clear_edge_is_bought() -> None:
    decision = decide({CALL: 0.60, PUT: 0.39}, QUOTE, 0.02)
    assert decision.buy
    assert decision.reason is Reason.EDGE
    assert decision.edge == pytest.approx(0.60 * 1.954 - 1)


def test_a_fair_coin_is_not() -> None:
    decision = decide({CALL: 0.50, PUT: 0.49}, QUOTE, 0.0)
    assert not decision.buy
    assert decision.reason is Reason.NO_EDGE


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.0000001, -0.1])
def test_a_probability_that_is_none_never_buys(bad: float) -> None:
    decision = decide({CALL: bad, PUT: 0.4}, QUOTE, 0.0)
    assert not decision.buy
    assert decision.reason is Reason.NON_FINITE


@pytest.mark.parametrize(
    ("quote", "reason"),
    [
        (None, Reason.NO_QUOTE),
        (Quote(PUT, 1000, 1954, 0), Reason.NO_QUOTE),
        (Quote(CALL, 0, 1954, 0), Reason.BAD_QUOTE),
        (Quote(CALL, 1000, 1000, 0), Reason.BAD_QUOTE),
    ],
)
def test_without_a_usable_quote_nothing_is_bought(quote: Quote | None, reason: Reason) -> None:
    decision = decide({CALL: 0.9, PUT: 0.1}, quote, 0.0)
    assert not decision.buy
    assert decision.reason is reason


@given(p=st.floats(0, 1), ask=st.integers(35, 10_000), payout=st.integers(36, 20_000), floor=st.floats(0, 0.5))
def test_buying_always_means_positive_expected_value(p: float, ask: int, payout: int, floor: float) -> None:
    decision = decide({CALL: p, PUT: 0.0}, Quote(CALL, ask, payout, 0), floor)
    if decision.buy:
        assert edge(p, ask, payout) >= floor
        assert edge(p, ask, payout) > 0


def test_the_preferred_side_is_the_likelier_one() -> None:
    assert preferred_side({CALL: 0.4, PUT: 0.41}) is PUT
    assert preferred_side({CALL: 0.5, PUT: 0.5}) is CALL
