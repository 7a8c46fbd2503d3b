"""Batches hold each decision once and keep the decisions of a bar together."""

from __future__ import annotations

import numpy as np

from xtitan_assets.modeling.data import shuffled


def test_batches_keep_bars_together_and_lose_nothing(samples):
    index = np.arange(5, 1_234)
    batches = list(shuffled(samples, index, 100, np.random.default_rng(1)))
    assert sorted(np.concatenate(batches).tolist()) == index.tolist()
    assert max(len(np.unique(samples.rows[batch])) for batch in batches) <= 12
    again = list(shuffled(samples, index, 100, np.random.default_rng(1)))
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))
    other = np.concatenate(list(shuffled(samples, index, 100, np.random.default_rng(2))))
    assert not np.array_equal(np.concatenate(batches), other)
