"""Platt calibration, and an error measure that is read beside what chance alone gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.calibration import Platt, ece, ece_report, fit_platt, reliability_table
from xtitan_core.randomness import stream


def sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-z)))


@given(a=st.floats(-5, 5), b=st.floats(-5, 5), logits=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=20))
def test_one_logit_and_many_give_the_same_bits(a: float, b: float, logits: list[float]) -> None:
    platt = Platt(a, b)
    together = platt.apply(np.array(logits, dtype=np.float32))

    assert together.tolist() == [platt.apply(x) for x in logits]
    assert ((together >= 0.0) & (together <= 1.0)).all()


def test_it_is_the_sigmoid_of_a_line() -> None:
    assert Platt().apply(0.0) == 0.5
    assert Platt(2.0, -1.0).apply(1.5) == pytest.approx(1.0 / (1.0 + math.exp(-2.0)), rel=1e-15)
    assert Platt().apply(-800.0) == 0.0
    assert Platt().apply(800.0) == 1.0
    assert Platt().apply(np.zeros((2, 3))).shape == (2, 3)


def test_a_logit_that_is_not_a_number_stays_one() -> None:
    assert math.isnan(Platt().apply(math.nan))
    assert np.isnan(Platt().apply(np.array([math.nan, 0.0]))).tolist() == [True, False]


@given(x=st.floats(-700, 700), y=st.floats(-700, 700))
def test_the_order_of_logits_is_kept(x: float, y: float) -> None:
    low, high = sorted((x, y))

    assert Platt(0.7, 0.1).apply(low) <= Platt(0.7, 0.1).apply(high)


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.0), (0.4, 0.3), (2.5, -1.0), (0.0, -0.7)])
def test_the_fit_finds_the_true_map(a: float, b: float) -> None:
    rng = stream(11, a, b)
    logits = rng.normal(0.0, 1.0, 200_000)
    outcomes = rng.random(len(logits)) < sigmoid(a * logits + b)
    fitted = fit_platt(logits, outcomes)

    assert fitted.a == pytest.approx(a, abs=0.03)
    assert fitted.b == pytest.approx(b, abs=0.03)


def test_the_fit_is_a_minimum_of_its_loss() -> None:
    rng = stream(12, "fit")
    x = rng.normal(0.0, 2.0, 500)
    y = rng.random(500) < sigmoid(0.5 * x)
    wins = int(y.sum())
    target = np.where(y, (wins + 1) / (wins + 2), 1 / (500 - wins + 2))

    def loss(p: Platt) -> float:
        z = p.a * x + p.b
        return float(np.sum(np.logaddexp(0.0, z) - target * z))

    best = fit_platt(x, y)
    for da, db in ((1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3)):
        assert loss(best) < loss(Platt(best.a + da, best.b + db))


def test_separable_outcomes_do_not_run_away() -> None:
    x = np.linspace(-1.0, 1.0, 40)
    fitted = fit_platt(x, x > 0)

    assert math.isfinite(fitted.a)
    assert 0.9 < fitted.apply(1.0) < 1.0


@pytest.mark.parametrize(
    ("logits", "outcomes"),
    [
        ([0.1, 0.2], [True, True]),
        ([0.1, 0.2], [False, False]),
        ([math.nan, 0.2], [True, False]),
        ([0.1], [True, False]),
    ],
)
def test_a_fit_needs_finite_logits_with_wins_and_losses(logits: list[float], outcomes: list[bool]) -> None:
    with pytest.raises(ValueError, match="calibration needs"):
        fit_platt(logits, outcomes)


def test_error_of_a_known_case() -> None:
    """Two bins of two: said .2 and .8, happened .5 and 1."""
    p, y = [0.8, 0.2, 0.8, 0.2], [1, 0, 1, 1]

    assert ece(p, y, bins=2) == pytest.approx((0.3 * 2 + 0.2 * 2) / 4)
    table = reliability_table(p, y, bins=2)
    assert [(b.n, b.mean_probability, b.win_rate) for b in table] == [(2, 0.2, 0.5), (2, 0.8, 1.0)]


@given(n=st.integers(1, 300), bins=st.integers(1, 20), seed=st.integers(0, 1_000))
def test_the_table_adds_up_to_the_error(n: int, bins: int, seed: int) -> None:
    rng = stream(seed, "table")
    p, y = rng.random(n), rng.random(n) < 0.5
    table = reliability_table(p, y, bins)

    assert sum(b.n for b in table) == n
    assert max(b.n for b in table) - min(b.n for b in table) <= 1
    assert sum(b.n * abs(b.mean_probability - b.win_rate) for b in table) / n == pytest.approx(ece(p, y, bins))


@pytest.mark.parametrize(("n", "mean", "quantile"), [(200, 0.090, 0.123), (1_000, 0.040, 0.057), (5_000, 0.018, 0.025)])
def test_the_error_of_a_perfect_model_is_not_zero(n: int, mean: float, quantile: float) -> None:
    """Figures measured independently for ten bins at p near one half."""
    p = 0.5 + stream(5, n).uniform(-0.02, 0.02, n)
    report = ece_report(p, np.arange(n) % 2, stream(6, n), draws=1_500)

    assert report.n == n
    assert report.null_mean == pytest.approx(mean, abs=0.0015 + 0.02 * mean)
    assert report.null_quantile == pytest.approx(quantile, rel=0.06)


def test_a_perfect_model_is_consistent_nineteen_times_in_twenty() -> None:
    consistent = 0
    for k in range(200):
        rng = stream(7, k)
        p = rng.uniform(0.3, 0.7, 400)
        consistent += ece_report(p, rng.random(400) < p, rng, draws=200).consistent

    assert 178 <= consistent <= 200  # 190 ± 4 standard errors


def test_an_overconfident_model_is_not() -> None:
    rng = stream(8, "overconfident")
    truth = rng.normal(0.0, 0.4, 5_000)
    y = rng.random(5_000) < sigmoid(truth)
    report = ece_report(sigmoid(2.0 * truth), y, rng)

    assert not report.consistent
    assert report.value > 0.05


def test_the_same_generator_gives_the_same_report() -> None:
    p, y = np.linspace(0.3, 0.7, 100), np.arange(100) % 2

    assert ece_report(p, y, stream(1, "x")) == ece_report(p, y, stream(1, "x"))


@pytest.mark.parametrize(
    ("p", "y"), [([], []), ([0.5], [1, 0]), ([1.1], [1]), ([-0.1], [1]), ([math.nan], [1]), ([0.5], [0.5])]
)
def test_nonsense_is_refused(p: list[float], y: list[float]) -> None:
    for measure in (ece, reliability_table):
        with pytest.raises(ValueError, match=r"calibration error needs|must lie in"):
            measure(p, y)
