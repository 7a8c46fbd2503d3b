"""Small models for the tests of ``modeling``."""

from __future__ import annotations

from xtitan_assets.modeling.network import Architecture
from xtitan_assets.modeling.trainer import Settings

SETTINGS = Settings(training_epochs=3, batch_size=64, learning_rate=3e-3, patience=3, seed=5)
KINDS = [("logistic", "light"), ("network", "light"), ("network", "full")]
"""Kind and preset of every model that can be built."""


def architecture(kind: str = "network", preset: str = "light", width: int = 8) -> Architecture:
    return Architecture(kind, 32, 8, 5, width, preset)  # type: ignore[arg-type]
