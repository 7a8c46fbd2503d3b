"""The cash account: a paper bankroll whose bound holds however the trades overlap."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtitan_core.evidence.cash_account import EDGES, CashAccount, EvidenceError, Outcome, without_overlap

RATIO = 0.95
BREAK_EVEN = 1.0 / (1.0 + RATIO)
ALPHA = 0.05
LIFETIMES = 2_000
LIMIT = ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / LIFETIMES) ** 0.5
"""5 % and three binomial standard errors."""


def outcome(won: bool) -> Outcome:
    return Outcome.WON if won else Outcome.LOST


def test_it_starts_at_one_and_one_win_pays_the_mean_edge_level() -> None:
    account = CashAccount()
    assert account.bankroll == 1.0
    account.purchase("a", RATIO)
    assert account.bankroll == pytest.approx(1.0 - np.mean(np.array(EDGES) / RATIO))
    account.settle("a", Outcome.WON)
    assert account.bankroll == pytest.approx(1.0 + np.mean(EDGES))


def test_a_refund_returns_the_stake_and_nothing_more() -> None:
    account = CashAccount(haircut=0.01)
    account.purchase("a", RATIO)
    account.settle("a", Outcome.REFUNDED)
    assert account.bankroll == pytest.approx(1.0, abs=1e-15)


def test_a_trade_that_never_settles_has_lost_its_stake() -> None:
    never, lost = CashAccount(), CashAccount()
    for account in (never, lost):
        account.purchase("a", RATIO)
    lost.settle("a", Outcome.LOST)
    assert never.bankroll == lost.bankroll < 1.0


@given(st.lists(st.booleans(), max_size=300), st.floats(0.35, 3.0))
def test_without_overlap_it_equals_the_product_in_closed_form(wins: list[bool], ratio: float) -> None:
    account = CashAccount()
    for i, won in enumerate(wins):
        account.purchase(i, ratio)
        account.settle(i, outcome(won))
    assert account.bankroll == pytest.approx(without_overlap(sum(wins), len(wins) - sum(wins), ratio), rel=1e-11)
    assert account.max_overlap == min(len(wins), 1)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.05, 4.0)), max_size=40), st.randoms(use_true_random=False))
def test_money_is_conserved_and_never_negative_in_any_order(trades: list[tuple[bool, float]], order: object) -> None:
    """Stakes leave, payoffs come back; settling everything as a refund restores exactly what was there."""
    account, refunding = CashAccount(), CashAccount()
    for i, (_, ratio) in enumerate(trades):
        account.purchase(i, ratio)
        refunding.purchase(i, ratio)
        assert 0.0 < account.bankroll <= 1.0
    ids = list(range(len(trades)))
    order.shuffle(ids)  # type: ignore[attr-defined]
    for i in ids:
        before = account.bankroll
        account.settle(i, outcome(trades[i][0]))
        assert account.bankroll >= before
        refunding.settle(i, Outcome.REFUNDED)
    assert refunding.bankroll == pytest.approx(1.0, rel=1e-12)
    assert account.max_overlap == len(trades)


def test_no_stake_exceeds_half_of_the_free_cash() -> None:
    account = CashAccount((0.5,))
    account.purchase("tiny payout", 0.01)
    assert account.bankroll == 0.5


@pytest.mark.parametrize("haircut", [0.0, 0.01, 0.2])
def test_the_haircut_only_ever_costs(haircut: float) -> None:
    honest, cut = CashAccount(), CashAccount(haircut=haircut)
    for i, won in enumerate([True, True, False, True, False, False, True]):
        for account in (honest, cut):
            account.purchase(i, RATIO)
            account.settle(i, outcome(won))
    assert cut.bankroll <= honest.bankroll
    assert cut.bankroll == pytest.approx(without_overlap(4, 3, RATIO * (1.0 - haircut)))


def test_impossible_events_are_refused() -> None:
    account = CashAccount()
    account.purchase("a", RATIO)
    with pytest.raises(EvidenceError, match="already purchased"):
        account.purchase("a", RATIO)
    with pytest.raises(EvidenceError, match="not open"):
        account.settle("b", Outcome.WON)
    account.settle("a", Outcome.WON)
    with pytest.raises(EvidenceError, match="not open"):
        account.settle("a", Outcome.WON)
    for ratio in (0.0, -0.1, float("nan"), float("inf")):
        with pytest.raises(EvidenceError, match="ratio"):
            account.purchase("c", ratio)
    with pytest.raises(EvidenceError, match="haircut"):
        CashAccount(haircut=1.0)
    with pytest.raises(EvidenceError, match="edge levels"):
        CashAccount(())


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_a_batch_of_accounts_is_so_many_single_accounts(wins: list[bool]) -> None:
    batch = CashAccount(shape=(2,))
    single = [CashAccount(), CashAccount()]
    for i, won in enumerate(wins):
        batch.purchase(i, RATIO)
        batch.settle(i, np.array([won, not won]))
        for account, result in zip(single, (won, not won), strict=True):
            account.purchase(i, RATIO)
            account.settle(i, outcome(result))
    assert batch.bankrolls.tolist() == [account.bankroll for account in single]


class ProductForm:
    """The textbook product e-process: multiplies outcomes at settlement as if no two trades were ever open at once."""

    def __init__(self) -> None:
        self._wealth = np.ones((LIFETIMES, len(EDGES)))
        self._levels = np.array(EDGES)

    def purchase(self, trade_id: int, ratio: float) -> None:
        pass

    def settle(self, trade_id: int, won: np.ndarray) -> None:
        self._wealth *= np.where(won[:, None], 1.0 + self._levels, 1.0 - self._levels / RATIO)

    @property
    def bankrolls(self) -> np.ndarray:
        return np.asarray(self._wealth.mean(axis=-1))


def false_alarms(account: CashAccount | ProductForm, *, copies: int, minutes: int, steps: int, seed: int) -> float:
    """Share of zero-edge lifetimes that ever reach 20, looked at after every minute.

    A random walk of minute returns; every minute ``copies`` identical CALLs of ``minutes`` minutes are bought. Each
    wins with probability exactly break-even whatever happened before, and shares its path with its neighbours.
    """
    rng = np.random.default_rng(seed)
    threshold = minutes**0.5 * -0.03214  # P(N(0, 1) > -0.03214) = 0.51282 = break-even
    returns: deque[np.ndarray] = deque(maxlen=minutes)
    crossed = np.zeros(LIFETIMES, dtype=bool)
    for step in range(steps):
        returns.append(rng.standard_normal(LIFETIMES))
        ended = step - minutes  # bought before the first of these `minutes` returns
        if ended >= -1 and len(returns) == minutes:
            won = sum(returns) > threshold
            for copy in range(copies):
                account.settle((ended + 1) * copies + copy, won)
        crossed |= account.bankrolls >= 1.0 / ALPHA
        for copy in range(copies):
            account.purchase((step + 1) * copies + copy, RATIO)
    return float(crossed.mean())


def start(account: CashAccount | ProductForm, copies: int) -> CashAccount | ProductForm:
    for copy in range(copies):
        account.purchase(copy, RATIO)
    return account


@pytest.mark.parametrize(("copies", "minutes"), [(1, 1), (1, 5), (8, 1), (8, 5)])
def test_false_alarms_stay_below_five_percent_under_any_overlap(copies: int, minutes: int) -> None:
    account = start(CashAccount(shape=(LIFETIMES,)), copies)
    rate = false_alarms(account, copies=copies, minutes=minutes, steps=2_400 // copies, seed=11)
    assert rate <= LIMIT


def test_the_product_form_fails_the_same_test() -> None:
    """Guards the test above: the form without the debit is the one that fools people, and it must be caught."""
    rate = false_alarms(start(ProductForm(), 8), copies=8, minutes=5, steps=300, seed=11)
    assert rate > 0.5


def test_without_overlap_the_product_form_passes_too() -> None:
    assert false_alarms(start(ProductForm(), 1), copies=1, minutes=1, steps=2_000, seed=12) <= LIMIT


def test_an_edge_of_56_percent_grows_the_bankroll() -> None:
    rng = np.random.default_rng(5)
    account = CashAccount(shape=(200,))
    for i in range(2_000):
        account.purchase(i, RATIO)
        account.settle(i, rng.random(200) < 0.56)
    assert np.median(account.bankrolls) > 1_000
