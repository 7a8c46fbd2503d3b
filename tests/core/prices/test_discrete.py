"""The recursion over ticks against identities that hold exactly."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtitan_core.prices import (
    BGK_SHIFT,
    EXACT_BELOW_TICKS,
    barrier_shift,
    normal_cdf,
    stay_inside_probability,
    stay_probability,
)
from xtitan_core.prices.closed_form import _images, _sine_series
from xtitan_core.prices.discrete import _stay

INF = math.inf


@pytest.mark.parametrize("ticks", [1, 2, 3, 10, 30, 59])
def test_sums_of_symmetric_steps_stay_below_zero_as_often_as_sparre_andersen_says(ticks: int) -> None:
    # Whatever the law of the steps: C(2n, n) / 4**n.
    assert stay_probability(ticks, 1e-9, INF, 0.0) == pytest.approx(math.comb(2 * ticks, ticks) / 4**ticks, abs=1e-9)
    assert stay_probability(ticks, INF, 1e-9, 0.0) == pytest.approx(math.comb(2 * ticks, ticks) / 4**ticks, abs=1e-9)


def test_two_steps_below_a_barrier_are_a_bivariate_normal_orthant() -> None:
    # P(X < a, X + Y < a) = integral of phi(x) Phi(a - x) below a, by Simpson's rule on a fine grid.
    a, drift, cells = 0.7, -0.3, 20_000
    low = -12.0
    h = (a - low) / cells
    total = 0.0
    for k in range(cells + 1):
        x = low + k * h
        value = math.exp(-((x - drift) ** 2) / 2) / math.sqrt(2 * math.pi) * normal_cdf(a - x - drift)
        total += value * (1 if k in (0, cells) else 4 if k % 2 else 2)
    assert stay_probability(2, a, INF, drift) == pytest.approx(total * h / 3, abs=1e-10)


@settings(deadline=None)
@given(
    ticks=st.integers(1, 59),
    up=st.floats(0.01, 30),
    down=st.floats(0.01, 30),
    drift=st.floats(-0.05, 0.05),
)
def test_mirror_and_order(ticks: int, up: float, down: float, drift: float) -> None:
    p = stay_probability(ticks, up, down, drift)
    assert 0 <= p <= 1
    assert stay_probability(ticks, down, up, -drift) == pytest.approx(p, abs=1e-9)
    assert stay_probability(ticks + 1, up, down, drift) <= p + 1e-9
    assert stay_probability(ticks, up + 0.5, down, drift) >= p - 1e-9
    assert stay_probability(ticks, INF, down, drift) + stay_probability(ticks, up, INF, drift) - 1 <= p + 1e-9


def test_a_barrier_at_the_start_is_reached_and_no_look_reaches_nothing() -> None:
    assert stay_probability(5, 0.0, 1.0, 0.0) == 0.0
    assert stay_probability(5, 1.0, -1.0, 0.0) == 0.0
    assert stay_probability(0, 1.0, 1.0, 0.0) == 1.0
    assert stay_probability(7, INF, INF, -1e-4) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("up", "down"), [(8.0, 8.0), (5.0, INF), (12.0, 4.0)])
def test_the_hand_over_at_sixty_ticks_is_smooth(up: float, down: float) -> None:
    last = EXACT_BELOW_TICKS - 1
    sigma = math.sqrt(last)  # in tick standard deviations the martingale's drift is left out of both
    exact = stay_probability(last, up, down, -0.5e-4)
    scale = 1e-4
    shifted = stay_inside_probability((up + BGK_SHIFT) * scale, (down + BGK_SHIFT) * scale, sigma * scale)
    assert shifted == pytest.approx(exact, abs=2e-3)


@pytest.mark.parametrize("distance", [1e-6, 0.1, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("other", [6.0, INF])
def test_the_shift_of_a_near_barrier_is_the_walk_s_own(distance: float, other: float) -> None:
    ticks, scale = EXACT_BELOW_TICKS, 1e-6
    sigma = math.sqrt(ticks) * scale

    def shifted(shift: float) -> float:
        return stay_inside_probability((distance + shift) * scale, (other + BGK_SHIFT) * scale, sigma)

    exact = stay_probability(ticks, distance, other, 0.0)
    assert shifted(barrier_shift(distance)) == pytest.approx(exact, abs=1e-3 if other == INF else 2e-3)
    if distance < 0.1 and other == INF:
        assert shifted(BGK_SHIFT) < exact - 0.012, "more than a commission: NOTOUCH one pip away would win"


def test_the_shift_runs_from_the_square_root_of_a_half_to_its_limit() -> None:
    assert barrier_shift(0.0) == pytest.approx(math.sqrt(0.5), abs=1e-9)
    assert barrier_shift(11.9) == pytest.approx(BGK_SHIFT, abs=1e-12)
    assert barrier_shift(12.0) == barrier_shift(INF) == BGK_SHIFT


@given(up=st.floats(0.001, 0.1), down=st.floats(0.001, 0.1))
def test_images_and_sine_series_agree(up: float, down: float) -> None:
    sigma = 0.8 * (up + down)
    assert _images(up, down, sigma) == pytest.approx(_sine_series(up, down, sigma), abs=1e-12)


def test_a_ten_tick_price_costs_well_under_a_millisecond_and_a_cached_one_microseconds() -> None:
    stay_probability(10, 3.0, INF, -1e-4)
    _stay.cache_clear()
    started = time.process_time()
    for k in range(200):
        stay_probability(10, 3.0 + k * 1e-3, INF, -1e-4)
    fresh = (time.process_time() - started) / 200
    started = time.process_time()
    for _ in range(20_000):
        stay_probability(10, 3.0, INF, -1e-4)
    cached = (time.process_time() - started) / 20_000
    assert fresh < 1e-3
    assert cached < 2e-5
