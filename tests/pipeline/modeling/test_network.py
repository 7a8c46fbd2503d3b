"""The two models: shapes of their outputs, and candles shared between decisions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from support.small_models import KINDS, architecture
from xtitan_assets.modeling.data import gather


@pytest.mark.parametrize(("kind", "preset"), KINDS)
def test_outputs_have_the_promised_shapes(kind, preset):
    torch.manual_seed(0)
    model = architecture(kind, preset).build().eval()
    logits = model(torch.randn(7, 32), torch.randn(7, 8, 5))
    assert [tuple(part.shape) for part in logits] == [(7, 2), (7, 2), (7, 1), (7,)]
    assert tuple(logits.labels().shape) == (7, 5)
    assert (logits.anomaly >= 0).all()


@pytest.mark.parametrize(("kind", "preset"), KINDS)
def test_shared_candles_change_nothing(kind, preset, samples):
    """Running the temporal expert once per bar must equal running it once per decision."""
    torch.manual_seed(1)
    model = architecture(kind, preset).build().eval()
    index = np.array([3, 4, 5, 900, 901, 1_999])
    batch = gather(samples, index)
    assert len(batch.candles) == 3
    with torch.inference_mode():
        shared = model(batch.ticks, batch.candles, batch.rows).labels()
        separate = model(batch.ticks, torch.from_numpy(samples.candles[samples.rows[index]])).labels()
    torch.testing.assert_close(shared, separate, rtol=0, atol=1e-6)
