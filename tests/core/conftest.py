"""Fixtures shared by the core's tests: a signed bundle of the smallest valid kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xtitan_core.bundle.manifest import (
    Calibration,
    DecisionRule,
    Evaluation,
    Head,
    Lineage,
    Manifest,
    Runtime,
    Training,
)
from xtitan_core.contracts import ContractType, DurationUnit
from xtitan_core.features.spec import DEFAULT_SPEC
from xtitan_core.randomness import stream

CREATED = 1_772_409_600


@pytest.fixture(scope="session")
def signing_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """Rise, fall, touch and stay heads on R_100; without files, as ``write_bundle`` takes it."""
    same = Calibration(a=1.25, b=-0.5)

    def head(kind: ContractType, output: str, index: int, sigmas: float | None = None) -> Head:
        return Head(
            contract_type=kind,
            duration=5,
            unit=DurationUnit.TICKS,
            output=output,  # type: ignore[arg-type]
            index=index,
            calibration=same,
            barrier_sigmas=sigmas,
        )

    return Manifest(
        model_name="R_100-rise_fall-5t",
        sequence=7,
        created_epoch=CREATED,
        expires_epoch=CREATED + 30 * 86_400,
        created_by="0.1.0",
        feature_spec=DEFAULT_SPEC.to_dict(),
        feature_sha256=DEFAULT_SPEC.sha256,
        heads=(
            head(ContractType.CALL, "rise_fall", 0),
            head(ContractType.PUT, "rise_fall", 1),
            head(ContractType.ONETOUCH, "touch", 0, 2.0),
            head(ContractType.ONETOUCH, "touch", 1, -2.0),
            head(ContractType.RANGE, "stay", 0, 3.0),
        ),
        symbols=("R_100",),
        decision=DecisionRule(min_edge=0.02, slot_seconds=14, latency_seconds=0),
        training=Training(
            snapshot_id="0123abcd",
            first_epoch=CREATED - 4 * 86_400,
            last_epoch=CREATED - 1,
            params_sha256="ab" * 32,
            candidate="network",
            seed=7,
        ),
        evaluation=Evaluation(log_loss=0.6928, baseline_log_loss=0.6931, ece=0.008, n=6_000, beats_baseline=True),
        lineage=Lineage(dagster_run_id="5b1c", mlflow_run_id="9f00"),
        runtime=Runtime(opset=18, min_runner_version="0.1.0", max_latency_ms=5.0),
    )


@pytest.fixture(scope="session")
def golden() -> Mapping[str, np.ndarray]:
    """Four golden rows of the default specification's shape."""
    rng = stream(1, "golden")
    shapes = {
        "ticks": (4, DEFAULT_SPEC.tick_window),
        "candles": (4, DEFAULT_SPEC.bar_window, len(DEFAULT_SPEC.indicators)),
        "rise_fall": (4, 2),
        "touch": (4, 2),
        "stay": (4, 1),
        "anomaly": (4,),
    }
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
