"""A paper exchange and runners as processes of their own, and the folders of a trading host."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from live_runner.cli import main
from support.release_folder import MODEL, Releases
from xtitan_core.symbols import PLANTED_SYMBOL

BIN = Path(sys.executable).parent
HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "tests"}


@dataclass
class Exchange:
    """A running paper exchange in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def truth(self) -> dict[str, Any]:
        """What the exchange itself knows."""
        reply = httpx.get(f"{self.url}/paper/truth", headers=HEADERS, timeout=30, trust_env=False)
        reply.raise_for_status()
        return dict(reply.json())

    def balance_cents(self, account: str = "DOT90000001") -> int:
        """The account's cash by the exchange's own books."""
        (balance,) = [a["balance"] for a in self.truth()["accounts"] if a["account_id"] == account]
        return int(balance.replace(".", ""))

    def hold_answer(self, nth: int) -> None:
        """Book the ``nth`` buy from now on and never answer it."""
        body = {"fault": "answer_held", "nth": nth}
        httpx.post(
            f"{self.url}/paper/faults", headers=HEADERS, json=body, timeout=30, trust_env=False
        ).raise_for_status()


@dataclass
class Ended:
    """A runner that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The JSON it printed."""
        assert self.code == 0, self.stderr
        return dict(json.loads(self.stdout))


class RunningRunner:
    """A ``live_runner`` process."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [BIN / "live_runner", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._err: list[str] = []
        self._seen = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._seen:
                self._err.append(line)
                self._seen.notify_all()

    def wait_for_log(self, text: str, timeout: float = 40.0) -> None:
        """Wait until a log line contains ``text``."""
        with self._seen:
            found = self._seen.wait_for(lambda: any(text in line for line in self._err), timeout)
        assert found, f"{text!r} not logged: {''.join(self._err)}"

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.end()

    def end(self, timeout: float = 60.0) -> Ended:
        """Wait for the end."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the runner did not end: {''.join(self._err)}") from None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        stdout = self.process.stdout.read()
        self._reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        return Ended(code, stdout, "".join(self._err))


@dataclass
class Host:
    """A trading host's folders, and the command line on them."""

    folder: Path
    releases: Releases
    started: list[RunningRunner] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def start(self, exchange: Exchange | str, *arguments: str, symbol: str = PLANTED_SYMBOL) -> RunningRunner:
        """``live_runner start`` on this host."""
        runner = RunningRunner(self._start(exchange, *arguments, symbol=symbol))
        self.started.append(runner)
        return runner

    def _start(self, exchange: Exchange | str, *arguments: str, symbol: str = PLANTED_SYMBOL) -> list[str]:
        url = exchange if isinstance(exchange, str) else exchange.url
        return [
            *("start", "--json", "--venue", url, "--symbol", symbol, "--model", MODEL),
            *("--registry", str(self.releases.folder), "--public-key", str(self.releases.public_key)),
            *("--state", str(self.state), "--journal", str(self.journal), *arguments),
        ]

    def run(self, exchange: Exchange | str, *arguments: str, **more: Any) -> Ended:
        """A session that ends by itself."""
        return self.start(exchange, *arguments, **more).end()

    def refused(self, exchange: Exchange | str, *arguments: str, **more: Any) -> Ended:
        """A start that fails at once, in this process: importing everything again would be most of its time."""
        return self.command(*self._start(exchange, *arguments, **more))

    def command(self, *arguments: str) -> Ended:
        """Any short command, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
        return Ended(code, out.getvalue(), err.getvalue())

    def status(self) -> dict[str, Any]:
        """``live_runner status --json``."""
        return self.command("status", "--json", "--state", str(self.state)).summary
