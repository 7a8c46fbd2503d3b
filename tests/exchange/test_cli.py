"""The command line: the ready line, clean ends, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from paper_exchange.cli import main, parser
from paper_exchange.planted import DEFAULT_PHI, planted_oracle

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
        assert httpx.get(facts["url"] + "/v1/health", trust_env=False).text == "OK"
        process.send_signal(stop)
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (0, "", "")


def test_ready_line_as_json_and_a_scripted_fault() -> None:
    process, line = started("--json", "--speed", "20", "--fault", "hold_buy_answer:2", "--start", "2026-02-01")
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
        grant = httpx.post(path, headers=headers, trust_env=False).json()["data"]["url"]
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
        (["--fault", "hold_buy_answer"], "has no count"),
        (["--fault", "explode:1"], "unknown fault"),
        (["--host", "203.0.113.1"], "cannot listen"),
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
def test_usage_errors_exit_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", *arguments])
    assert caught.value.code == 2


def test_oracle_prints_the_closed_form(capsys: Any) -> None:
    assert main(["oracle", "--ticks", "5"]) == 0
    assert float(capsys.readouterr().out) == planted_oracle(DEFAULT_PHI, 5)
    assert main(["oracle", "--ticks", "0"]) == 1
    assert capsys.readouterr().err.startswith("error: phi must lie")


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
