"""What a person gets wrong, on the real programs: one clear line that says what to do, a non-zero exit, nothing lost."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.records import manifest, training
from xtitan_assets.steps.ingest.ticks import midnight, read_day, tick_path, write_day
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle.keys import generate, load_private
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.signature import sign
from xtitan_core.bundle.verification import read_files
from xtitan_core.bundle.writing import write_bundle
from xtitan_core.clock import DAY
from xtitan_core.features.spec import DEFAULT_SPEC
from xtitan_core.journal import SessionRecord, read_journal

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
START = 1_772_409_600
"""2026-03-02T00:00:00Z, where the paper exchange's time begins."""
NOWHERE = "http://127.0.0.1:1"
CONFIG = 78
pytestmark = pytest.mark.slow

Exchange = Callable[..., str]


def environment(**more: str) -> dict[str, str]:
    """This process's environment without the project's own variables."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XTITAN_", "DAGSTER_", "MLFLOW_"))}
    return {**kept, **more}


def run(program: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / program), *map(str, arguments)]
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, timeout=60, check=False
    )


def one_line(code: int, stderr: str, *words: str, expected: int = 1) -> str:
    """Check that a program ended as it should on bad input; returns its error line."""
    lines = stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert code == expected, stderr
    assert len(errors) == 1, stderr
    assert lines[-1] == errors[0], "something follows the error"
    assert "Traceback" not in stderr
    assert ";" in errors[0], "it says what is wrong but not what to do"
    for word in words:
        assert word in errors[0]
    return errors[0]


def refused(program: str, *arguments: object, words: tuple[str, ...] = (), code: int = 1, **variables: str) -> str:
    result = run(program, *arguments, **variables)
    assert result.stdout == ""
    return one_line(result.returncode, result.stderr, *words, expected=code)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class TestTheRunnersConfiguration:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("symbol = = 1", ("not TOML", "line 1")),
            ("colour = 1", ("colour", "spelling")),
            ("shadow_stake_cents = -5", ("shadow_stake_cents", "greater than")),
            ("min_edge = nan", ("min_edge", "finite")),
        ],
    )
    def test_a_file_with_a_mistake_names_it(self, tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
        file = tmp_path / "runner.toml"
        file.write_text(text)
        refused("live_runner", "start", "--config", file, words=("runner.toml", *words), code=CONFIG)
        assert contents(tmp_path) == {"runner.toml": text.encode()}

    def test_a_folder_instead_of_a_file(self, tmp_path: Path) -> None:
        refused("live_runner", "start", "--config", tmp_path, words=("directory",), code=CONFIG)

    def test_real_money_cannot_be_armed(self) -> None:
        refused("live_runner", "start", "--environment", "real", words=("real", "paper or demo"), code=CONFIG)


class TestTheVenue:
    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        state = ("--state", tmp_path / "state", "--journal", tmp_path / "journal")
        refused("live_runner", "start", "--venue", NOWHERE, *state, words=(NOWHERE, "start the exchange"))
        assert contents(tmp_path) == {}

    def test_what_it_does_not_have_and_who_else_is_there(self, exchange: Exchange, tmp_path: Path) -> None:
        url = exchange(BIN, "--history-days", "2")
        folders = ("--state", tmp_path / "state", "--journal", tmp_path / "journal")
        start = ("start", "--venue", url, *folders, "--log-level", "warning")
        refused("live_runner", *start, words=("refused the token", "XTITAN_TOKEN"), XTITAN_TOKEN="wrong")
        refused("live_runner", *start, "--symbol", "R_101", words=("R_101", "choose one of", "R_100"))
        refused("live_runner", *start, "--symbol", "PLANTED_100", words=("at this venue", "R_100"))
        key = generate(tmp_path / "keys" / "signing")
        registry = ("--registry", tmp_path / "gone", "--model", "m", "--public-key", key)
        refused("live_runner", *start, *registry, words=("no such folder", "--registry"), code=CONFIG)
        taken = url.rpartition(":")[2]
        refused("paper_exchange", "serve", "--port", taken, words=("in use", "--port"))

        first = subprocess.Popen(
            [BIN / "live_runner", *map(str, start), "--log-level", "info"], stderr=subprocess.PIPE, text=True
        )
        assert first.stderr is not None
        assert any("connected to" in line for line in first.stderr)
        first.send_signal(signal.SIGSTOP)  # in lockstep it would take all the time there is
        refused("live_runner", *start, words=("another runner", "stop it first"))
        other_state = (*start, "--state", tmp_path / "other")
        refused("live_runner", *other_state, words=("journal", "another runner", "stop it first"))
        first.send_signal(signal.SIGTERM)
        first.send_signal(signal.SIGCONT)
        assert first.wait(30) == 0, "the first runner did not notice"
        first.stderr.close()

    def test_a_registry_that_is_down_does_not_keep_the_runner_from_watching(
        self, exchange: Exchange, tmp_path: Path
    ) -> None:
        url = exchange(BIN, "--history-days", "2")
        key = generate(tmp_path / "keys" / "signing")
        result = run(
            "live_runner",
            *("start", "--venue", url, "--registry", NOWHERE, "--model", "m", "--public-key", key),
            *("--state", tmp_path / "state", "--journal", tmp_path / "journal", "--stop-after-slots", "3"),
        )
        assert result.returncode == 0, result.stderr
        assert f"registry {NOWHERE} cannot be reached" in result.stderr

    def test_a_recording_that_ends(self, exchange: Exchange, tmp_path: Path) -> None:
        recording = tmp_path / "ticks.csv"
        rows = [f"{START + 2 * i},{100 + (7 * i % 13) / 100:.2f}" for i in range(60)]
        recording.write_text("\n".join(["epoch,quote", *rows]) + "\n")
        url = exchange(BIN, "--history-days", "2", "--market", f"replay:{recording}")
        start = ("start", "--venue", url, "--state", tmp_path / "state", "--journal", tmp_path / "journal")
        during = run("live_runner", *start, "--stop-after-slots", "1000")
        one_line(during.returncode, during.stderr, "market of R_100 is closed")
        refused("live_runner", *start, "--log-level", "warning", words=("closed", "start again"))
        sealed = [record for segment in read_journal(tmp_path / "journal") for record in segment.records]
        assert any(isinstance(record, SessionRecord) for record in sealed)

    def test_another_session_of_the_exchange_on_the_same_journal(self, exchange: Exchange, tmp_path: Path) -> None:
        folders = ("--state", tmp_path / "state", "--journal", tmp_path / "journal")
        later = exchange(BIN, "--history-days", "2", "--start", "2026-03-04T00:00:00Z")
        assert run("live_runner", "start", "--venue", later, *folders, "--stop-after-slots", "3").returncode == 0
        earlier = exchange(BIN, "--history-days", "2")
        before = contents(tmp_path / "journal")
        result = run("live_runner", "start", "--venue", earlier, *folders)
        one_line(result.returncode, result.stderr, "another exchange session", "state folder")
        assert {name: contents(tmp_path / "journal")[name] for name in before} == before

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("epoch,price\n1772000000,1\n", ("epoch,price", "epoch,quote")),
            ("epoch,quote\n1772000002,1\n1772000000,1\n", ("line 3", "increase")),
            ("epoch,quote\n1772000000000,1\n1772000002000,1\n", ("line 2", "seconds")),
            ("epoch,quote\n4102444000,1\n4102444002,1\n", ("less than 90 days ago",)),
        ],
    )
    def test_a_replay_file_that_cannot_be_played(self, tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
        file = tmp_path / "ticks.csv"
        file.write_text(text)
        refused("paper_exchange", "serve", "--port", "0", "--market", f"replay:{file}", words=words)


class TestARunnerThatIsNotThere:
    def test_is_said_and_nothing_is_made(self, tmp_path: Path) -> None:
        refused("live_runner", "halt", "--state", tmp_path / "state", words=("no runner", "--state"))
        assert contents(tmp_path) == {}

    def test_halting_works_with_damaged_files(self, tmp_path: Path) -> None:
        (tmp_path / "runner.json").write_text("{")
        assert run("live_runner", "halt", "--state", tmp_path).returncode == 0
        refused("live_runner", "status", "--state", tmp_path, words=("runner.json", "start the runner"))


def honest_manifest(**changes: Any) -> Manifest:
    trained = training(START, first_epoch=START - DAY, last_epoch=START - 7_200)
    return manifest(START - 3_600, **{"expires_epoch": START + DAY, "training": trained, **changes})


class TestABundle:
    """The model's bytes are no model: a bundle that gets so far that they are loaded was accepted."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        generate(tmp_path / "keys" / "signing")
        spec = DEFAULT_SPEC
        golden = {
            "ticks": np.zeros((1, spec.tick_window), np.float32),
            "candles": np.zeros((1, spec.bar_window, len(spec.indicators)), np.float32),
            "rise_fall": np.zeros((1, 2), np.float32),
        }
        private = load_private(tmp_path / "keys" / "signing")
        write_bundle(tmp_path / "bundle", honest_manifest(), b"no model", golden, private)
        return tmp_path / "bundle"

    def check(self, folder: Path, *words: str, key: Path | None = None, at: int = START) -> None:
        before = contents(folder)
        key = key or folder.parent / "keys" / "signing.pub"
        refused("live_runner", "verify", folder, "--public-key", key, "--at", at, words=words)
        assert contents(folder) == before

    def test_expired(self, folder: Path) -> None:
        self.check(folder, "expired", "register a new one", at=START + 90_000)

    def test_of_somebody_else(self, folder: Path, tmp_path: Path) -> None:
        self.check(folder, "not one of ours", "public key", key=generate(tmp_path / "foreign" / "key"))

    def test_truncated(self, folder: Path) -> None:
        (folder / "model.onnx").write_bytes(b"no m")
        self.check(folder, "model.onnx", "not the file that was signed")

    def test_of_other_features(self, folder: Path) -> None:
        self.sign_again(folder, feature_sha256="0" * 64)
        self.check(folder, "other features", "train it again")

    def test_that_the_registry_names_stops_the_start(self, folder: Path, exchange: Exchange, tmp_path: Path) -> None:
        bundle_id = self.sign_again(folder, expires_epoch=START - 1)
        release = tmp_path / "releases" / "m"
        release.mkdir(parents=True)
        folder.rename(release / "bundle")
        pointer = f'{{"version": "7", "manifest_sha256": "{bundle_id}", "bundle": "bundle"}}'
        (release / "champion.json").write_text(pointer)
        url = exchange(BIN, "--history-days", "2")
        refused(
            "live_runner",
            *("start", "--venue", url, "--state", tmp_path / "state", "--journal", tmp_path / "journal"),
            *("--registry", release.parent, "--model", "m", "--public-key", tmp_path / "keys" / "signing.pub"),
            *("--log-level", "warning"),
            words=("champion version 7 refused", "expired", "register a new one"),
        )

    @staticmethod
    def sign_again(folder: Path, **changes: object) -> str:
        """What a careless or newer signer would make; our own refuses to write it."""
        manifest = Manifest.model_validate_json(read_files(folder)["manifest.json"]).model_copy(update=changes)
        document = manifest.canonical_bytes()
        (folder / "manifest.json").write_bytes(document)
        private = load_private(folder.parent / "keys" / "signing")
        (folder / "manifest.sig").write_bytes(sign(document, private))
        return hashlib.sha256(document).hexdigest()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace with parameters and nothing else."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "params.yaml").write_text(f"venue: {{url: {NOWHERE}}}\ndata: {{symbol: R_100, days: 2}}\n")
    return folder


class TestParameters:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("train: {epochs: many}", ("train.epochs", "integer")),
            ("train: {epoch: 3}", ("train.epoch", "spelling")),
            ("train: 5\n", ("train", "int")),
            ("train: [", ("not YAML",)),
        ],
    )
    def test_that_are_wrong(self, home: Path, text: str, words: tuple[str, ...]) -> None:
        (home / "params.yaml").write_text(text)
        refused("xtitan", "run", "train", "--home", home, "--set", "train.width=8", words=("params.yaml", *words))
        assert contents(home) == {"params.yaml": text.encode()}

    @pytest.mark.parametrize("text", ["train.epochs", "train.epochs=[1", "train.learning_rate=.nan"])
    def test_that_are_overridden_wrongly(self, home: Path, text: str) -> None:
        refused("xtitan", "run", "train", "--home", home, words=("override",), XTITAN_SET=text)

    def test_that_are_not_there(self, home: Path) -> None:
        (home / "params.yaml").unlink()
        refused("xtitan", "run", "train", "--home", home, words=("params.yaml", "project's root"))


class TestThePipeline:
    def test_without_an_exchange(self, home: Path) -> None:
        refused("xtitan", "run", "ingest", "--home", home, words=(NOWHERE, "paper_exchange serve"))

    def test_with_nowhere_to_write(self, home: Path) -> None:
        blocked = home / "params.yaml" / "below-a-file"
        result = run("xtitan", "run", "train", "--home", home, DAGSTER_HOME=str(blocked))
        one_line(result.returncode, result.stderr, str(blocked), "permissions")

    def test_with_a_damaged_dagster_instance(self, home: Path) -> None:
        (home / ".dagster").mkdir()
        (home / ".dagster" / "dagster.yaml").write_text("storage: [")
        refused("xtitan", "run", "train", "--home", home, words=(".dagster", "move it away"))

    def test_with_broken_parquet(self, home: Path) -> None:
        space, days = Home(home, home / "data"), [date(2026, 2, 28), date(2026, 3, 1)]
        for day in days:
            epochs = np.arange(midnight(day), midnight(day) + 86_400, 2, dtype=np.int64)
            write_day(space, "R_100", day, epochs, np.full(len(epochs), 100.0), {})
        path = tick_path(space, "R_100", days[-1])
        path.write_bytes(path.read_bytes()[:5_000])
        before = contents(space.ticks)
        result = run("xtitan", "run", "prepare", "--home", home)
        one_line(result.returncode, result.stderr, "date=2026-03-01.parquet", "broken parquet", "xtitan run ingest")
        assert contents(space.ticks) == before

    def test_interrupted_and_run_twice_at_once(self, home: Path, exchange: Exchange) -> None:
        settings = {"XTITAN_SET": f"venue.url={exchange(BIN, '--history-days', '2')}"}
        command = [str(BIN / "xtitan"), "run", "ingest", "--home", str(home)]
        first = subprocess.Popen(command, env=environment(**settings), stderr=subprocess.PIPE, text=True)
        assert first.stderr is not None
        assert any("ticks_raw: R_100 2026-02-28" in line for line in first.stderr)
        first.send_signal(signal.SIGSTOP)
        refused("xtitan", "run", "train", "--home", home, words=("in use", str(first.pid), "wait for it"))
        first.send_signal(signal.SIGINT)
        first.send_signal(signal.SIGCONT)
        rest = first.stderr.read()
        first.stderr.close()
        one_line(first.wait(30), rest, "interrupted", "run it again")
        stored = contents(home / "data" / "raw" / "ticks")
        assert sorted(Path(name).name for name in stored) == ["date=2026-02-28.json", "date=2026-02-28.parquet"]
        assert len(read_day(Home(home, home / "data"), "R_100", date(2026, 2, 28))[0]) == 43_200

    def test_with_damaged_records(self, home: Path) -> None:
        (home / "data" / "ledger").mkdir(parents=True)
        (home / "data" / "ledger" / "promotions.jsonl").write_text('{"sequence": 1}\n')
        (home / "data" / "reports").mkdir()
        (home / "data" / "reports" / "certificate.json").write_text("{")
        before = contents(home)
        refused("xtitan", "ledger", "--home", home, words=("line 1", "backup"))
        refused("xtitan", "certificate", "--home", home, words=("certificate.json", "backup"))
        assert contents(home) == before

    def test_ui_ports(self, home: Path) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = other.getsockname()[1]
            refused("xtitan", "ui", "--home", home, "--mlflow-port", taken, words=("taken", "--mlflow-port"))


class TestTheDemo:
    def test_empties_no_folder_but_its_own(self, home: Path) -> None:
        before = contents(home)
        refused(
            "xtitan",
            "demo",
            "--home",
            home,
            words=("not made by the demo", "--home"),
            XTITAN_PARAMS=str(home / "params.yaml"),
        )
        assert contents(home) == before

    def test_leaves_a_running_demo_alone(self, tmp_path: Path, home: Path) -> None:
        marker = tmp_path / "demo" / ".made-by-xtitan-demo"
        marker.parent.mkdir()
        (tmp_path / "demo" / "result").touch()
        with open(marker, "wb") as running:
            fcntl.flock(running, fcntl.LOCK_EX)
            parameters = str(home / "params.yaml")
            refused("xtitan", "demo", "--home", marker.parent, words=("another demo", "wait"), XTITAN_PARAMS=parameters)
        assert (tmp_path / "demo" / "result").exists()

    def test_needs_a_recording_it_can_read(self, tmp_path: Path) -> None:
        options = ("demo", "--market", "recorded", "--home", tmp_path / "demo", "--file")
        refused("xtitan", *options, tmp_path / "gone.csv", words=("gone.csv", "--file"))
        (tmp_path / "bad.parquet").write_bytes(b"PAR1")
        refused("xtitan", *options, tmp_path / "bad.parquet", words=("bad.parquet", "another file"))
        assert not (tmp_path / "demo").exists()
