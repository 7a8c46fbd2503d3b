"""The figures of ``status``, from a running process or from its files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from live_runner.errors import RunnerError
from live_runner.guards.latch import KillLatch
from live_runner.ledger import Ledger
from live_runner.models.roles import ModelRoles
from live_runner.models.store import STATE
from xtitan_core.clock import wall
from xtitan_core.files import write_atomically

IDENTITY = "runner.json"


class StatusError(RunnerError, RuntimeError):
    """There is nothing to report on; one line."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who ran in a state folder last."""

    account_id: str
    environment: str
    symbol: str
    pid: int


def write_identity(path: Path, identity: Identity) -> None:
    """Record who runs here, for ``status`` after the end."""
    # Not durable: every start writes it again.
    write_atomically(path, json.dumps(asdict(identity)).encode(), durable=False)


def read_identity(folder: Path) -> Identity:
    """Who ran here last.

    Raises:
        StatusError: when nobody ever did.
    """
    try:
        body = json.loads((folder / IDENTITY).read_text())
        return Identity(str(body["account_id"]), str(body["environment"]), str(body["symbol"]), int(body["pid"]))
    except FileNotFoundError:
        raise StatusError(f"{folder}: no runner has used this state folder; check --state") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StatusError(f"{folder / IDENTITY}: cannot be read ({error}); start the runner once") from None


def ledger_figures(ledger: Ledger, now: float) -> dict[str, Any]:
    """Money and contracts by the ledger; cents, None before the opening balance is known."""
    figures = ledger.summary(now)
    return {
        "account_id": ledger.account_id,
        "opening_cents": figures["opening_cents"],
        "ledger_total_cents": figures["total_cents"],
        "contracts": len(ledger.intents.trades()),
        "open_contracts": len(figures["open_contracts"]),
        "unresolved": len(figures["unresolved"]),
        "exposure_cents": figures["exposure_cents"],
        "day_loss_cents": figures["day_loss_cents"],
        "day_stopped": figures["day_stopped"],
        "intents": figures["intents"],
    }


def role_figures(roles: ModelRoles) -> dict[str, dict[str, Any] | None]:
    """The model in each role."""
    figures: dict[str, dict[str, Any] | None] = {"champion": None, "shadow": None}
    for role, model in roles.loaded():
        figures[role] = {
            "bundle_id": model.bundle_id,
            "model_name": model.name,
            "version": model.version,
            "expires_epoch": model.onnx.manifest.expires_epoch,
            "latency_ms": round(model.onnx.latency_ms, 3),
        }
    return figures


def status_from_files(folder: Path) -> dict[str, Any]:
    """Status of a runner that is not running: its ledger is opened, verified and closed again.

    Raises:
        StatusError: when nobody ever ran here.
        LedgerError: when the ledger is in use or damaged.
    """
    identity = read_identity(folder)
    halted, reason, by = KillLatch.peek(folder)
    now = wall()
    ledger = Ledger.open(folder, identity.account_id, environment=identity.environment, now=now)
    try:
        figures = ledger_figures(ledger, now)
    finally:
        ledger.close()
    try:
        models = json.loads((folder / "models" / STATE).read_text())
    except (OSError, ValueError):
        models = {}
    return {
        "running": False,
        "environment": identity.environment,
        "symbol": identity.symbol,
        "halted": halted,
        "halt_reason": f"{by}: {reason}" if halted else "",
        **figures,
        "models": {"champion": models.get("champion"), "shadow": models.get("shadow")},
    }
