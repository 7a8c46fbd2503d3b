"""Weights on disk: safetensors plus JSON, never pickle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from xtitan_assets.modeling.network import Architecture, Model
from xtitan_assets.workspace.errors import PipelineError
from xtitan_core.files import write_atomically

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


@dataclass(frozen=True, slots=True)
class EpochLoss:
    """One row of the loss curve.

    Attributes:
        training_epoch: passes over the training samples so far, 1 for the first.
        train, held_out: mean log loss on the samples fitted on and on those kept back, nats.
    """

    training_epoch: int
    train: float
    held_out: float


class CheckpointError(PipelineError, ValueError):
    """A checkpoint is missing, broken, or its files do not belong together."""


def write_model(folder: Path, model: Model, architecture: Architecture, extra: dict[str, Any]) -> str:
    """Write weights and the description that rebuilds the model.

    Returns:
        sha256 of the weights.
    """
    weights = _pack(model.state_dict())
    digest = hashlib.sha256(weights).hexdigest()
    description = {"architecture": architecture.to_dict(), "sha256": digest, **extra}
    write_atomically(folder / WEIGHTS, weights, durable=True)
    write_atomically(
        folder / DESCRIPTION, json.dumps(description, indent=2, sort_keys=True).encode() + b"\n", durable=True
    )
    return digest


def read_description(folder: Path) -> dict[str, Any]:
    """The JSON beside the weights.

    Raises:
        CheckpointError: when it is missing or broken.
    """
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
    except FileNotFoundError:
        raise CheckpointError(f"{folder}: no trained model; run `xtitan run train` first") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / DESCRIPTION}: cannot be read ({error}); train again") from error
    return description


def read_model(folder: Path) -> tuple[Model, dict[str, Any]]:
    """Rebuild the model that ``write_model`` stored.

    Raises:
        CheckpointError: when a file is missing or the weights are not the described ones.
    """
    description = read_description(folder)
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise CheckpointError(f"{folder / WEIGHTS}: cannot be read ({error}); train again") from error
    if hashlib.sha256(weights).hexdigest() != description["sha256"]:
        raise CheckpointError(f"{folder / WEIGHTS}: not the weights that {DESCRIPTION} describes; train again")
    model = Architecture(**description["architecture"]).build()
    model.load_state_dict(load(weights))
    return model.eval(), description


def store(
    folder: Path,
    fingerprint: str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    best: dict[str, Tensor],
    history: list[EpochLoss],
) -> None:
    """Keep the state of a running fit, so that a killed run goes on after its last complete training epoch."""
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"best.{k}": v for k, v in best.items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{k}": torch.as_tensor(v) for k, v in moments.items()}
    packed = _pack(tensors)
    note = {
        "fingerprint": fingerprint,
        "sha256": hashlib.sha256(packed).hexdigest(),
        "history": [{"epoch": row.training_epoch, "train": row.train, "held_out": row.held_out} for row in history],
    }
    write_atomically(folder / "state.safetensors", packed, durable=True)
    write_atomically(folder / "state.json", json.dumps(note).encode(), durable=True)


def restore(
    folder: Path, fingerprint: str, model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Tensor], list[EpochLoss]] | None:
    """Load what ``store`` kept into ``model`` and ``optimizer``.

    Returns:
        The best weights and the loss curve so far; None when nothing is stored, when it belongs to another run, or
        when the run was killed between writing the two files.
    """
    try:
        note = json.loads((folder / "state.json").read_text())
        packed = (folder / "state.safetensors").read_bytes()
    except (OSError, ValueError):
        return None
    if note["fingerprint"] != fingerprint or note["sha256"] != hashlib.sha256(packed).hexdigest():
        return None
    tensors = load(packed)
    part = {
        name: {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
        for name in ("model", "best", "optimizer")
    }
    model.load_state_dict(part["model"])
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in part["optimizer"].items():
        number, _, name = key.partition(".")
        moments.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return part["best"], [EpochLoss(row["epoch"], row["train"], row["held_out"]) for row in note["history"]]


def _pack(tensors: dict[str, Tensor]) -> bytes:
    packed: bytes = save({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()})
    return packed
