"""Stakes: fractional Kelly and the canary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.staking import canary_stake, kelly_stake, posterior_mean


def test_no_evidence_means_no_edge_believed() -> None:
    assert posterior_mean(0.60, 0.512, evidence=0) == 0.512
    assert posterior_mean(0.60, 0.512, evidence=2_500) == pytest.approx((0.60 + 0.512) / 2)


def test_quarter_kelly_of_a_known_edge() -> None:
    # p = .56 at r = .95: Kelly .0968 of the bankroll, a quarter of it is above the 1 % cap.
    assert kelly_stake(1_000_000, 0.56, 0.95) == 10_000
    assert kelly_stake(1_000_000, 0.5142, 0.95, cap=1.0) == pytest.approx(1_000_000 * 0.25 * 0.00284, rel=0.01)


def test_no_edge_stakes_nothing() -> None:
    assert kelly_stake(1_000_000, 0.51, 0.95) == 0


@given(p=st.floats(0, 1), r=st.floats(0.05, 10), bankroll=st.integers(0, 10**9))
def test_a_stake_never_exceeds_the_cap(p: float, r: float, bankroll: int) -> None:
    assert 0 <= kelly_stake(bankroll, p, r) <= bankroll * 0.01


@pytest.mark.parametrize(("payout", "smallest"), [(1954, 86), (1883, 43)])
def test_the_canary_takes_the_smallest_stake_that_is_as_good_a_bet(payout: int, smallest: int) -> None:
    stake, ratio = canary_stake(1000, payout)
    assert stake == smallest
    assert abs(ratio - (payout / 1000 - 1)) <= 0.001


def test_without_a_faithful_smaller_stake_the_canary_is_the_shadow_stake() -> None:
    assert canary_stake(35, 66) == (35, 66 / 35 - 1)
