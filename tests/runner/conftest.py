"""Fixtures of the runner's tests: a release folder, real exchanges, real runners, and time to wait for what happens."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from support.desk import desk, folder, new_venue, open_desk, order, venue
from support.release_folder import MODEL, START, Releases
from support.runner_host import BIN, Exchange, Host
from xtitan_core.bundle.keys import generate, load_private
from xtitan_core.features.spec import FeatureSpec
from xtitan_core.features.stream import FeatureStream
from xtitan_core.randomness import stream

__all__ = ["desk", "folder", "new_venue", "open_desk", "order", "venue"]


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    private = tmp_path / "keys" / "signing"
    public = generate(private)
    folder = tmp_path / "releases"
    (folder / MODEL).mkdir(parents=True)
    return Releases(folder, load_private(private), public)


@pytest.fixture
def exchange() -> Iterator[Callable[..., Exchange]]:
    """Starts exchanges; stops them afterwards."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, market: str = "planted", seed: int = 5) -> Exchange:
        process = subprocess.Popen(
            [BIN / "paper_exchange", "serve", "--port", "0", "--market", market, "--seed", str(seed), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        ready = re.search(r"ready url=(\S+)", process.stdout.readline())
        assert ready is not None
        return Exchange(ready.group(1), process)

    yield start
    codes = []
    for process in running:
        process.terminate()
        codes.append(process.wait(20))
        assert process.stdout is not None
        process.stdout.close()
    assert not any(codes), f"an exchange ended with {codes}"


@pytest.fixture
def host(tmp_path: Path, releases: Releases) -> Iterator[Host]:
    made = Host(tmp_path / "host", releases)
    yield made
    for runner in made.started:
        if runner.process.poll() is None:
            runner.process.send_signal(signal.SIGKILL)
            runner.end()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Poll until something holds, up to a bound."""

    def wait(condition: Callable[[], bool], timeout: float = 40.0) -> None:
        for _ in range(int(timeout / 0.05)):
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError("it did not happen in time")

    return wait


@pytest.fixture(scope="session")
def warm_stream() -> Callable[[], FeatureStream]:
    """Feature streams warmed up to 600 s after a UTC midnight on a random walk; each call makes a new one."""
    spec = FeatureSpec(bar_window=8, anchor_bars=140)
    first, last = START - 160 * 60, START + 600
    steps = stream(11, "walk").normal(0, 2.5e-4, (last - first) // 2 + 1)
    quotes = np.round(640 * np.exp(np.cumsum(steps)), 2)

    def make() -> FeatureStream:
        features = FeatureStream(spec)
        features.extend(zip(range(first, last + 1, 2), quotes.tolist(), strict=True))
        return features

    return make
