"""The usual rule, which the gate replaces: it promotes luck."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xtitan_assets.steps.model import naive_rule
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params

BREAK_EVEN = 0.512


def test_ten_retrains_use_each_validation_trade_once(fair):
    found = naive_rule.naive_retrains(fair.home, fair.params, retrains=10)
    assert [row.retrain for row in found] == list(range(1, 11))
    assert all(row.trades == 500 for row in found)
    assert all(row.promoted == (row.win_rate > row.break_even) for row in found)
    average = sum(row.win_rate for row in found) / 10
    assert average == pytest.approx(0.495, abs=3 * 0.5 / 5_000**0.5), "there is nothing to find here"


def test_luck_is_promoted_on_fair_markets():
    """Three fair markets of ten retrains: promotions happen although no model knows anything."""
    promoted = 0
    epochs = 2 * np.arange(46_000, dtype=np.int64)
    for seed in range(3):
        quotes = np.round(640 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 2.518e-4, 46_000))), 2)
        promoted += sum(row.promoted for row in naive_rule.naive_rule(epochs, quotes, Params(), BREAK_EVEN))
    # One draw passes with probability 0.22 (0.495 against 0.512 at n = 500): of thirty, 1 to 15 with 99.9 %.
    assert 1 <= promoted <= 15


def test_a_real_edge_is_seen_too(momentum):
    found = naive_rule.naive_retrains(momentum.home, momentum.params, retrains=3)
    assert all(row.promoted for row in found)
    assert min(row.win_rate for row in found) > 0.57


def test_too_few_ticks_is_one_clear_line(fair, tmp_path):
    epochs, quotes = fair.ticks()
    with pytest.raises(StepError, match="too few for 10 retrains"):
        naive_rule.naive_rule(epochs[:20_000], quotes[:20_000], fair.params, BREAK_EVEN)
    with pytest.raises(StepError, match=r"no ticks in .*; run `xtitan run ingest` first"):
        naive_rule.naive_retrains(replace(fair.home, data=tmp_path), fair.params)
