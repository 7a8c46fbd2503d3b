"""A served exchange in a process of its own, for drills that need real sockets."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.memory import resident

HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}
ACCOUNT = "DOT90000001"


@dataclass(frozen=True)
class Served:
    """A running exchange.

    Attributes:
        url: its REST base.
        pid: its process.
    """

    url: str
    pid: int

    @property
    def public(self) -> str:
        """The public websocket's address."""
        return self.url.replace("http:", "ws:") + "/trading/v1/options/ws/public"

    def otp(self) -> str:
        """A websocket address of the account's that works once."""
        path = f"{self.url}/trading/v1/options/accounts/{ACCOUNT}/otp"
        answer = httpx.post(path, headers=HEADERS, trust_env=False)
        return str(answer.raise_for_status().json()["data"]["url"])

    def truth(self) -> dict[str, Any]:
        """The exchange's own record of what happened so far."""
        return dict(httpx.get(f"{self.url}/paper/truth", headers=HEADERS, trust_env=False).json())

    def memory(self) -> float:
        """Resident memory of the process in MiB."""
        return resident(self.pid)


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[Served]:
    """``paper_exchange serve`` on a free port until the block ends."""
    command = [sys.executable, "-m", "paper_exchange", "serve", "--port", "0", "--json", "--log-level", "error"]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield Served(json.loads(process.stdout.readline())["url"], process.pid)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
