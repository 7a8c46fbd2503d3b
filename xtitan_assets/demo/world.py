"""One market of the demo with everything that runs on it: exchange, pipeline, runner. Real programs, real sockets."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from xtitan_assets.demo.processes import Child, ProcessFailedError, command, run
from xtitan_assets.demo.results import Bin
from xtitan_assets.workspace.paths import Home
from xtitan_core.journal import AnyRecord, read_journal

Show = Callable[[str], None]
TOKEN = "paper"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Deriv-App-ID": "xtitan-demo"}


@dataclass
class World:
    """A market, its exchange and its own data folder; MLflow, Dagster and keys are shared by all worlds.

    Attributes:
        name: for messages, for example ``fair``.
        symbol: what is traded.
        market: the exchange's ``--market``.
        seed: of the exchange and of training.
        days: whole days of history to train on.
        root: the demo's folder.
        registry: URL of the MLflow server.
        show: prints a progress line.
    """

    name: str
    symbol: str
    market: str
    seed: int
    days: int
    root: Path
    registry: str
    show: Show
    settings: list[str] = field(default_factory=list)
    url: str = ""
    _exchange: Child | None = None

    @property
    def folder(self) -> Path:
        return self.root / self.name

    @property
    def home(self) -> Home:
        return Home(self.root, self.folder / "data")

    @property
    def model_name(self) -> str:
        """The lineage: one registered model name per market."""
        return f"{self.symbol}-rise_fall-5t-{self.name}"

    @property
    def state(self) -> Path:
        """The runner's state folder."""
        return self.folder / "runner"

    # -- the exchange -------------------------------------------------------------------------------------------

    def open_exchange(self) -> None:
        """Start the exchange and learn its address."""
        arguments = [command("paper_exchange"), "serve", "--port", "0", "--speed", "lockstep"]
        arguments += ["--market", self.market, "--seed", str(self.seed), "--history-days", str(self.days)]
        if self.market.startswith("replay:"):
            arguments += ["--symbol", self.symbol]
        self._exchange = Child(f"paper_exchange ({self.name})", arguments, self.folder / "logs" / "exchange.log")
        self.url = self._exchange.wait_for(r"ready url=(\S+)").group(1)

    def close(self) -> None:
        """Stop the exchange."""
        if self._exchange is not None:
            self._exchange.stop()

    def truth(self) -> dict[str, Any]:
        """The exchange's own record: balances, every buy, every fault."""
        reply = httpx.get(f"{self.url}/paper/truth", headers=HEADERS, timeout=30, trust_env=False)
        reply.raise_for_status()
        return dict(reply.json())

    def hold_answer(self, nth: int) -> None:
        """Book the ``nth`` buy from now on, and never answer it."""
        reply = httpx.post(
            f"{self.url}/paper/faults",
            headers=HEADERS,
            json={"fault": "answer_held", "nth": nth},
            timeout=30,
            trust_env=False,
        )
        reply.raise_for_status()

    # -- the pipeline -------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every pipeline command of this world."""
        return {
            "XTITAN_HOME": str(self.root),
            "XTITAN_DATA": str(self.home.data),
            "XTITAN_PARAMS": str(self.root / "params.yaml"),
            "DAGSTER_HOME": str(self.home.dagster),
            "MLFLOW_TRACKING_URI": self.registry,
            "XTITAN_SET": ";".join(
                [
                    f"venue.url={self.url}",
                    f"data.symbol={self.symbol}",
                    f"data.days={self.days}",
                    f"train.seed={self.seed}",
                    f"registry.model_name={self.model_name}",
                    *self.settings,
                ]
            ),
        }

    def pipeline(self, job: str, *arguments: str, timeout: float = 400.0) -> None:
        """Run a Dagster job through the ``xtitan`` command, as a user or DVC would."""
        run(
            f"xtitan run {job} ({self.name})",
            [command("xtitan"), *(("run", job) if job != "promote" else ("promote",)), *arguments],
            self.folder / "logs" / f"{job}.log",
            self.environment,
            on_line=self._relay,
            timeout=timeout,
        )

    def _relay(self, line: str) -> None:
        if line.startswith("· "):
            self.show(f"{self.name:>8} {line}")

    def report(self, name: str) -> dict[str, Any]:
        """A report that the pipeline wrote."""
        return dict(json.loads((self.home.reports / f"{name}.json").read_text()))

    def reliability(self, *heads: str) -> list[Bin]:
        """Calibration bins of some heads on the test span."""
        with open(self.home.reports / "reliability.csv", newline="") as f:
            return [
                Bin(float(row["said"]), float(row["happened"]), int(row["n"]))
                for row in csv.DictReader(f)
                if row["head"] in heads
            ]

    # -- the runner ---------------------------------------------------------------------------------------------

    def runner(self, *arguments: str) -> Child:
        """Start ``live_runner start`` on this world's account."""
        return Child(
            f"live_runner ({self.name})",
            [
                command("live_runner"),
                "start",
                *("--venue", self.url, "--symbol", self.symbol, "--model", self.model_name),
                *("--registry", self.registry, "--public-key", str(self.home.keys / "signing.pub")),
                *("--state", str(self.state), "--journal", str(self.home.journal)),
                *arguments,
            ],
            self.folder / "logs" / "runner.log",
            {"XTITAN_TOKEN": TOKEN},
        )

    def journal(self) -> list[AnyRecord]:
        """Everything the runner wrote, chain verified."""
        return [record for segment in read_journal(self.home.journal) for record in segment.records]

    def run_runner(self, *arguments: str, timeout: float = 300.0) -> None:
        """Run the runner until it ends by itself."""
        child = self.runner(*arguments)
        try:
            child.wait(timeout)
        finally:
            child.kill()

    def runner_status(self) -> dict[str, Any]:
        """``live_runner status --json`` of the stopped runner, read from its files."""
        lines = run(
            "live_runner status",
            [command("live_runner"), "status", "--json", "--state", str(self.state)],
            self.folder / "logs" / "status.log",
        )
        return dict(json.loads("\n".join(lines)))

    def kill_between_send_and_answer(self, after: int, timeout: float = 240.0) -> dict[str, Any]:
        """Let the runner trade, hold the answer of its ``after``-th buy, and kill it with SIGKILL right there.

        Returns:
            The exchange's own row of the buy whose answer never left.

        Raises:
            ProcessFailedError: when the runner ends by itself before that.
        """
        self.hold_answer(after)
        child = self.runner("--stop-after-trades", str(after + 1_000))
        deadline = time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                held = [buy for buy in self.truth()["buys"] if not buy["answered"]]
                if held:
                    return dict(held[0])
                if not child.running:
                    child.wait(1)
                    raise ProcessFailedError(f"the runner stopped before its buy was held; see {child.log}")
                time.sleep(0.05)
            raise ProcessFailedError(f"no buy was held within {timeout:.0f} s; see {child.log}")
        finally:
            child.kill()
