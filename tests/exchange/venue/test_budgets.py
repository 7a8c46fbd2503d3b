"""Request budgets: Deriv's two tables, the smaller of both, shared as they share them."""

from __future__ import annotations

import pytest

from paper_exchange.errors import CallError
from paper_exchange.venue.budgets import REST_PER_ADDRESS, REST_PER_USER, Budgets

NOW = 1_772_409_600


def accepted(budgets: Budgets, call: str, now: float, tries: int, *, user: str = "me", connection: int = 0) -> int:
    """How many of so many requests go through before the first refusal; each on a connection of its own by default."""
    for count in range(tries):
        try:
            budgets.spend(call, now, user=user, connection=connection or -count - 1)
        except CallError:
            return count
    return tries


@pytest.mark.parametrize(
    ("call", "minute"),
    [
        ("proposal", 360),
        ("proposal_open_contract", 360),
        ("buy", 360),
        ("sell", 360),
        ("balance", 100),
        ("statement", 100),
        ("portfolio", 30),
        ("profit_table", 30),
        ("ticks", 220),
        ("forget", 220),
        ("time", 220),
    ],
)
def test_a_minute(call: str, minute: int) -> None:
    budgets = Budgets()
    assert accepted(budgets, call, NOW, minute + 50) == minute
    assert accepted(budgets, call, NOW + 59, 1) == 0
    assert accepted(budgets, call, NOW + 60, 5) == 5


@pytest.mark.parametrize(
    ("call", "hour"), [("buy", 14_400), ("statement", 2_000), ("portfolio", 1_500), ("ticks", 14_400)]
)
def test_an_hour(call: str, hour: int) -> None:
    budgets = Budgets()
    # 220 a minute never add up to 14,400 an hour: there the minute always speaks first.
    total = sum(accepted(budgets, call, NOW + 60 * k, 400) for k in range(60))
    assert total == min(hour, 60 * 220) if call == "ticks" else total == hour
    assert accepted(budgets, call, NOW + 3_600, 1) == 1


def test_the_refusal_names_the_call() -> None:
    budgets = Budgets()
    accepted(budgets, "portfolio", NOW, 30)
    with pytest.raises(CallError) as caught:
        budgets.spend("portfolio", NOW, user="me", connection=9)
    assert (caught.value.code, caught.value.message) == (
        "RateLimit",
        "You have reached the rate limit for portfolio.",
    )


def test_calls_of_a_row_share_and_users_do_not() -> None:
    budgets = Budgets()
    accepted(budgets, "portfolio", NOW, 30)
    assert accepted(budgets, "profit_table", NOW, 1) == 0
    assert accepted(budgets, "statement", NOW, 1) == 1
    assert accepted(budgets, "portfolio", NOW, 31, user="somebody else") == 30


def test_pings_have_a_budget_of_their_own_a_second_and_a_connection() -> None:
    budgets = Budgets()
    accepted(budgets, "time", NOW, 220)
    assert accepted(budgets, "ping", NOW, 20, connection=1) == 10
    assert accepted(budgets, "ping", NOW, 20, connection=2) == 10
    assert accepted(budgets, "ping", NOW + 1, 20, connection=1) == 10


def test_a_connection_may_send_a_hundred_requests_a_second() -> None:
    budgets = Budgets()
    assert accepted(budgets, "ticks", NOW, 150, connection=1) == 100
    assert accepted(budgets, "buy", NOW, 1, connection=1) == 0
    assert accepted(budgets, "buy", NOW, 1, connection=2) == 1
    assert accepted(budgets, "buy", NOW + 1, 1, connection=1) == 1


def test_a_factor_widens_and_a_refusal_costs_nothing() -> None:
    budgets = Budgets(factor=3)
    assert accepted(budgets, "portfolio", NOW, 1_000) == 90
    assert accepted(budgets, "ticks", NOW, 1_000, connection=1) == 300
    # The 90 refused ones above took nothing from the connection's own second.
    budgets = Budgets()
    accepted(budgets, "portfolio", NOW, 30, connection=1)
    for _ in range(100):
        assert accepted(budgets, "portfolio", NOW, 1, connection=1) == 0
    assert accepted(budgets, "time", NOW, 100, connection=1) == 70


def test_rest_takes_the_smaller_of_both_tables_and_counts_addresses_too() -> None:
    budgets = Budgets()
    claims = (("token", REST_PER_USER), ("10.0.0.1", REST_PER_ADDRESS))
    assert sum(budgets.take(NOW, *claims) for _ in range(100)) == 60
    others = [(f"token {k}", REST_PER_USER) for k in range(300)]
    assert sum(budgets.take(NOW, other, claims[1]) for other in others) == 240
    budgets = Budgets()
    taken = sum(budgets.take(NOW + 60 * k, claims[1]) for k in range(10) for _ in range(300))
    assert taken == 1_000


def test_the_counters_of_a_closed_connection_go_with_it() -> None:
    budgets = Budgets()
    accepted(budgets, "ping", NOW, 10, connection=1)
    budgets.forget(1)
    assert accepted(budgets, "ping", NOW, 20, connection=1) == 10
