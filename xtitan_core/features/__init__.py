"""Model inputs: one definition, the same float32 bytes in training, in serving and after any restart."""

from xtitan_core.features.batch import DayFeatures, day_features, earliest_tick, windows
from xtitan_core.features.spec import DEFAULT_SPEC, FeatureError, FeatureSpec
from xtitan_core.features.stream import FeatureStream

__all__ = [
    "DEFAULT_SPEC",
    "DayFeatures",
    "FeatureError",
    "FeatureSpec",
    "FeatureStream",
    "day_features",
    "earliest_tick",
    "windows",
]
