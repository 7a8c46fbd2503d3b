"""Command line of the runner."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from live_runner.app import Application
from live_runner.config import ConfigError, load_settings, venue_token
from live_runner.guards.latch import KillLatch
from live_runner.ledger import Ledger
from live_runner.models.keeper import ROLLED_BACK
from live_runner.models.onnx_model import OnnxModel
from live_runner.models.store import ModelStore
from live_runner.ops.control import ControlError, ask
from live_runner.ops.status import IDENTITY, read_identity, status_from_files
from live_runner.ops.summary import summary_text
from xtitan_core.bundle.errors import BundleError, BundleProblem
from xtitan_core.bundle.keys import KeyFileError, load_public
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.clock import wall
from xtitan_core.errors import XtitanError

EX_CONFIG = 78
USER_ERRORS = (XtitanError, OSError)
"""What a person can act on; anything else is a fault of the program and ends with a traceback."""

START_HELP = """\
Runs until --stop-after-…, SIGTERM or SIGINT. Without a champion in the registry it runs shadow-only: it decides, asks
for quotes and settles on paper, and buys nothing. That is the normal state. With no model at all it records quotes.
Settings come from --config (TOML) and are overridden by flags; the token comes from XTITAN_TOKEN.
Exit codes: 0 ended as asked, 1 cannot run (one line says why), 2 wrong usage, 78 wrong configuration.
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="live_runner", description="The trading host: watches one symbol, decides, and buys through one gate."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_start(commands)

    status = commands.add_parser("status", help="what the runner is doing, or what it left behind")
    _add_state(status)
    status.add_argument("--json", action="store_true", help="print one JSON object")

    halt = commands.add_parser("halt", help="stop buying now; works with the runner running or not")
    _add_state(halt)
    halt.add_argument("--reason", default="halted by the operator", help="goes into latch and journal")

    resume = commands.add_parser("resume", help="allow buying again after a halt")
    _add_state(resume)
    resume.add_argument("--reason", required=True, help="why it is safe; goes into latch and journal")

    check = commands.add_parser(
        "verify", help="check a bundle as the runner does at loading: signature, files, expiry, golden outputs"
    )
    check.add_argument("bundle", type=Path, metavar="BUNDLE_DIR", help="folder with manifest, signature, model, golden")
    check.add_argument("--public-key", type=Path, required=True, metavar="FILE", help="ed25519 public key")
    check.add_argument("--at", type=int, metavar="EPOCH", help="venue time to check expiry at (default: now)")
    check.add_argument("--json", action="store_true", help="print one JSON object")

    rollback = commands.add_parser("rollback", help="return to the previous champion, quarantine the current one")
    _add_state(rollback)
    rollback.add_argument("--reason", required=True, help="goes into quarantine and journal")
    return parser


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, default=Path("runner-state"), metavar="DIR", help="state folder (default: runner-state)"
    )


def _add_start(commands: Any) -> None:
    start = commands.add_parser(
        "start",
        help="run",
        description="Run the runner.",
        epilog=START_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    start.add_argument("--config", type=Path, metavar="TOML", help="settings file; every key is a field of Settings")
    start.add_argument("--environment", choices=("paper", "demo", "real"), help="default: paper")
    start.add_argument("--venue", metavar="URL", help="default: http://127.0.0.1:8700, the paper exchange")
    start.add_argument("--account", metavar="ID", help="account id (paper: the first account)")
    start.add_argument("--symbol", help="default: R_100")
    start.add_argument("--model", metavar="NAME", help="registered model name")
    start.add_argument(
        "--registry", metavar="URL|DIR", help="MLflow server or release folder; leave it out to run without models"
    )
    start.add_argument("--public-key", metavar="FILE", help="ed25519 public key that bundles must be signed with")
    start.add_argument("--state", metavar="DIR", help="ledger, latch, models, control socket (default: runner-state)")
    start.add_argument("--journal", metavar="DIR", help="journal segments (default: runner-journal)")
    start.add_argument("--stop-after-shadow", type=int, metavar="N", help="end after N shadow settlements")
    start.add_argument("--stop-after-trades", type=int, metavar="N", help="end after N settled purchases")
    start.add_argument("--stop-after-slots", type=int, metavar="N", help="end after N decision slots")
    start.add_argument(
        "--settle-every-slot",
        action="store_true",
        default=None,
        help="settle the preferred side at every slot; uncounted where the model abstains",
    )
    start.add_argument("--metrics-port", type=int, metavar="PORT", help="serve /metrics and /healthz on 127.0.0.1")
    start.add_argument("--json", action="store_true", help="print the final summary as one JSON object")
    start.add_argument(
        "--log-level",
        default="info",
        choices=("debug", "info", "warning", "error"),
        help="log on stderr (default: info)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        match options.command:
            case "start":
                return _start(options)
            case "status":
                return _status(options)
            case "halt":
                return _halt(options)
            case "resume":
                return _resume(options)
            case "verify":
                return _verify(options)
            case _:
                return _rollback(options)
    except ConfigError as error:
        return _fail(error, EX_CONFIG)
    except BrokenPipeError:
        return 1  # the reader of our output closed it
    except USER_ERRORS as error:
        return _fail(error, 1)
    except asyncio.CancelledError:
        return _fail(RuntimeError("stopped before the start was complete; nothing was bought"), 1)
    except KeyboardInterrupt:
        return _fail(RuntimeError("interrupted"), 130)


def _fail(error: BaseException, code: int) -> int:
    text = " ".join(str(error).split()) or type(error).__name__
    print(f"error: {text}", file=sys.stderr)
    return code


def _start(options: argparse.Namespace) -> int:
    logging.basicConfig(
        level=options.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname).1s %(name)s: %(message)s"
    )
    for noisy in ("httpx", "httpcore", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    given = vars(options).copy()
    for key in ("command", "config", "json", "log_level"):
        del given[key]
    settings = load_settings(options.config, given)
    summary = asyncio.run(Application(settings, venue_token(settings)).run())
    print(json.dumps(summary, sort_keys=True) if options.json else summary_text(summary), flush=True)
    return 0


def _status(options: argparse.Namespace) -> int:
    status = ask(options.state, {"command": "status"}) or status_from_files(options.state)
    if options.json:
        print(json.dumps(status, sort_keys=True))
        return 0
    for key, value in status.items():
        print(f"{key:<24} {json.dumps(value) if isinstance(value, dict) else value}")
    return 0


def _halt(options: argparse.Namespace) -> int:
    if not (options.state / IDENTITY).exists():
        read_identity(options.state)  # raises when nobody ran here; a damaged file does not keep us from halting
    try:
        asked = ask(options.state, {"command": "halt", "reason": options.reason})
    except ControlError:
        asked = None  # the file halts without the socket
    if asked is None:
        KillLatch.request_halt(options.state, options.reason)
    print("halted" if asked else "halted by file; a running runner notices within a second")
    return 0


def _resume(options: argparse.Namespace) -> int:
    if ask(options.state, {"command": "resume", "reason": options.reason}) is None:
        identity = read_identity(options.state)
        ledger = Ledger.open(options.state, identity.account_id, environment=identity.environment, now=wall())
        try:
            KillLatch.open(options.state, ledger, wall).resume(options.reason, "operator")
        finally:
            ledger.close()
    print("resumed")
    return 0


def _verify(options: argparse.Namespace) -> int:
    now = wall() if options.at is None else options.at
    try:
        bundle = verify(read_files(options.bundle), [load_public(options.public_key)], now)
    except KeyFileError as error:
        raise KeyFileError(f"{error}; give the file that `xtitan keys` wrote") from None
    except BundleError as error:
        if error.code is not BundleProblem.EXPIRED or options.at is not None:
            raise
        raise BundleError(error.code, f"{error.what} (the paper exchange's time: give it with --at)") from None
    model = OnnxModel(bundle)
    manifest = bundle.manifest
    facts = {
        "bundle_id": bundle.bundle_id,
        "model_name": manifest.model_name,
        "sequence": manifest.sequence,
        "symbols": list(manifest.symbols),
        "expires_epoch": manifest.expires_epoch,
        "contracts": [f"{c.contract_type} {c.duration}{c.unit}" for c in model.contracts.values()],
        "latency_ms": round(model.latency_ms, 3),
    }
    if options.json:
        print(json.dumps(facts, sort_keys=True))
    else:
        print("verified")
        for key, value in facts.items():
            print(f"{key:<16} {value}")
    return 0


def _rollback(options: argparse.Namespace) -> int:
    answer = ask(options.state, {"command": "rollback", "reason": options.reason})
    if answer is not None:
        champion = answer["champion"]
        print(f"champion is now {champion['bundle_id'][:12]}" if champion else "no previous champion: shadow-only now")
        return 0
    read_identity(options.state)
    state = ModelStore(options.state / "models", []).rollback(f"{ROLLED_BACK}: {options.reason}")
    print(
        f"champion is now {state.bundle_id[:12]}" if state else "no previous champion: shadow-only from the next start"
    )
    return 0
