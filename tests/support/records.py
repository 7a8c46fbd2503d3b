"""Journal records and manifests with plain values; a test names only the fields that matter to it."""

from __future__ import annotations

from typing import Any

from xtitan_core.bundle.manifest import Calibration, DecisionRule, Evaluation, Head, Manifest, Runtime, Training
from xtitan_core.clock import DAY
from xtitan_core.contracts import ContractType, DurationUnit
from xtitan_core.features.spec import DEFAULT_SPEC
from xtitan_core.journal import ShadowSettlementRecord, ShadowTradeRecord


def shadow_trade(**changes: Any) -> ShadowTradeRecord:
    """A counted 5-tick CALL on R_100 for 10.00 at a payout of 19.50; ``changes`` replace its fields."""
    fields: dict[str, Any] = {
        "epoch": 100,
        "trade_id": "t",
        "decision_id": "d",
        "bundle_id": "b",
        "model_name": "m",
        "symbol": "R_100",
        "contract_type": "CALL",
        "duration": 5,
        "duration_unit": "t",
        "ask_cents": 1_000,
        "payout_cents": 1_950,
        "probability": 0.6,
        "counted": True,
    }
    return ShadowTradeRecord(**{**fields, **changes})


def shadow_end(
    trade: ShadowTradeRecord, outcome: str = "won", *, entry_after: int = 2, exit_after: int = 12, **changes: Any
) -> ShadowSettlementRecord:
    """How a shadow trade ended, so many seconds after its decision; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "epoch": trade.epoch + exit_after,
        "trade_id": trade.trade_id,
        "bundle_id": trade.bundle_id,
        "outcome": outcome,
        "entry_epoch": trade.epoch + entry_after,
        "entry": 640.0,
        "exit_epoch": trade.epoch + exit_after,
        "exit": 640.1,
    }
    return ShadowSettlementRecord(**{**fields, **changes})


def rise_fall_heads() -> tuple[Head, ...]:
    """A CALL and a PUT head over 5 ticks, uncalibrated."""
    return tuple(
        Head(
            contract_type=kind,
            duration=5,
            unit=DurationUnit.TICKS,
            output="rise_fall",
            index=index,
            calibration=Calibration(a=1.0, b=0.0),
        )
        for index, kind in enumerate((ContractType.CALL, ContractType.PUT))
    )


def training(created_epoch: int, **changes: Any) -> Training:
    """Four days of training data that end just before ``created_epoch``; ``changes`` replace fields."""
    fields: dict[str, Any] = {
        "snapshot_id": "0123abcd",
        "first_epoch": created_epoch - 4 * DAY,
        "last_epoch": created_epoch - 1,
        "params_sha256": "ab" * 32,
        "candidate": "logistic",
        "seed": 1,
    }
    return Training(**{**fields, **changes})


def manifest(created_epoch: int, **changes: Any) -> Manifest:
    """A rise/fall model on R_100, valid for 30 days from ``created_epoch``; ``changes`` replace fields.

    Without files, as ``write_bundle`` takes it.
    """
    fields: dict[str, Any] = {
        "model_name": "m",
        "sequence": 1,
        "created_epoch": created_epoch,
        "expires_epoch": created_epoch + 30 * DAY,
        "created_by": "tests",
        "feature_spec": DEFAULT_SPEC.to_dict(),
        "feature_sha256": DEFAULT_SPEC.sha256,
        "heads": rise_fall_heads(),
        "symbols": ("R_100",),
        "decision": DecisionRule(min_edge=0.02, slot_seconds=14, latency_seconds=0),
        "training": training(created_epoch),
        "evaluation": Evaluation(log_loss=0.6928, baseline_log_loss=0.6931, ece=0.008, n=6_000, beats_baseline=True),
        "runtime": Runtime(opset=17, min_runner_version="0.1.0", max_latency_ms=100.0),
    }
    return Manifest(**{**fields, **changes})
