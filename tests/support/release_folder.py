"""A release folder with real signed bundles around a small real ONNX model."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper

from support.records import manifest, training
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.writing import write_bundle
from xtitan_core.clock import DAY
from xtitan_core.features.spec import DEFAULT_SPEC, FeatureSpec
from xtitan_core.randomness import stream
from xtitan_core.symbols import PLANTED_SYMBOL, symbol

START = 1_772_409_600
"""Where the paper exchange's time begins."""
MODEL = "test-rise_fall-5t"


def momentum_weight(name: str = PLANTED_SYMBOL, phi: float = 0.75) -> float:
    """Logit per unit of the last log return: the best rule's normal probability, seen through a logistic."""
    m = sum(phi ** (1 + j) for j in range(1, 6))
    variance = 5 + 2 * sum((5 - lag) * phi**lag for lag in range(1, 5))
    return 1.6 * m / math.sqrt(variance - m * m) / symbol(name).tick_sigma


def onnx_model(weight: float, spec: FeatureSpec = DEFAULT_SPEC) -> bytes:
    """``rise_fall = (w * last return, -w * last return)``; candles enter with weight zero."""
    shape = ["N", spec.bar_window, len(spec.indicators)]
    nodes = [
        helper.make_node("Slice", ["ticks", "first", "last", "axis"], ["newest"]),
        helper.make_node("MatMul", ["newest", "weights"], ["logits"]),
        helper.make_node("ReduceMean", ["candles"], ["level"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["level", "zero"], ["nothing"]),
        helper.make_node("Unsqueeze", ["nothing", "axis"], ["column"]),
        helper.make_node("Add", ["logits", "column"], ["rise_fall"]),
    ]
    n = spec.tick_window
    constants = [
        helper.make_tensor("first", TensorProto.INT64, [1], [n - 1]),
        helper.make_tensor("last", TensorProto.INT64, [1], [n]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("weights", TensorProto.FLOAT, [1, 2], [weight, -weight]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    ]
    graph = helper.make_graph(
        nodes,
        "momentum",
        [
            helper.make_tensor_value_info("ticks", TensorProto.FLOAT, ["N", n]),
            helper.make_tensor_value_info("candles", TensorProto.FLOAT, shape),
        ],
        [helper.make_tensor_value_info("rise_fall", TensorProto.FLOAT, ["N", 2])],
        constants,
    )
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    )


@dataclass
class Releases:
    """A release folder with its signing key.

    Attributes:
        folder: what ``--registry`` takes.
        public_key: what ``--public-key`` takes.
    """

    folder: Path
    private: Ed25519PrivateKey
    public_key: Path
    sequence: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def bundle(self, weight: float | None = None, *, target: Path | None = None, **changes: Any) -> str:
        """Write a bundle; returns its id. ``changes`` replace fields of the manifest."""
        self.sequence += 1
        weight = momentum_weight() if weight is None else weight
        spec: FeatureSpec = changes.pop("spec", DEFAULT_SPEC)
        model: bytes = changes.pop("model", onnx_model(weight, spec))
        rng = stream(self.sequence, "golden")
        golden = {
            "ticks": rng.normal(0, 2.5e-4, (8, spec.tick_window)).astype(np.float32),
            "candles": rng.normal(size=(8, spec.bar_window, len(spec.indicators))).astype(np.float32),
        }
        outputs = ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(["rise_fall"], golden)
        golden["rise_fall"] = changes.pop("expected", outputs[0])
        bundle_id = write_bundle(
            target or self.folder / MODEL / "new", self.manifest(spec, **changes), model, golden, self.private
        )
        if target is None:
            self.versions[bundle_id] = str(self.sequence)
            (self.folder / MODEL / "new").rename(self.folder / MODEL / bundle_id)
        return bundle_id

    def manifest(self, spec: FeatureSpec = DEFAULT_SPEC, **changes: Any) -> Manifest:
        """A valid manifest of a rise/fall model on both R_100 and the planted symbol."""
        fields: dict[str, Any] = {
            "model_name": MODEL,
            "sequence": self.sequence,
            "expires_epoch": START + 30 * DAY,
            "feature_spec": spec.to_dict(),
            "feature_sha256": spec.sha256,
            "symbols": ("R_100", PLANTED_SYMBOL),
            "training": training(START, first_epoch=START - DAY, last_epoch=START - 7_200),
        }
        return manifest(START - 3_600, **{**fields, **changes})

    def point(self, alias: str, bundle_id: str | None) -> None:
        """Set an alias, or remove it with None."""
        path = self.folder / MODEL / f"{alias}.json"
        if bundle_id is None:
            path.unlink()
            return
        body = {"version": self.versions[bundle_id], "manifest_sha256": bundle_id, "bundle": bundle_id}
        path.write_text(json.dumps(body))
