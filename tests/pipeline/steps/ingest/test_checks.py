"""Every fault of a feed that the checks promise to find, planted into a good day, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from xtitan_assets.steps.ingest import checks as quality
from xtitan_assets.steps.ingest.checks import Check
from xtitan_assets.steps.ingest.ticks import midnight, write_day
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import symbol

DAY = date(2026, 3, 1)
R_100 = symbol("R_100")
ALL: tuple[Check, ...] = (quality.order, quality.duplicates, quality.gaps, quality.spikes)
Ticks = tuple[Epochs, Quotes]


def good_day() -> Ticks:
    epochs = midnight(DAY) + 2 * np.arange(43_200, dtype=np.int64)
    returns = R_100.tick_sigma * stream(5, "quality").standard_normal(43_200)
    return epochs, np.round(640.0 * np.exp(np.cumsum(returns)), 2)


def without(ticks: Ticks, first: int, count: int) -> Ticks:
    keep = np.ones(len(ticks[0]), bool)
    keep[first : first + count] = False
    return ticks[0][keep], ticks[1][keep]


def changed(ticks: Ticks, column: int, index: int, value: float) -> Ticks:
    arrays = [ticks[0].copy(), ticks[1].copy()]
    arrays[column][index] = value
    return arrays[0], arrays[1]


@pytest.mark.parametrize("check", ALL)
def test_a_good_day_passes(check: Check) -> None:
    assert check(*good_day(), R_100, DAY).passed


def bad_ticks(ticks: Ticks) -> Ticks:
    quotes = ticks[1].copy()
    quotes[[100, 9_000, 40_000]] *= 1.02
    return ticks[0], quotes


@pytest.mark.parametrize(
    ("check", "break_it"),
    [
        (quality.order, lambda t: changed(t, 0, 500, t[0][499])),
        (quality.order, lambda t: changed(t, 0, 500, t[0][400])),
        (quality.order, lambda t: changed(t, 0, 43_199, midnight(DAY) + 86_400)),
        (quality.order, lambda t: changed(t, 1, 7, np.nan)),
        (quality.order, lambda t: changed(t, 1, 7, np.inf)),
        (quality.order, lambda t: changed(t, 1, 7, 0.0)),
        (quality.order, lambda t: (t[0] + 1, t[1])),
        (quality.duplicates, lambda t: changed(t, 0, 500, t[0][499])),
        (quality.gaps, lambda t: without(t, 1_000, 301)),
        (quality.gaps, lambda t: (t[0][::2], t[1][::2])),
        (quality.gaps, lambda t: without(t, 42_000, 1_200)),
        (quality.spikes, bad_ticks),
    ],
)
def test_a_planted_fault_is_found(check: Check, break_it: Callable[[Ticks], Ticks]) -> None:
    assert not check(*break_it(good_day()), R_100, DAY).passed


def test_a_short_outage_is_recorded_and_let_through() -> None:
    finding = quality.gaps(*without(good_day(), 20_000, 60), R_100, DAY)
    assert finding.passed
    assert finding.details == {"missing": 60, "share": 60 / 43_200, "longest_seconds": 122, "holes": 1}


def test_a_move_over_a_gap_is_judged_by_the_time_it_took() -> None:
    epochs, quotes = without(good_day(), 20_000, 200)
    assert quality.spikes(epochs, quotes, R_100, DAY).details["largest_z"] < quality.SPIKE_Z


def test_the_summary_names_the_first_day_that_fails(workspace: Callable) -> None:
    space = workspace("http://127.0.0.1:9")
    write_day(space.home, "R_100", DAY, *good_day(), {})
    write_day(space.home, "PLANTED_100", DAY, *bad_ticks(good_day()), {})
    finding = quality.check_days(space.home, quality.spikes, [("R_100", DAY), ("PLANTED_100", DAY)])
    assert not finding.passed
    assert finding.summary.startswith("PLANTED_100 2026-03-01: 6 returns")
    assert set(finding.details) == {"R_100 2026-03-01", "PLANTED_100 2026-03-01"}


def test_a_symbol_that_fell_behind_is_named(workspace: Callable) -> None:
    space = workspace("http://127.0.0.1:9")
    write_day(space.home, "R_100", DAY, *good_day(), {})
    now = midnight(DAY) + 86_400
    assert quality.freshness(space.home, ["R_100"], now).passed
    late = quality.freshness(space.home, ["R_100", "PLANTED_100"], now + 3 * 86_400)
    assert not late.passed
    assert late.details["days_behind"] == {"R_100": 3, "PLANTED_100": -1}
