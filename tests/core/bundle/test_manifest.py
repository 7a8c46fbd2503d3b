"""The manifest is closed, strict and finite, and has exactly one byte form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from xtitan_core.bundle.manifest import Manifest
from xtitan_core.calibration import Platt
from xtitan_core.features.spec import DEFAULT_SPEC


def changed(manifest: Manifest, path: str, value: Any) -> bytes:
    """The manifest's JSON with one value replaced (``heads.0.index``) or, with ``...``, removed."""
    document = json.loads(manifest.canonical_bytes())
    *parents, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    at = document
    for key in parents:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return json.dumps(document).encode()


def test_canonical_bytes_come_back_as_the_same_manifest(manifest: Manifest) -> None:
    document = manifest.canonical_bytes()

    assert Manifest.model_validate_json(document) == manifest
    assert Manifest.model_validate_json(document).canonical_bytes() == document
    assert document.isascii()
    assert b" " not in document.replace(b"xtitan 0.1.0", b"")


def test_it_gives_what_the_runner_needs(manifest: Manifest) -> None:
    assert manifest.spec == DEFAULT_SPEC
    assert manifest.heads[0].calibration.platt == Platt(1.25, -0.5)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema_version", 2),
        ("schema_version", "1"),
        ("surprise", 1),
        ("decision.surprise", 1),
        ("heads.0.surprise", 1),
        ("model_name", "../champion"),
        ("model_name", ""),
        ("model_name", "a" * 129),
        ("sequence", 0),
        ("sequence", "7"),
        ("sequence", 7.5),
        ("sequence", True),
        ("sequence", ...),
        ("created_epoch", -1),
        ("expires_epoch", 1_772_409_600),
        ("feature_sha256", "AB" * 32),
        ("feature_sha256", "ab" * 31),
        ("heads", []),
        ("heads.0.contract_type", "LOTTERY"),
        ("heads.0.unit", "weeks"),
        ("heads.0.output", "volatility"),
        ("heads.0.index", -1),
        ("heads.0.duration", 0),
        ("heads.0.calibration.a", float("nan")),
        ("heads.0.calibration.b", float("inf")),
        ("heads.0.barrier_sigmas", 1.0),
        ("heads.2.barrier_sigmas", None),
        ("heads.2.barrier_sigmas", 0.0),
        ("heads.4.barrier_sigmas", -3.0),
        ("heads.1.index", 0),
        ("heads.1.contract_type", "CALL"),
        ("symbols", []),
        ("symbols", ["R_101"]),
        ("symbols", ["R_100", "R_100"]),
        ("decision.min_edge", -0.01),
        ("decision.min_edge", 1.0),
        ("decision.slot_seconds", 0),
        ("training.candidate", "oracle"),
        ("training.params_sha256", ""),
        ("training.last_epoch", 0),
        ("evaluation.ece", -0.1),
        ("evaluation.edge_mean", float("-inf")),
        ("runtime.min_runner_version", "latest"),
        ("runtime.max_latency_ms", 0),
        ("runtime", ...),
        ("files", {"model.onnx": {"sha256": "ab" * 32, "bytes": 0}}),
        ("files", {"model.onnx": {"sha256": "zz" * 32, "bytes": 1}}),
    ],
)
def test_one_wrong_value_and_it_is_refused(manifest: Manifest, path: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(changed(manifest, path, value))


def test_the_unchanged_document_is_accepted_by_the_same_route(manifest: Manifest) -> None:
    assert Manifest.model_validate_json(changed(manifest, "sequence", 7)) == manifest


def test_it_cannot_be_edited(manifest: Manifest) -> None:
    with pytest.raises(ValidationError):
        manifest.sequence = 8  # type: ignore[misc]
