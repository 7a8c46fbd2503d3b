"""Whatever is asked of them, the budgets let no more through than 80 % of what Deriv publishes."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.deriv.budgets import PROCESS_BUDGETS, Budgets, Window, budgets_for

DERIV_LIMITS = {  # developers.deriv.com/docs/limits: calls that share a row, per minute, per hour
    "trading": (("proposal", "proposal_open_contract", "buy", "sell"), 360, 14_400),
    "cash": (("balance", "statement"), 100, 2_000),
    "closed": (("portfolio", "profit_table"), 30, 1_500),
    "others": (("ticks", "ticks_history", "time", "forget"), 220, 14_400),
}


def most_in(times: list[float], seconds: float) -> int:
    """The largest number of ``times`` (sorted) inside any half-open interval of that length."""
    return max((i + 1 - bisect_right(times, t - seconds) for i, t in enumerate(times)), default=0)


EIGHTHS = st.integers(0, 24).map(lambda n: n / 8)  # sums of eighths are exact, so the border of a window is too


@given(st.lists(EIGHTHS, max_size=200), st.integers(1, 8), EIGHTHS.map(lambda s: s + 0.5))
def test_no_interval_of_a_window_ever_holds_more_than_its_limit(gaps: list[float], limit: int, seconds: float) -> None:
    window, now, taken = Window(limit, seconds), 0.0, []
    for gap in gaps:
        now += gap
        if window.wait(now) == 0:
            window.taken.append(now)
            taken.append(now)
    assert most_in(taken, seconds) <= limit


@given(st.lists(st.floats(0, 1), min_size=1, max_size=100), st.integers(1, 5))
def test_after_waiting_as_told_the_request_fits(gaps: list[float], limit: int) -> None:
    window, now = Window(limit, 2.0), 0.0
    for gap in gaps:
        now += gap
        pause = window.wait(now)
        assert pause <= 2.0 + 1e-9
        now += pause + 1e-9
        assert window.wait(now) == 0
        window.taken.append(now)


@pytest.mark.parametrize("row", DERIV_LIMITS)
def test_a_client_that_asks_as_fast_as_it_may_stays_at_80_percent_over_two_hours(row: str) -> None:
    calls, minute, hour = DERIV_LIMITS[row]
    budgets, now, taken = Budgets(), 0.0, []
    while now < 7_200:
        call = calls[len(taken) % len(calls)]
        if budgets.take(call, now):
            taken.append(now)
        else:
            now += max(budgets.wait(call, now), 1e-6)
    assert most_in(taken, 60) <= 0.8 * minute
    assert most_in(taken, 3_600) <= 0.8 * hour
    assert most_in(taken, 1) <= 80
    assert len(taken) >= 0.7 * hour, "a budget that hardly lets anything through is broken too"


def test_quoting_can_never_use_up_what_a_purchase_needs() -> None:
    budgets = Budgets()
    now = 0.0
    for _ in range(400):
        now += 0.05
        budgets.take("proposal", now)
    assert not budgets.take("proposal", now)
    assert budgets.take("buy", now)


def test_a_refused_request_is_not_counted_and_rows_do_not_share() -> None:
    budgets = Budgets(share=0.1)
    assert [budgets.take("portfolio", 0.0) for _ in range(4)] == [True, True, True, False]
    assert budgets.take("balance", 0.0)
    assert budgets.wait("portfolio", 0.0) == pytest.approx(60)
    assert budgets.take("portfolio", 60.0)


def test_every_connection_but_one_to_this_machine_shares_the_process_s_budgets_unless_told_otherwise() -> None:
    own = Budgets()
    assert budgets_for("wss://api.derivws.com/trading/v1/options/ws/public", "by address") is PROCESS_BUDGETS
    assert budgets_for("ws://127.0.0.1:1/x", "by address") is None
    assert budgets_for("ws://localhost/x", own) is own
    assert budgets_for("wss://api.derivws.com/x", None) is None
