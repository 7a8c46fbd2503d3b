"""The scores by which candidates are compared."""

from __future__ import annotations

import numpy as np
import pytest

from xtitan_assets.modeling.scores import log_loss, log_loss_of_logits, paired_difference


def test_losses_agree_and_stay_finite():
    logits = np.array([-800.0, -2.0, 0.0, 3.0, 900.0])
    labels = np.array([0, 1, 1, 0, 1], np.uint8)
    exact = log_loss_of_logits(logits, labels)
    assert np.isfinite(exact).all()
    np.testing.assert_allclose(exact[1:4], log_loss(1 / (1 + np.exp(-logits[1:4])), labels[1:4]))


def test_paired_difference_counts_overlap():
    """Thirty copies of each independent difference must not look thirty times as certain."""
    rng = np.random.default_rng(8)
    blocks = rng.normal(0.0, 1.0, 200)
    epochs = np.arange(200 * 30) * 10
    found = paired_difference(np.repeat(blocks, 30), np.zeros(6_000), epochs, block_seconds=300)
    assert found.standard_error == pytest.approx(blocks.std(ddof=1) / 200**0.5, rel=1e-6)
    naive = np.repeat(blocks, 30).std() / 6_000**0.5
    assert found.standard_error > 5 * naive
    with pytest.raises(ValueError, match="two blocks"):
        paired_difference(np.zeros(5), np.zeros(5), np.arange(5))
