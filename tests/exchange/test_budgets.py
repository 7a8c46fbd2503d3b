"""Request budgets."""

from __future__ import annotations

import pytest

from paper_exchange.budgets import Budgets
from paper_exchange.errors import CallError

NOW = 1_772_409_600


def accepted(budgets: Budgets, call: str, now: int, tries: int) -> int:
    """How many of so many requests go through before the first refusal."""
    for count in range(tries):
        try:
            budgets.spend(call, now)
        except CallError:
            return count
    return tries


@pytest.mark.parametrize(
    ("call", "minute"),
    [
        ("proposal", 360),
        ("buy", 360),
        ("balance", 100),
        ("statement", 100),
        ("portfolio", 30),
        ("ticks", 220),
        ("ping", 10),
    ],
)
def test_a_minute(call: str, minute: int) -> None:
    budgets = Budgets()
    assert accepted(budgets, call, NOW, minute + 50) == minute
    assert accepted(budgets, call, NOW + 60, 5) == 5


def test_the_refusal_names_the_call() -> None:
    budgets = Budgets()
    accepted(budgets, "portfolio", NOW, 30)
    with pytest.raises(CallError) as caught:
        budgets.spend("portfolio", NOW)
    assert (caught.value.code, caught.value.message) == (
        "RateLimit",
        "You have reached the rate limit for portfolio.",
    )


def test_an_hour() -> None:
    budgets = Budgets()
    total = sum(accepted(budgets, "statement", NOW + 60 * k, 100) for k in range(60))
    assert total == 2_000
    assert accepted(budgets, "statement", NOW + 3_600, 1) == 1


def test_calls_of_a_group_share() -> None:
    budgets = Budgets()
    accepted(budgets, "portfolio", NOW, 30)
    assert accepted(budgets, "profit_table", NOW, 1) == 0
    assert accepted(budgets, "statement", NOW, 1) == 1


def test_a_factor_widens_and_a_refusal_costs_nothing() -> None:
    budgets = Budgets(factor=3)
    assert accepted(budgets, "portfolio", NOW, 1_000) == 90
