"""The signed bundle in the workspace: its key, and what the trading host would find in it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xtitan_assets.steps.model.onnx_model import OUTPUTS, OnnxModel
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle import keys
from xtitan_core.bundle.errors import BundleError
from xtitan_core.bundle.verification import VerifiedBundle, read_files, verify

TOLERANCE = 1e-5
"""Largest accepted difference between torch, ONNX and the golden vectors, everywhere."""

SIGNING_KEY = "signing"
"""File name of the private key in ``home.keys``; its public half is ``signing.pub``."""


@dataclass(frozen=True, slots=True)
class BundleCheck(Report):
    """What the trading host would find: golden vectors and latency.

    Attributes:
        latency_p50_ms, latency_p99_ms: one decision by the clock on the wall.
        cpu_p50_ms, cpu_p99_ms: the same in CPU time of the one thread, which is what ``latency_passed`` judges.
    """

    bundle_id: str
    golden_difference: float
    golden_passed: bool
    latency_p50_ms: float
    latency_p99_ms: float
    cpu_p50_ms: float
    cpu_p99_ms: float
    max_latency_ms: float
    latency_passed: bool


def signing_key(home: Home) -> Path:
    """The private signing key, generated on first use; its public half lies beside it as ``signing.pub``."""
    path = home.keys / SIGNING_KEY
    if not path.exists():
        keys.generate(path)
    return path


def load_bundle(home: Home) -> VerifiedBundle:
    """Verify and load the bundle in ``home.bundle``.

    Raises:
        StepError: there is none, or it does not verify.
    """
    try:
        public = keys.load_public(keys.public_path(home.keys / SIGNING_KEY))
        files = read_files(home.bundle)
        return verify(files, [public], now_epoch=0)
    except (BundleError, keys.KeyFileError) as error:
        raise StepError(f"{home.bundle}: {error}; run `xtitan run package`") from error


def check_bundle(home: Home) -> BundleCheck:
    """Load the bundle as the trading host does, replay its golden vectors and time it.

    Raises:
        StepError: there is none, or it does not verify.
    """
    bundle = load_bundle(home)
    onnx_model = OnnxModel(bundle.model)
    ticks, candles = bundle.golden["ticks"], bundle.golden["candles"]
    got = onnx_model.run(ticks, candles)
    worst = max(float(np.abs(got[name] - bundle.golden[name]).max()) for name in OUTPUTS if name in bundle.golden)
    latency = onnx_model.latency(ticks, candles)
    limit = bundle.manifest.runtime.max_latency_ms
    return BundleCheck(
        bundle_id=bundle.bundle_id,
        golden_difference=worst,
        golden_passed=worst <= TOLERANCE,
        latency_p50_ms=round(latency.p50, 4),
        latency_p99_ms=round(latency.p99, 4),
        cpu_p50_ms=round(latency.cpu_p50, 4),
        cpu_p99_ms=round(latency.cpu_p99, 4),
        max_latency_ms=limit,
        latency_passed=latency.cpu_p99 <= limit,
    )
