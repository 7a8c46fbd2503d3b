"""Fixtures of the runner's tests: real signed bundles around a small real ONNX model, a real exchange, a real runner."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime as ort
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper

from live_runner.cli import main
from support.desk import desk, folder, new_venue, open_desk, order, venue
from support.records import manifest, training
from xtitan_core.bundle.keys import generate, load_private
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.writing import write_bundle
from xtitan_core.clock import DAY
from xtitan_core.features.spec import DEFAULT_SPEC, FeatureSpec
from xtitan_core.features.stream import FeatureStream
from xtitan_core.randomness import stream
from xtitan_core.symbols import PLANTED_SYMBOL, symbol

__all__ = ["desk", "folder", "new_venue", "open_desk", "order", "venue"]

START = 1_772_409_600
"""Where the paper exchange's time begins."""
MODEL = "test-rise_fall-5t"
BIN = Path(sys.executable).parent
HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "tests"}


def momentum_weight(name: str = PLANTED_SYMBOL, phi: float = 0.75) -> float:
    """Logit per unit of the last log return: the best rule's normal probability, seen through a logistic."""
    m = sum(phi ** (1 + j) for j in range(1, 6))
    variance = 5 + 2 * sum((5 - lag) * phi**lag for lag in range(1, 5))
    return 1.6 * m / math.sqrt(variance - m * m) / symbol(name).tick_sigma


def onnx_model(weight: float, spec: FeatureSpec = DEFAULT_SPEC) -> bytes:
    """``rise_fall = (w * last return, -w * last return)``; candles enter with weight zero."""
    shape = ["N", spec.bar_window, len(spec.indicators)]
    nodes = [
        helper.make_node("Slice", ["ticks", "first", "last", "axis"], ["newest"]),
        helper.make_node("MatMul", ["newest", "weights"], ["logits"]),
        helper.make_node("ReduceMean", ["candles"], ["level"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["level", "zero"], ["nothing"]),
        helper.make_node("Unsqueeze", ["nothing", "axis"], ["column"]),
        helper.make_node("Add", ["logits", "column"], ["rise_fall"]),
    ]
    n = spec.tick_window
    constants = [
        helper.make_tensor("first", TensorProto.INT64, [1], [n - 1]),
        helper.make_tensor("last", TensorProto.INT64, [1], [n]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("weights", TensorProto.FLOAT, [1, 2], [weight, -weight]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    ]
    graph = helper.make_graph(
        nodes,
        "momentum",
        [
            helper.make_tensor_value_info("ticks", TensorProto.FLOAT, ["N", n]),
            helper.make_tensor_value_info("candles", TensorProto.FLOAT, shape),
        ],
        [helper.make_tensor_value_info("rise_fall", TensorProto.FLOAT, ["N", 2])],
        constants,
    )
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    )


@dataclass
class Releases:
    """A release folder with its signing key.

    Attributes:
        folder: what ``--registry`` takes.
        public_key: what ``--public-key`` takes.
    """

    folder: Path
    private: Ed25519PrivateKey
    public_key: Path
    sequence: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def bundle(self, weight: float | None = None, *, target: Path | None = None, **changes: Any) -> str:
        """Write a bundle; returns its id. ``changes`` replace fields of the manifest."""
        self.sequence += 1
        weight = momentum_weight() if weight is None else weight
        spec: FeatureSpec = changes.pop("spec", DEFAULT_SPEC)
        model: bytes = changes.pop("model", onnx_model(weight, spec))
        rng = stream(self.sequence, "golden")
        golden = {
            "ticks": rng.normal(0, 2.5e-4, (8, spec.tick_window)).astype(np.float32),
            "candles": rng.normal(size=(8, spec.bar_window, len(spec.indicators))).astype(np.float32),
        }
        outputs = ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(["rise_fall"], golden)
        golden["rise_fall"] = changes.pop("expected", outputs[0])
        bundle_id = write_bundle(
            target or self.folder / MODEL / "new", self.manifest(spec, **changes), model, golden, self.private
        )
        if target is None:
            self.versions[bundle_id] = str(self.sequence)
            (self.folder / MODEL / "new").rename(self.folder / MODEL / bundle_id)
        return bundle_id

    def manifest(self, spec: FeatureSpec = DEFAULT_SPEC, **changes: Any) -> Manifest:
        """An honest manifest of a rise/fall model on both R_100 and the planted symbol."""
        fields: dict[str, Any] = {
            "model_name": MODEL,
            "sequence": self.sequence,
            "expires_epoch": START + 30 * DAY,
            "feature_spec": spec.to_dict(),
            "feature_sha256": spec.sha256,
            "symbols": ("R_100", PLANTED_SYMBOL),
            "training": training(START, first_epoch=START - DAY, last_epoch=START - 7_200),
        }
        return manifest(START - 3_600, **{**fields, **changes})

    def point(self, alias: str, bundle_id: str | None) -> None:
        """Set an alias, or remove it with None."""
        path = self.folder / MODEL / f"{alias}.json"
        if bundle_id is None:
            path.unlink()
            return
        body = {"version": self.versions[bundle_id], "manifest_sha256": bundle_id, "bundle": bundle_id}
        path.write_text(json.dumps(body))


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    private = tmp_path / "keys" / "signing"
    public = generate(private)
    folder = tmp_path / "releases"
    (folder / MODEL).mkdir(parents=True)
    return Releases(folder, load_private(private), public)


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
