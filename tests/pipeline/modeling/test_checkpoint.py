"""Weights on disk: what was written is read back, and what was changed is refused."""

from __future__ import annotations

import pytest
import torch

from support.small_models import architecture
from xtitan_assets.modeling import checkpoint


def test_checkpoint_round_trip_and_tampering(tmp_path):
    torch.manual_seed(7)
    described = architecture(preset="full")
    model = described.build().eval()
    checkpoint.write_model(tmp_path, model, described, {"candidate": "network"})
    loaded, description = checkpoint.read_model(tmp_path)
    assert description["candidate"] == "network"
    ticks, candles = torch.randn(4, 32), torch.randn(4, 8, 5)
    assert torch.equal(model(ticks, candles).labels(), loaded(ticks, candles).labels())
    weights = tmp_path / checkpoint.WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(checkpoint.CheckpointError, match="not the weights"):
        checkpoint.read_model(tmp_path)
    with pytest.raises(checkpoint.CheckpointError, match="no trained model; run `xtitan run train`"):
        checkpoint.read_model(tmp_path / "elsewhere")
