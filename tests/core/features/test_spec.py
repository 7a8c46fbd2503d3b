"""The specification is a value: equal values have equal hashes, and anything that would change a byte changes it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from xtitan_core.features.columns import COLUMNS
from xtitan_core.features.spec import DEFAULT_SPEC, FEATURE_VERSION, FeatureError, FeatureSpec

CHANGED = {
    "tick_window": 65,
    "bar_seconds": 120,
    "bar_window": 33,
    "anchor_bars": 1_001,
    "indicators": DEFAULT_SPEC.indicators[::-1],
}


def test_it_survives_json() -> None:
    assert FeatureSpec.from_dict(json.loads(json.dumps(DEFAULT_SPEC.to_dict()))) == DEFAULT_SPEC


@pytest.mark.parametrize("name", CHANGED)
def test_every_field_is_part_of_the_hash(name: str) -> None:
    other = dataclasses.replace(DEFAULT_SPEC, **{name: CHANGED[name]})

    assert other.sha256 != DEFAULT_SPEC.sha256


def test_the_hash_covers_how_a_column_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = DEFAULT_SPEC.sha256
    rsi = COLUMNS["rsi_14"]
    assert rsi.call is not None
    slower = dataclasses.replace(rsi, call=dataclasses.replace(rsi.call, arguments=(15,)))
    monkeypatch.setitem(COLUMNS, "rsi_14", slower)  # type: ignore[arg-type]

    assert DEFAULT_SPEC.sha256 != before


def test_the_hash_covers_the_ta_lib_series(monkeypatch: pytest.MonkeyPatch) -> None:
    before = DEFAULT_SPEC.sha256
    monkeypatch.setattr("talib.__version__", "0.9.0")

    assert DEFAULT_SPEC.sha256 != before


@pytest.mark.parametrize(
    "wrong",
    [
        {"tick_window": 0},
        {"tick_window": 64.0},
        {"tick_window": True},
        {"bar_seconds": 7},
        {"bar_seconds": -60},
        {"anchor_bars": 95},
        {"indicators": ()},
        {"indicators": ["rsi_14"]},
        {"indicators": ("obv",)},
        {"indicators": ("rsi_14", "rsi_14")},
        {"version": FEATURE_VERSION + 1},
    ],
    ids=str,
)
def test_values_that_cannot_be_served_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(FeatureError, match="feature spec"):
        dataclasses.replace(DEFAULT_SPEC, **wrong)  # type: ignore[arg-type]


def test_missing_and_unknown_keys_are_refused() -> None:
    values = DEFAULT_SPEC.to_dict()
    for wrong in ({**values, "normaliser": "z"}, {k: v for k, v in values.items() if k != "version"}, {}):
        with pytest.raises(FeatureError, match="missing or unknown"):
            FeatureSpec.from_dict(wrong)
    for columns in ("rsi_14", [1, 2], None):
        with pytest.raises(FeatureError, match="list of column names"):
            FeatureSpec.from_dict({**values, "indicators": columns})


def test_nothing_cumulative_is_on_offer() -> None:
    """OBV and its kin remember where they started: they can never be restarted exactly."""
    functions = {column.call.function for column in COLUMNS.values() if column.call}

    assert not functions & {"OBV", "AD", "ADOSC", "PVT", "NVI", "PVI", "VWAP", "CUMSUM", "WAD"}
