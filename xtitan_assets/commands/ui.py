"""`xtitan ui`: Dagster, MLflow and a paper exchange on loopback, started and stopped together."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from xtitan_assets.commands.options import Subparsers, add_home, print_line, progress
from xtitan_assets.workspace import environment
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.lineage import PROJECT
from xtitan_assets.workspace.params import load_params
from xtitan_assets.workspace.paths import Home

START_SECONDS = 120.0
STOP_SECONDS = 15.0


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "ui",
        help="open Dagster and MLflow in the browser",
        description="Start `dagster dev`, the MLflow server and, when params.yaml names a venue on this machine and "
        "nothing answers there, a paper exchange; print their addresses, and stop all of them on Ctrl-C. None has a "
        "password: do not publish these ports, use an SSH tunnel.",
    )
    parser.add_argument("--dagster-port", type=int, default=3000, metavar="PORT", help="default 3000")
    parser.add_argument("--mlflow-port", type=int, default=5000, metavar="PORT", help="default 5000")
    add_home(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    from xtitan_assets.runs.instance import prepare

    home = Home.from_environment()
    prepare(home)
    environment.apply()
    os.environ["XTITAN_HOME"], os.environ["XTITAN_DATA"] = str(home.root), str(home.data)
    services = [
        ("Dagster", options.dagster_port, dagster_command(options.dagster_port)),
        ("MLflow", options.mlflow_port, mlflow_command(home, options.mlflow_port)),
    ]
    venue = load_params(home.params).venue.url
    if options.dagster_port == options.mlflow_port:
        raise StepError(f"port {options.dagster_port} is asked for twice; give Dagster and MLflow different ones")
    for name, port, _ in services:
        if not 1 <= port <= 65_535:
            raise StepError(f"port {port} does not exist; choose --{name.lower()}-port between 1 and 65535")
        if listening(port):
            raise StepError(f"port {port} is taken; choose another one for {name} with --{name.lower()}-port")
    if (local := local_port(venue)) and not listening(local):
        services.append(("Exchange", local, exchange_command(local)))
    (home.mlruns / "artifacts").mkdir(parents=True, exist_ok=True)
    # Explicit, because a shell starts background jobs with SIGINT ignored, and children would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name, port, command in services:
            progress(f"starting {name} ...")
            running.append(start(home, name, command))
            wait_until_listening(name, port, running[-1], home)
            print_line(f"{name}: http://127.0.0.1:{port}")
            sys.stdout.flush()
        print_line("Ctrl-C stops them")
        sys.stdout.flush()
        while all(process.poll() is None for process in running):
            time.sleep(0.5)
        raise StepError(f"a server stopped by itself; its last lines are in {home.dagster}")
    except KeyboardInterrupt:
        return 0
    finally:
        stop(running)


def dagster_command(port: int) -> list[str]:
    """`dagster dev` on the project's workspace file."""
    workspace = PROJECT / "workspace.yaml"
    place = ["-w", str(workspace)] if workspace.exists() else ["-m", "xtitan_assets.definitions"]
    return [sys.executable, "-m", "dagster", "dev", *place, "-h", "127.0.0.1", "-p", str(port)]


def mlflow_command(home: Home, port: int) -> list[str]:
    """The tracking server that also serves bundles to a runner: one worker, artifacts under ``mlruns/artifacts``."""
    store = ["--backend-store-uri", home.mlflow_uri, "--artifacts-destination", str(home.mlruns / "artifacts")]
    bind = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    return [sys.executable, "-m", "mlflow", "server", *store, *bind]


def local_port(venue: str) -> int | None:
    """Port of a venue on this machine's loopback; None for any other venue."""
    url = urlsplit(venue)
    return url.port if url.hostname in {"127.0.0.1", "localhost"} else None


def exchange_command(port: int) -> list[str]:
    """A paper exchange in real time, so that any asset can be run from the UI."""
    program = str(Path(sys.executable).parent / "paper_exchange")
    return [program, "serve", "--port", str(port), "--market", "planted", "--speed", "real"]


def start(home: Home, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a server in its own process group, its output in a log beside the Dagster instance."""
    log = open(home.dagster / f"{name.lower()}.log", "ab")  # noqa: SIM115 - the child keeps it
    with log:
        return subprocess.Popen(command, cwd=home.root, stdout=log, stderr=log, start_new_session=True)


def listening(port: int) -> bool:
    """True when something accepts connections on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_listening(name: str, port: int, process: subprocess.Popen[bytes], home: Home) -> None:
    """Wait for a server to accept connections.

    Raises:
        StepError: it stopped, or takes longer than two minutes.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if listening(port):
            return
        time.sleep(0.2)
    raise StepError(f"{name} did not start; see {Path(home.dagster / f'{name.lower()}.log')}")


def stop(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Interrupt each process group and kill what does not end: Dagster's webserver can ignore SIGINT."""
    for process in running:
        signal_group(process, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            progress(f"process {process.pid} does not stop; killing it")
        signal_group(process, signal.SIGKILL)
        process.wait()


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a child's whole process group, which may be gone already."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
