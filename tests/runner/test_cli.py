"""What an operator types: every mistake is one clear line and a fitting exit code, every command does what it says."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from live_runner.cli import EX_CONFIG, build_parser, main
from xtitan_core.bundle.keys import generate
from xtitan_core.journal import HaltRecord, RoleRecord, read_journal

MODEL = "test-rise_fall-5t"
Start = Callable[..., Any]


def one_line(ended: Any, *parts: str) -> None:
    """The last line is the error, and it is the only one."""
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert ended.stderr.splitlines()[-1] == errors[0], "nothing follows the error, no traceback either"
    assert "Traceback" not in ended.stderr
    for part in parts:
        assert part in errors[0]


def test_help_is_worth_reading(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["start", "--help"], ["verify", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "shadow-only" in text
    assert "78 wrong configuration" in text


def test_wrong_usage_is_exit_code_2() -> None:
    with pytest.raises(SystemExit) as stop:
        build_parser().parse_args(["start", "--stop-after-slots", "many"])
    assert stop.value.code == 2


def test_a_wrong_configuration_is_exit_code_78(host: Any, tmp_path: Path) -> None:
    ended = host.refused("http://127.0.0.1:1", "--config", str(tmp_path / "gone.toml"))
    assert ended.code == EX_CONFIG
    one_line(ended, "gone.toml", "no such file")
    ended = host.refused("http://127.0.0.1:1", "--environment", "real")
    assert ended.code == EX_CONFIG
    one_line(ended, "real")
    ended = host.refused("http://127.0.0.1:1", "--public-key", str(tmp_path / "gone.pub"))
    assert ended.code == EX_CONFIG
    one_line(ended, "public_key", "gone.pub")


def test_an_unreachable_exchange_is_one_line(host: Any) -> None:
    ended = host.refused("http://127.0.0.1:1")
    assert ended.code == 1
    one_line(ended, "http://127.0.0.1:1", "start the exchange")


@pytest.mark.slow
def test_things_the_venue_does_not_have_are_named(host: Any, exchange: Start) -> None:
    venue = exchange(market="fair")
    ended = host.refused(venue, symbol="PLANTED_100")
    assert ended.code == 1
    one_line(ended, "PLANTED_100", "choose one of", "R_100")
    one_line(host.refused(venue, symbol="R_1000"), "R_1000", "R_100")
    one_line(host.refused(venue, "--account", "DOT7"), "DOT7", "DOT90000001")


@pytest.mark.slow
def test_an_expired_or_foreign_bundle_stops_the_start(host: Any, exchange: Start, tmp_path: Path) -> None:
    venue = exchange()
    host.releases.point("champion", host.releases.bundle(expires_epoch=1_772_409_599))
    ended = host.refused(venue)
    assert ended.code == 1
    one_line(ended, "champion version 1 refused", "expired")
    host.releases.point("champion", host.releases.bundle())
    foreign = generate(tmp_path / "foreign" / "key")
    one_line(host.refused(venue, "--public-key", str(foreign)), "champion version 2 refused")
    assert venue.truth()["buys"] == []


@pytest.mark.slow
def test_a_second_runner_on_the_account_is_refused(host: Any, exchange: Start) -> None:
    venue = exchange()
    runner = host.start(venue)
    runner.wait_for_log("connected")
    ended = host.refused(venue)
    assert ended.code == 1
    one_line(ended, "another runner", "stop it first")
    assert host.status()["running"] is True
    runner.signal(signal.SIGINT)
    assert runner.end().summary["stop_reason"] == "SIGINT"


@pytest.mark.slow
def test_halt_resume_and_status_on_a_running_runner(
    host: Any, exchange: Start, eventually: Callable[..., None]
) -> None:
    venue = exchange()
    host.releases.point("champion", host.releases.bundle())
    runner = host.start(venue)
    eventually(lambda: len(venue.truth()["buys"]) > 3)
    assert host.command("halt", "--state", str(host.state), "--reason", "drill").code == 0
    eventually(lambda: host.status()["open_contracts"] == 0)
    bought, shadow = len(venue.truth()["buys"]), host.status()["shadow_counted"]
    eventually(lambda: host.status()["shadow_counted"] > shadow + 20)
    assert len(venue.truth()["buys"]) == bought
    assert (host.status()["halted"], host.status()["halt_reason"]) == (True, "drill")
    assert host.command("resume", "--state", str(host.state), "--reason", "drill over").code == 0
    eventually(lambda: len(venue.truth()["buys"]) > bought)
    runner.signal(signal.SIGTERM)
    assert runner.end().summary["missed"]["blocked"] > 0
    halts = [r for s in read_journal(host.journal) for r in s.records if isinstance(r, HaltRecord)]
    assert [(h.halted, h.reason) for h in halts if h.by == "operator"] == [(True, "drill"), (False, "drill over")]


@pytest.mark.slow
def test_halt_and_resume_without_a_runner(host: Any, exchange: Start) -> None:
    venue = exchange()
    host.releases.point("champion", host.releases.bundle())
    host.run(venue, "--stop-after-trades", "2")
    bought = len(venue.truth()["buys"])
    assert host.command("halt", "--state", str(host.state)).code == 0
    assert host.status()["halted"] is True
    summary = host.run(venue, "--stop-after-slots", "5").summary
    assert summary["halted"] is True
    assert len(venue.truth()["buys"]) == bought
    assert host.command("resume", "--state", str(host.state), "--reason", "fine").code == 0
    assert host.status()["halted"] is False
    host.run(venue, "--stop-after-trades", "1")
    assert len(venue.truth()["buys"]) > bought


@pytest.mark.slow
def test_a_new_champion_is_taken_over_and_rolled_back_while_running(
    host: Any, exchange: Start, eventually: Callable[..., None]
) -> None:
    venue = exchange()
    one, two = host.releases.bundle(), host.releases.bundle(weight=2_000.0)
    host.releases.point("champion", one)
    runner = host.start(venue)
    eventually(lambda: len(venue.truth()["buys"]) > 0)

    def champion() -> Any:
        return (host.status()["models"]["champion"] or {}).get("bundle_id")

    host.releases.point("champion", two)
    eventually(lambda: champion() == two)
    assert host.command("rollback", "--state", str(host.state), "--reason", "drill").code == 0
    assert champion() == one
    runner.signal(signal.SIGTERM)
    assert runner.end().code == 0
    slots = [r for s in read_journal(host.journal) for r in s.records if isinstance(r, RoleRecord)]
    assert [s.bundle_id for s in slots] == [one, two, one]


def test_commands_on_an_unused_folder_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["status"], ["halt"], ["resume", "--reason", "x"], ["rollback", "--reason", "x"]):
        assert main([*command, "--state", str(tmp_path)]) == 1
        assert "no runner has used this state folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


class TestVerify:
    def test_a_good_bundle(self, releases: Any, capsys: pytest.CaptureFixture[str]) -> None:
        folder = releases.folder / MODEL / releases.bundle()
        arguments = ["verify", str(folder), "--public-key", str(releases.public_key), "--at", "1772409600"]
        assert main(arguments) == 0
        assert "CALL 5t" in capsys.readouterr().out

    def test_bundles_of_paper_time_are_explained(self, releases: Any, capsys: pytest.CaptureFixture[str]) -> None:
        folder = releases.folder / MODEL / releases.bundle()
        assert main(["verify", str(folder), "--public-key", str(releases.public_key)]) == 1
        assert "--at" in capsys.readouterr().err

    def test_a_damaged_or_missing_one(self, releases: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = releases.folder / MODEL / releases.bundle()
        (folder / "golden.npz").write_bytes(b"x")
        for bundle in (folder, tmp_path / "gone"):
            assert main(["verify", str(bundle), "--public-key", str(releases.public_key), "--at", "1"]) == 1
            assert capsys.readouterr().err.startswith("error: ")
