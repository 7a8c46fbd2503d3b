"""The command line: the ready line, clean ends, and one clear line for whatever is wrong."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from paper_exchange.cli import INTERRUPTED, main, parser
from paper_exchange.errors import ExchangeError
from paper_exchange.markets.oracles import momentum_win_rate
from paper_exchange.markets.plant import DEFAULT_PHI

COMMAND = [sys.executable, "-m", "paper_exchange", "serve", "--port", "0"]


def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_ready_line_and_a_clean_stop(stop: signal.Signals) -> None:
    process, line = started("--market", "planted", "--seed", "7")
    try:
        words = line.split()
        assert words[:2] == ["paper_exchange", "ready"]
        facts = dict(word.split("=", 1) for word in words[2:])
        assert (facts["market"], facts["seed"], facts["speed"], facts["now"]) == (
            "planted",
            "7",
            "lockstep",
            "1772409600",
        )
        assert httpx.get(facts["url"] + "/v1/health", trust_env=False, verify=False).text == "OK"
        process.send_signal(stop)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (0, "", "")


def test_ready_line_as_json_and_a_scripted_fault() -> None:
    process, line = started("--json", "--speed", "20", "--fault", "answer_held:nth=2", "--start", "2026-02-01")
    process.terminate()
    process.communicate(timeout=10)
    facts = json.loads(line)
    assert (facts["speed"], facts["now"]) == ("20", 1_769_904_000)


def test_one_time_passwords_never_reach_the_log() -> None:
    process, line = started("--log-level", "debug")
    try:
        url = line.split("url=")[1].split()[0]
        headers = {"Authorization": "Bearer paper", "Deriv-App-ID": "1"}
        path = f"{url}/trading/v1/options/accounts/DOT90000001/otp"
        grant = httpx.post(path, headers=headers, trust_env=False, verify=False).json()["data"]["url"]
        with connect(grant, proxy=None) as socket:
            socket.send('{"ping":1}')
            assert "pong" in str(socket.recv(5))
        with pytest.raises(InvalidStatus):
            connect(grant, proxy=None)
    finally:
        process.terminate()
        _, err = process.communicate(timeout=10)
    assert "DEBUG" in err or "INFO" in err
    assert "otp=" not in err
    assert grant.split("otp=")[1] not in err
    assert "ERROR" not in err


def refused(capsys: Any, *arguments: str) -> str:
    assert main(["serve", "--port", "0", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return str(captured.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--market", "rigged"], "choose fair, planted or replay:FILE"),
        (["--market", "replay:"], "choose fair, planted or replay:FILE"),
        (["--market", "replay:/nowhere.csv"], "cannot read the recording"),
        (["--history-days", "0"], "--history-days"),
        (["--start", "2099-01-01"], "less than 90 days ago"),
        (["--commission", "0.5"], "commission"),
        (["--account", "CR1"], "no account name"),
        (["--account", "DOT90000002"], "no account name"),
        (["--fault", "answer_held:2"], "is not NAME"),
        (["--fault", "explode"], "unknown fault"),
        (["--fault-script", "/nowhere.jsonl"], "cannot read"),
        (["--fault-seed", "1", "--fault-rate", "0"], "fault rate"),
        (["--fault-only", "drop"], "no --fault-seed"),
        (["--fault-rate", "0.1"], "no --fault-seed"),
        (
            ["--fault-seed", "1", "--fault-only", "foo"],
            "--fault-only 'foo' names an unknown fault; choose from request_lost",
        ),
        (["--host", "203.0.113.1"], "cannot listen"),
        (["--assume", "resale=never", "--assume", "resale=remaining"], "choose one"),
        (["--host", ""], "--host is empty"),
        (["--account", "DOT\u0663"], "no account name"),
        (["--symbol", "R_50"], "add --market replay:FILE"),
        (["--planted-phi", "0.5"], "add --market planted"),
        (["--edge-until", "2026-03-05"], "add --market planted"),
        (["--record", str(Path(__file__))], "it is no folder"),
    ],
)
def test_whatever_is_wrong_is_one_line(capsys: Any, arguments: list[str], message: str) -> None:
    assert message in refused(capsys, *arguments)


def test_a_port_in_use_says_so(capsys: Any) -> None:
    process, line = started()
    try:
        port = line.split("url=")[1].split()[0].rsplit(":", 1)[1]
        assert "Address already in use" in refused(capsys, "--port", port)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize("arguments", [["--speed", "51"], ["--speed", "fast"], ["--start", "soon"], ["--nonsense"]])
def test_usage_errors_are_one_line_and_exit_with_two(capsys: Any, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", *arguments])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.endswith("--help\n")
    assert said.count("\n") == 1


def test_ctrl_c_before_it_listens_is_one_line(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paper_exchange.commands.oracle.oracle", _interrupted)
    assert main(["oracle"]) == INTERRUPTED
    assert capsys.readouterr().err == "error: interrupted; start it again\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("buffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_line(buffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*COMMAND[:3], "oracle"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": buffered},
        )
    assert ended.returncode == 1
    assert ended.stderr == "error: cannot write: No space left on device; see where the output goes\n"


def _interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_a_full_disk_ends_a_recording_with_one_line(tmp_path: Path) -> None:
    limited = ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", *COMMAND, "--speed", "50", "--record", str(tmp_path / "rec")]
    process = subprocess.Popen(limited, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().split("url=")[1].split()[0].replace("http", "ws")
        with connect(f"{url}/trading/v1/options/ws/public", proxy=None) as socket:
            socket.send('{"ticks":"1HZ100V","subscribe":1}')
            # A client is told that the exchange goes; it does not wait for ever on one that stands still.
            with contextlib.suppress(ConnectionClosed):
                while True:
                    socket.recv(5)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert err.startswith("error: the recording in ")
    assert err.count("\n") == 1
    whole = (tmp_path / "rec" / "frames.jsonl").read_text().splitlines()[:-1]
    assert whole
    assert all(json.loads(line)["direction"] in ("in", "out") for line in whole)


def test_oracle_prints_the_closed_form(capsys: Any) -> None:
    assert main(["oracle", "--ticks", "5"]) == 0
    assert float(capsys.readouterr().out) == momentum_win_rate(DEFAULT_PHI, 5)
    assert main(["oracle", "--ticks", "0"]) == 1
    assert capsys.readouterr().err.startswith("error: ticks must lie in 1 to 300")


def test_help_names_every_option(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["serve", "--help"])
    text = capsys.readouterr().out
    for option in ("--seed", "--speed", "--market", "--symbol", "--start", "--history-days", "--commission", "--fault"):
        assert option in text
    assert "/paper/truth" in text


def test_a_replay_starts_where_its_file_does(tmp_path: Path) -> None:
    rows = "\n".join(f"{1_760_000_000 + 2 * k},{331 + k / 100}" for k in range(50))
    (tmp_path / "ticks.csv").write_text("epoch,quote\n" + rows + "\n")
    process, line = started("--market", f"replay:{tmp_path / 'ticks.csv'}", "--history-days", "1")
    process.terminate()
    process.communicate(timeout=10)
    assert line.endswith("now=1760000000")


def test_every_error_of_the_exchange_is_one_line_of_one_tree(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("errors", "markets.oracles", "net.envelope", "verify.trader"):
        module = importlib.import_module(f"paper_exchange.{name}")
        own = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
        errors = [kind for kind in own if issubclass(kind, Exception)]
        assert errors
        assert all(issubclass(kind, ExchangeError) for kind in errors)

    def fail(*_: object, **__: object) -> None:
        raise ExchangeError("first line\nsecond line")

    monkeypatch.setattr("paper_exchange.commands.oracle.oracle", fail)
    assert main(["oracle"]) == 1
    assert capsys.readouterr().err == "error: first line second line\n"
