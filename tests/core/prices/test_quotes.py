"""Quotes against what Deriv was observed to quote."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.prices import (
    MIN_COMMISSION,
    PriceError,
    ask_for_payout,
    break_even,
    payout_for_stake,
    rise_fall_probability,
)


@pytest.mark.parametrize(
    ("stake", "commission", "payout"),
    [("10", 0.0311, "18.83"), ("10", 0.0121, "19.53"), ("34.23", 0.0120, "66.86"), ("10", 0.0201, "19.23")],
)
def test_recorded_rise_fall_quotes_are_reproduced(stake: str, commission: float, payout: str) -> None:
    assert abs(payout_for_stake(Decimal(stake), 0.49992, commission) - Decimal(payout)) <= Decimal("0.01")


def test_an_at_the_money_call_is_worth_slightly_less_than_half() -> None:
    # sigma = 100 %, one day: statistics of a martingale's negative log-drift.
    sigma = (1 / 365) ** 0.5
    assert rise_fall_probability(sigma, rise=True) == pytest.approx(0.48956, abs=2e-5)
    assert rise_fall_probability(sigma, rise=True) + rise_fall_probability(sigma, rise=False) == pytest.approx(1.0)


def test_the_minimum_commission_makes_tiny_stakes_worse() -> None:
    payout = payout_for_stake(Decimal("0.35"), 0.5, 0.012)
    assert break_even(Decimal("0.35"), payout) == pytest.approx(0.530, abs=5e-4)


@given(cents=st.integers(35, 100_000), p=st.floats(0.05, 0.95), c=st.floats(0.001, 0.04))
def test_the_house_never_quotes_better_than_fair(cents: int, p: float, c: float) -> None:
    stake = Decimal(cents) / 100
    try:
        payout = payout_for_stake(stake, p, c)
    except PriceError:
        return
    # Rounding a payout half up can give back at most half a cent of it.
    assert float(payout) * p <= float(stake - MIN_COMMISSION) + 0.005
    assert ask_for_payout(payout, p, c) >= stake - Decimal("0.02")


def test_a_stake_below_the_commission_is_refused() -> None:
    with pytest.raises(PriceError, match="nothing to win"):
        payout_for_stake(Decimal("0.35"), 0.97, 0.012)


def test_a_contract_that_cannot_be_won_has_no_price() -> None:
    with pytest.raises(PriceError, match="no price"):
        payout_for_stake(Decimal("0.35"), 0.0, 0.012)
