"""``xtitan demo``: plan two worlds, run them side by side, judge the results and report them."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np
import yaml

from xtitan_assets.demo.instance import prepare_instance
from xtitan_assets.demo.processes import Child, ProcessFailedError, command, ended_on_interrupt
from xtitan_assets.demo.processes import run as execute
from xtitan_assets.demo.recorded import (
    Recording,
    RecordingError,
    oracle_win_rate,
    persistence_for,
    read_recording,
    redrawn,
    write_market,
)
from xtitan_assets.demo.results import DemoResult, MarketResult, NaiveRetrain, RunnerResult
from xtitan_assets.demo.screen import verdict
from xtitan_assets.demo.story import Plan, promote, refuse, trade
from xtitan_assets.demo.world import World
from xtitan_assets.steps.model.naive_rule import naive_retrains
from xtitan_assets.workspace.params import load_params
from xtitan_core.errors import XtitanError
from xtitan_core.symbols import PLANTED_SYMBOL, symbol

DURATION = 5
ORACLE = 0.65


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``xtitan demo``."""
    parser.add_argument("--seed", type=int, default=1, help="seed of markets and training (default 1)")
    parser.add_argument(
        "--market",
        choices=("simulated", "recorded"),
        default="simulated",
        help="simulated: fair R_100 and a planted edge; recorded: real ticks from --file, as recorded and redrawn",
    )
    parser.add_argument(
        "--file", type=Path, help="recording (epoch,quote; csv, csv.gz or parquet) for --market recorded"
    )
    parser.add_argument("--symbol", default="R_100", help="symbol of the recording (default R_100)")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the result as data to F")
    parser.add_argument(
        "--home", type=Path, default=Path(".demo"), help="folder for everything the demo makes; emptied first"
    )


class Progress:
    """Timestamped lines on stderr, from several threads."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, line: str) -> None:
        elapsed = int(time.monotonic() - self._started)
        with self._lock:
            print(f"[{elapsed // 60}:{elapsed % 60:02d}] {line}", file=sys.stderr, flush=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def prepare(home: Path) -> IO[bytes]:
    """Empty the demo's folder and put the parameters there.

    Returns:
        The folder's marker file, locked: no other demo can use the folder until it is closed.

    Raises:
        ProcessFailedError: when the folder is not one that the demo made, or another demo runs there.
    """
    marker = home / ".made-by-xtitan-demo"
    source = Path(os.environ.get("XTITAN_PARAMS", "params.yaml"))
    if not source.exists():
        raise ProcessFailedError(f"{source}: no such file; run the demo from the project's root")
    if home.exists() and any(home.iterdir()):
        if not marker.exists():
            raise ProcessFailedError(
                f"{home} is not empty and was not made by the demo; name another folder with --home"
            )
        _lock(marker).close()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    lock = _lock(marker)
    shutil.copy(source, home / "params.yaml")
    return lock


def _lock(marker: Path) -> IO[bytes]:
    """Open the marker and lock it.

    Raises:
        ProcessFailedError: another demo holds it.
    """
    lock = open(marker, "ab")  # noqa: SIM115 - the caller holds it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ProcessFailedError(
            f"{marker.parent} is in use by another demo; wait for it, or name another folder with --home"
        ) from None
    return lock


def start_registry(home: Path) -> tuple[Child, str]:
    """The real MLflow server on a free loopback port; returns it and its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / "mlruns").mkdir(exist_ok=True)
    server = Child(
        "mlflow server",
        [
            command("mlflow"),
            "server",
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{home / 'mlruns' / 'mlflow.db'}"),
            *("--artifacts-destination", str(home / "mlruns" / "artifacts")),
        ],
        home / "logs" / "mlflow.log",
        {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    )
    return server, f"http://127.0.0.1:{port}"


def naive_rule(world: World) -> list[NaiveRetrain]:
    """What the usual rule would have done over ten retrains on the market without an edge."""
    params = load_params(
        world.root / "params.yaml",
        [f"data.symbol={world.symbol}", f"data.days={world.days}", f"train.seed={world.seed}"],
    )
    rows = naive_retrains(world.home, params, retrains=10)
    return [NaiveRetrain(r.retrain, r.win_rate, r.promoted) for r in rows]


def planted_oracle(home: Path) -> float:
    """Best possible win rate on the planted market, as the exchange that plants it states it."""
    lines = execute(
        "paper_exchange oracle",
        [command("paper_exchange"), "oracle", "--ticks", str(DURATION)],
        home / "logs" / "oracle.log",
    )
    return float(lines[-1])


def simulated_worlds(home: Path, seed: int, registry: str, show: Progress) -> tuple[World, World, float]:
    """The fair R_100, the planted market, and what an oracle wins there."""
    fair = World("fair", "R_100", "fair", seed, 4, home, registry, show)
    planted = World("planted", PLANTED_SYMBOL, "planted", seed, 4, home, registry, show)
    return fair, planted, planted_oracle(home)


def recorded_worlds(home: Path, args: argparse.Namespace, registry: str, show: Progress) -> tuple[World, World, float]:
    """The recording as it is and with its signs redrawn."""
    recording: Recording = read_recording(args.file)
    kind = symbol(args.symbol)
    magnitudes = np.abs(np.diff(np.log(recording.quotes)))
    pip = float(kind.pip) / float(np.median(recording.quotes))
    persistence = persistence_for(magnitudes, DURATION, pip, ORACLE)
    columns = redrawn(recording, kind, 4, persistence, args.seed)
    file = write_market(home / "redrawn" / "market.csv.gz", columns)
    plain = World("recorded", kind.name, f"replay:{args.file.resolve()}", args.seed, 4, home, registry, show)
    control = World("redrawn", kind.name, f"replay:{file.resolve()}", args.seed, 4, home, registry, show)
    return plain, control, oracle_win_rate(magnitudes, persistence, DURATION, pip)


def show_verdict(result: DemoResult, report: Path) -> None:
    """Print the verdict on one screen."""
    print(verdict(result, report), flush=True)


def leave_for_the_ui(world: World) -> None:
    """Point the demo's folder at one world's data, so that `xtitan ui` can run any asset on it afterwards."""
    settings = yaml.safe_load((world.root / "params.yaml").read_text())
    settings["data"] |= {"symbol": world.symbol, "days": world.days}
    settings["train"] |= {"seed": world.seed}
    settings["registry"] |= {"model_name": world.model_name}
    (world.root / "params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    (world.root / "data").symlink_to(world.home.data, target_is_directory=True)


def run_demo(args: argparse.Namespace) -> DemoResult:
    """Run both worlds side by side and judge them.

    Raises:
        ProcessFailedError, RecordingError: with a message that says what to do.
    """
    show = Progress()
    home = args.home.resolve()
    if args.market == "recorded":
        if args.file is None:
            raise RecordingError("--market recorded needs --file with epoch,quote rows")
        if args.file.resolve().is_relative_to(home):
            raise RecordingError(f"{args.file} lies in {home}, which the demo empties; move it or name another --home")
        read_recording(args.file)
        symbol(args.symbol)
    if args.json and not args.json.resolve().parent.is_dir():
        raise ProcessFailedError(f"{args.json.parent}: no such folder; --json writes there at the end, create it first")
    lock = prepare(home)
    show("starting the model registry (MLflow) and two paper exchanges")
    server, registry = start_registry(home)
    worlds: list[World] = []
    try:
        if args.market == "recorded":
            plain, control, oracle = recorded_worlds(home, args, registry, show)
            plan = Plan(slots=1_350, days=0.2, chunk=250, evaluations=3, trades=100, after=15)
        else:
            plain, control, oracle = simulated_worlds(home, args.seed, registry, show)
            plan = Plan()
        worlds = [plain, control]
        prepare_instance(plain.home)
        server.wait_for(r"Uvicorn running on|Application startup complete", 90)
        with ThreadPoolExecutor(2) as pool, ended_on_interrupt():
            no = pool.submit(refuse, plain, plan, plain.name)
            yes = pool.submit(promote, control, plan, control.name, oracle)
            promoted: MarketResult = yes.result()
            runner: RunnerResult = trade(control, plan) if promoted.promoted else RunnerResult.nothing(control.name)
            refused: MarketResult = no.result()
        show("the usual rule, ten retrains on the downloaded history, which has no edge")
        naive = naive_rule(plain)
    finally:
        for world in worlds:
            world.close()
        server.stop()
        lock.close()
    leave_for_the_ui(control)
    result = DemoResult(args.seed, [refused, promoted], runner, naive, plan.trades)
    result.seconds = show.seconds
    return result


def run(args: argparse.Namespace) -> int:
    """Run the demo. Returns 0 only when every condition holds, 1 otherwise, 130 after Ctrl-C."""
    from xtitan_assets.demo.report import write_report

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = run_demo(args)
        report = write_report(result, args.home.resolve() / "report.html")
    except XtitanError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; nothing outside the demo's folder was touched", file=sys.stderr)
        return 130
    if args.json:
        args.json.write_text(json.dumps(result.as_json(), indent=1) + "\n")
    show_verdict(result, report)
    return 0 if result.ok else 1
