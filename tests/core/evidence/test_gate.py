"""The promotion gate: how often it opens for nothing, and how soon for something."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from xtitan_core.evidence.cash_account import CashAccount, EvidenceError
from xtitan_core.evidence.gate import Rule, Thresholds, thresholds, verdict

RATIO = 0.95
BREAK_EVEN = 1.0 / (1.0 + RATIO)
LIFETIMES = 2_000
LIMIT = 0.05 + 3.0 * (0.05 * 0.95 / LIFETIMES) ** 0.5

Rules = Callable[[float, float, Thresholds], bool]


def test_one_lineage_and_fifty_registrations_need_40_20_and_2000() -> None:
    assert thresholds(1, 50) == Thresholds(lineage=40.0, own=20.0, alone=2_000.0)


@pytest.mark.parametrize("lineages", [2, 3, 7])
def test_more_declared_lineages_raise_the_shared_thresholds_in_proportion(lineages: int) -> None:
    needed = thresholds(lineages, 50)
    assert needed.lineage == pytest.approx(40.0 * lineages)
    assert needed.alone == pytest.approx(2_000.0 * lineages)
    assert needed.own == 20.0


@pytest.mark.parametrize(("lineages", "budget"), [(1, 1), (1, 50), (4, 12)])
def test_the_error_probabilities_add_up_to_the_budget(lineages: int, budget: int) -> None:
    """Ville gives each account 1/threshold; the union over lineages and registrations is 5 %."""
    needed = thresholds(lineages, budget)
    assert lineages * (1.0 / needed.lineage + budget / needed.alone) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("e_lineage", "e_own", "rule"),
    [
        (40.0, 20.0, Rule.LINEAGE),
        (39.99, 20.0, None),
        (40.0, 19.99, None),
        (1e9, 1.0, None),
        (0.5, 2_000.0, Rule.ALONE),
        (0.5, 1_999.0, None),
        (float("nan"), 5_000.0, None),
        (float("inf"), float("inf"), None),
    ],
)
def test_the_rule(e_lineage: float, e_own: float, rule: Rule | None) -> None:
    result = verdict(e_lineage, e_own, thresholds(1, 50))
    assert result.rule is rule
    assert result.promote is (rule is not None)


def test_nonsense_is_refused() -> None:
    for bad in ((0, 50), (1, 0)):
        with pytest.raises(EvidenceError, match="at least 1"):
            thresholds(*bad)
    with pytest.raises(EvidenceError, match="alpha"):
        thresholds(1, 50, alpha=1.0)


def lifetimes_with_a_promotion(rule: Rules, win_rate: float, *, candidates: int = 8, trades: int = 200) -> float:
    """Share of lifetimes in which any of successive candidates is promoted, looked at after every twentieth trade."""
    rng = np.random.default_rng(2026)
    needed = thresholds(1, 50)
    lineage = CashAccount(shape=(LIFETIMES,))
    promoted = np.zeros(LIFETIMES, dtype=bool)
    for candidate in range(candidates):
        own = CashAccount(shape=(LIFETIMES,))
        for trade in range(trades):
            won = rng.random(LIFETIMES) < win_rate
            for account in (lineage, own):
                account.purchase((candidate, trade), RATIO)
                account.settle((candidate, trade), won)
            if trade % 20 == 19:
                e_lineage, e_own = lineage.bankrolls, own.bankrolls
                # Nobody, not even the sabotaged gates below, promotes when both are under 2: skip them for speed.
                for i in np.flatnonzero((np.maximum(e_lineage, e_own) >= 2.0) & ~promoted):
                    promoted[i] = rule(float(e_lineage[i]), float(e_own[i]), needed)
    return float(promoted.mean())


def real_gate(e_lineage: float, e_own: float, needed: Thresholds) -> bool:
    return verdict(e_lineage, e_own, needed).promote


def test_zero_edge_lifetimes_promote_at_most_five_percent() -> None:
    assert lifetimes_with_a_promotion(real_gate, BREAK_EVEN) <= LIMIT


@pytest.mark.parametrize(
    "sabotaged",
    [
        lambda e_lineage, e_own, needed: e_own >= 2.0,
        lambda e_lineage, e_own, needed: e_lineage >= 2.0 or e_own >= needed.own,
        lambda e_lineage, e_own, needed: verdict(e_lineage * 20, e_own * 20, needed).promote,
    ],
    ids=["own threshold of 2", "lineage threshold of 2", "bankrolls inflated twentyfold"],
)
def test_a_sabotaged_gate_is_caught_by_the_same_lifetimes(sabotaged: Rules) -> None:
    assert lifetimes_with_a_promotion(sabotaged, BREAK_EVEN) > LIMIT


def test_with_the_house_edge_on_nothing_is_promoted() -> None:
    assert lifetimes_with_a_promotion(real_gate, 0.50, candidates=4) <= 0.005


@pytest.mark.parametrize("haircut", [0.0, 0.01])
def test_a_planted_56_percent_is_promoted_within_two_thousand_trades_on_average(haircut: float) -> None:
    """The first candidate of a lineage: both bankrolls are one, so it needs 40."""
    rng = np.random.default_rng(56)
    needed = thresholds(1, 50)
    account = CashAccount(shape=(400,), haircut=haircut)
    when = np.full(400, 20_000)
    for trade in range(12_000):
        account.purchase(trade, RATIO)
        account.settle(trade, rng.random(400) < 0.56)
        opened = (account.bankrolls >= needed.lineage) & (when == 20_000)
        when[opened] = trade + 1
        if (when < 20_000).all():
            break
    assert when.mean() <= 2_000
    assert (when < 20_000).all()


def test_a_dead_edge_does_not_carry_the_next_candidate() -> None:
    """A lineage that once had edge stays rich; a zero-edge successor still needs a bankroll of its own."""
    rng = np.random.default_rng(3)
    needed = thresholds(1, 50)
    lineage, own = CashAccount(shape=(500,)), CashAccount(shape=(500,))
    for trade in range(1_500):
        lineage.purchase(trade, RATIO)
        lineage.settle(trade, rng.random(500) < 0.60)
    assert np.median(lineage.bankrolls) > 1e6
    promoted = np.zeros(500, dtype=bool)
    for trade in range(1_500, 2_700):
        won = rng.random(500) < BREAK_EVEN
        for account in (lineage, own):
            account.purchase(trade, RATIO)
            account.settle(trade, won)
        promoted |= (lineage.bankrolls >= needed.lineage) & (own.bankrolls >= needed.own)
    assert promoted.mean() <= 0.05 + 3.0 * (0.05 * 0.95 / 500) ** 0.5
