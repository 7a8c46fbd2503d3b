"""Real programs for end-to-end tests."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

START = "2026-03-02T00:00:00Z"


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start ``paper_exchange serve`` from a given ``bin`` folder; returns its URL. Everything is stopped afterwards."""
    running: list[subprocess.Popen[str]] = []

    def start(binaries: Path, *arguments: str) -> str:
        process = subprocess.Popen(
            [str(binaries / "paper_exchange"), "serve", "--port", "0", "--speed", "lockstep", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if match := re.search(r"ready url=(\S+)", line):
                return match.group(1)
        raise AssertionError("the exchange ended before it was ready")

    yield start
    for process in running:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
