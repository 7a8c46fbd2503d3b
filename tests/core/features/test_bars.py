"""Bars are made of the ticks whose epoch lies in them; empty bars do not exist."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.features.bars import bars_from_ticks

TICKS = st.lists(st.tuples(st.integers(1, 200), st.floats(1.0, 1e4)), max_size=60)


@given(steps=TICKS, bar_seconds=st.sampled_from([10, 60, 300]))
def test_open_high_low_close_of_each_existing_bar(steps: list[tuple[int, float]], bar_seconds: int) -> None:
    epochs = np.cumsum([d for d, _ in steps], dtype=np.int64)
    quotes = np.array([q for _, q in steps], dtype=np.float64)
    groups: dict[int, list[float]] = {}
    for epoch, quote in zip(epochs.tolist(), quotes.tolist(), strict=True):
        groups.setdefault(epoch // bar_seconds, []).append(quote)

    bars = bars_from_ticks(epochs, quotes, bar_seconds)

    assert bars.number.tolist() == list(groups)
    assert bars.open.tolist() == [g[0] for g in groups.values()]
    assert bars.high.tolist() == [max(g) for g in groups.values()]
    assert bars.low.tolist() == [min(g) for g in groups.values()]
    assert bars.close.tolist() == [g[-1] for g in groups.values()]


def test_a_tick_on_the_boundary_opens_the_next_bar() -> None:
    bars = bars_from_ticks(np.array([0, 58, 60, 62]), np.array([1.0, 2.0, 3.0, 4.0]), 60)

    assert bars.number.tolist() == [0, 1]
    assert bars.close.tolist() == [2.0, 4.0]


def test_the_first_bar_has_no_previous_close() -> None:
    frame = bars_from_ticks(np.array([0, 60]), np.array([1.0, 2.0]), 60).frame()

    assert np.isnan(frame.previous[0])
    assert frame.previous[1] == 1.0
