"""`xtitan ui`: all servers answer on loopback, Ctrl-C stops them, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from xtitan_assets.cli import main


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def group_members(leader: int) -> list[str]:
    """Command lines of the processes that descend from ``leader``, by session or parent."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found, frontier = [], [leader]
    while frontier:
        parent = frontier.pop()
        children = [pid for pid, owner in parents.items() if owner == parent]
        found += children
        frontier += children
    return [str(pid) for pid in found]


def test_a_taken_port_is_named(workspace: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    workspace("http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["ui", "--mlflow-port", str(port), "--dagster-port", str(free_ports(1)[0])]) == 1
    assert f"port {port} is taken" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_everything_comes_up_and_ctrl_c_stops_everything(workspace: Callable) -> None:
    dagster_port, mlflow_port, venue_port = free_ports(3)
    space = workspace(f"http://127.0.0.1:{venue_port}")
    ports = ["--dagster-port", str(dagster_port), "--mlflow-port", str(mlflow_port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "xtitan_assets.cli", "ui", *ports, "--home", str(space.home.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Ctrl-C"):
                break
        assert lines == [
            f"Dagster: http://127.0.0.1:{dagster_port}",
            f"MLflow: http://127.0.0.1:{mlflow_port}",
            f"Exchange: http://127.0.0.1:{venue_port}",
            "Ctrl-C stops them",
        ], process.stderr.read() if process.stderr and process.poll() is not None else lines
        query = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"}
        deadline = time.monotonic() + 120
        names: list[str] = []
        while not names and time.monotonic() < deadline:
            answer = httpx.post(f"http://127.0.0.1:{dagster_port}/graphql", json=query, timeout=60, trust_env=False)
            nodes = answer.json()["data"]["repositoriesOrError"].get("nodes", [])
            names = [node["location"]["name"] for node in nodes]
            time.sleep(0.5)
        assert names == ["xtitan"]
        health = httpx.get(f"http://127.0.0.1:{mlflow_port}/health", timeout=30, trust_env=False)
        assert health.status_code == 200
        assert httpx.get(f"http://127.0.0.1:{venue_port}/v1/health", timeout=30, trust_env=False).text == "OK"
        children = group_members(process.pid)
        assert children
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        deadline = time.monotonic() + 10
        while any(Path("/proc", pid).exists() for pid in children) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [pid for pid in children if Path("/proc", pid).exists()] == []
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
