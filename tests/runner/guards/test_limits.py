"""Limits are judged on ledger facts; open and unknown stakes count as lost."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from live_runner.guards.limits import LimitBreach, Limits, Snapshot, check

CALM = Snapshot(
    day_loss_cents=0, reserved_cents=0, open_contracts=0, buys_last_minute=0, day_stopped=False, tick_age_s=0.5
)
LIMITS = Limits(
    max_stake_cents=1_000,
    max_day_loss_cents=5_000,
    max_open_contracts=3,
    max_exposure_cents=3_000,
    max_buys_per_minute=2,
    max_tick_age_s=5.0,
)


def test_an_order_inside_every_limit_may_go() -> None:
    assert check(CALM, 1_000, LIMITS) is None


@pytest.mark.parametrize(
    ("facts", "stake", "breach"),
    [
        ({}, 1_001, LimitBreach.STAKE),
        ({}, 34, LimitBreach.STAKE),
        ({}, 10.0, LimitBreach.NOT_FINITE),
        ({}, math.nan, LimitBreach.NOT_FINITE),
        ({"tick_age_s": math.nan}, 100, LimitBreach.NOT_FINITE),
        ({"tick_age_s": math.inf}, 100, LimitBreach.NOT_FINITE),
        ({"day_stopped": True}, 100, LimitBreach.DAY_STOPPED),
        ({"day_loss_cents": 4_001}, 1_000, LimitBreach.DAY_LOSS),
        ({"day_loss_cents": 2_001, "reserved_cents": 2_000}, 1_000, LimitBreach.DAY_LOSS_RESERVED),
        ({"open_contracts": 3}, 100, LimitBreach.OPEN_CONTRACTS),
        ({"reserved_cents": 2_001}, 1_000, LimitBreach.EXPOSURE),
        ({"buys_last_minute": 2}, 100, LimitBreach.RATE),
        ({"tick_age_s": 5.01}, 100, LimitBreach.STALE_TICK),
        ({"tick_age_s": -1.5}, 100, LimitBreach.STALE_TICK),
    ],
)
def test_each_limit_refuses_with_its_own_reason(facts: dict[str, object], stake: int, breach: LimitBreach) -> None:
    assert check(replace(CALM, **facts), stake, LIMITS) is breach  # type: ignore[arg-type]


@pytest.mark.parametrize("facts", [{"day_loss_cents": 4_000}, {"reserved_cents": 2_000}, {"buys_last_minute": 1}])
def test_a_limit_may_be_reached_to_the_cent(facts: dict[str, int]) -> None:
    assert check(replace(CALM, **facts), 1_000, LIMITS) is None


@pytest.mark.parametrize("name", ["max_tick_age_s", "ratio_tolerance", "max_rtt_s"])
def test_limits_are_finite_and_closed(name: str) -> None:
    for bad in (math.nan, math.inf, -1.0, "5"):
        with pytest.raises(ValidationError):
            Limits.model_validate({name: bad})
    with pytest.raises(ValidationError):
        Limits.model_validate({"max_stake": 1})


def simulate_days(reserve: bool, stakes: list[int], wins: list[bool]) -> int:
    """Worst end-of-step loss of one day with three contracts at a time, settled first in, first out."""
    limits = LIMITS.model_copy(update={"max_buys_per_minute": 10**6, "max_exposure_cents": 10**6})
    open_, pnl, worst = [], 0, 0
    for stake, won in zip(stakes, wins, strict=False):
        facts = replace(
            CALM,
            day_loss_cents=max(0, -pnl),
            reserved_cents=sum(s for s, _ in open_) if reserve else 0,
            open_contracts=len(open_),
        )
        if check(facts, stake, limits) is None:
            open_.append((stake, won))
        if len(open_) == 3:
            for s, w in open_:
                pnl += round(s * 0.95) if w else -s
                worst = max(worst, -pnl)
            open_.clear()
    return worst


@given(st.lists(st.tuples(st.integers(35, 1_000), st.booleans()), max_size=60))
def test_the_day_loss_never_passes_its_limit_by_a_cent(bets: list[tuple[int, bool]]) -> None:
    assert simulate_days(True, [s for s, _ in bets], [w for _, w in bets]) <= LIMITS.max_day_loss_cents


def test_counting_realised_losses_only_would_overshoot() -> None:
    """The sabotage: without the reservation, three open losers break the limit."""
    stakes, wins = [900] * 6 + [1_000] * 3, [False] * 9
    assert simulate_days(False, stakes, wins) > LIMITS.max_day_loss_cents
    assert simulate_days(True, stakes, wins) <= LIMITS.max_day_loss_cents
