"""Anytime bounds: they hold at every look and under overlap, and are as tight as published."""

from __future__ import annotations

import numpy as np
import pytest

from xtitan_core.evidence.bounds import EdgeCeiling, Interval, edge_at, win_rate_interval
from xtitan_core.evidence.cash_account import EvidenceError, Outcome

RATIO = 0.95


@pytest.mark.parametrize(("n", "low"), [(1_000, 0.4822), (5_000, 0.5127), (10_000, 0.5202), (20_000, 0.5257)])
def test_the_lower_bound_at_54_percent_is_the_published_one(n: int, low: float) -> None:
    wins = round(0.54 * n)
    assert win_rate_interval(wins, n - wins).low == pytest.approx(low, abs=5e-5)


def test_without_trades_everything_is_possible() -> None:
    assert win_rate_interval(0, 0) == Interval(0.0, 1.0)
    assert EdgeCeiling(highest=0.6).value == 0.6


def test_the_interval_is_symmetric_and_shrinks() -> None:
    some, mirrored, more = win_rate_interval(60, 40), win_rate_interval(40, 60), win_rate_interval(600, 400)
    assert some.low == pytest.approx(1.0 - mirrored.high)
    assert some.low < more.low < 0.6 < more.high < some.high
    assert win_rate_interval(10, 0).high == 1.0
    assert win_rate_interval(0, 10).low == 0.0


def test_the_interval_covers_at_every_look_at_once() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(400):
        wins = np.cumsum(rng.random(4_000) < 0.54)
        looks = np.unique(np.geomspace(10, 4_000, 40).astype(int))
        bounds = [win_rate_interval(int(wins[n - 1]), int(n - wins[n - 1])) for n in looks]
        covered += all(b.low <= 0.54 <= b.high for b in bounds)
    assert covered >= 400 * 0.95 - 3.0 * (400 * 0.05 * 0.95) ** 0.5


def test_copies_held_together_weigh_as_much_as_one() -> None:
    """Taken for independent, eight copies of each bet would exclude the truth in nearly every stream."""
    rng = np.random.default_rng(11)
    honest = naive = 0
    for _ in range(200):
        wins = np.cumsum(rng.random(400) < 0.512)
        looks = np.unique(np.geomspace(5, 400, 15).astype(int))
        counts = [(8 * int(wins[n - 1]), 8 * int(n - wins[n - 1])) for n in looks]
        honest += any(win_rate_interval(w, x, overlap=8).low > 0.512 for w, x in counts)
        naive += any(win_rate_interval(w, x).low > 0.512 for w, x in counts)
    assert honest <= 200 * 0.05
    assert naive > 200 * 0.30
    assert win_rate_interval(80, 64, overlap=8) == win_rate_interval(10, 8)


def test_edge_of_a_win_rate() -> None:
    assert edge_at(1.0 / 1.95, 0.95) == pytest.approx(0.0)
    assert edge_at(0.56, 0.95) == pytest.approx(0.092)


def test_nonsense_is_refused() -> None:
    with pytest.raises(EvidenceError):
        win_rate_interval(-1, 3)
    with pytest.raises(EvidenceError):
        win_rate_interval(1, 3, overlap=0)
    with pytest.raises(EvidenceError):
        EdgeCeiling(alpha=0.0)
    ceiling = EdgeCeiling()
    with pytest.raises(EvidenceError, match="not open"):
        ceiling.settle("a", Outcome.REFUNDED)


def ceiling_after(outcomes: list[Outcome], ratio: float = RATIO) -> float:
    ceiling = EdgeCeiling()
    for i, outcome in enumerate(outcomes):
        ceiling.purchase(i, ratio)
        ceiling.settle(i, outcome)
    return ceiling.value


def drawn(rng: np.random.Generator, win_rate: float, n: int) -> list[Outcome]:
    return [Outcome.WON if won else Outcome.LOST for won in rng.random(n) < win_rate]


def test_a_house_edge_pushes_the_largest_possible_edge_down() -> None:
    rng = np.random.default_rng(1)
    outcomes = drawn(rng, 0.50, 5_000)
    values = [ceiling_after(outcomes[:n]) for n in (0, 200, 5_000)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.03, "5,000 fair trades leave less than 3 cents per dollar"


def test_the_ceiling_is_above_the_true_edge_at_every_look() -> None:
    """The running bound only ever falls, so its last value covers every look before it."""
    rng = np.random.default_rng(2)
    true = edge_at(0.54, RATIO)
    below = sum(ceiling_after(drawn(rng, 0.54, 300)) < true for _ in range(40))
    assert below <= 40 * 0.05 + 3.0 * (40 * 0.05 * 0.95) ** 0.5


def test_identical_trades_held_together_are_not_mistaken_for_independent_ones() -> None:
    """Ten copies of one bet held at once: a bound that takes them for independent trades would be far too low."""
    rng = np.random.default_rng(3)
    true, below = edge_at(0.54, RATIO), 0
    for _ in range(40):
        ceiling = EdgeCeiling()
        for step, outcome in enumerate(drawn(rng, 0.54, 30)):
            for copy in range(10):
                ceiling.purchase((step, copy), RATIO)
            for copy in range(10):
                ceiling.settle((step, copy), outcome)
        below += ceiling.value < true
    assert below <= 40 * 0.05 + 3.0 * (40 * 0.05 * 0.95) ** 0.5


def test_refunds_alone_say_that_the_edge_is_not_large() -> None:
    assert 0.0 < ceiling_after([Outcome.REFUNDED] * 500) < 0.10


def test_an_edge_above_the_grid_is_not_bounded_by_its_top() -> None:
    """Two hundred wins in a row exclude nothing, least of all an edge as large as the payout."""
    assert ceiling_after([Outcome.WON] * 200) == RATIO
    assert ceiling_after([Outcome.WON] * 5, ratio=2.5) == 2.5


def test_a_low_payout_leaves_no_room_above_itself() -> None:
    assert ceiling_after([Outcome.LOST] * 200, ratio=0.10) < 0.10
