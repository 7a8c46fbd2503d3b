"""The kill latch closes at once, stays closed across restarts, and anything odd about it counts as closed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_runner.guards.latch import HALT_FILE, LATCH_FILE, KillLatch, LatchError
from live_runner.ledger import IllegalTransitionError, Ledger
from support.disk import Synced

NOW = 1_772_409_600.0


def now() -> float:
    return NOW


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(folder, "DOT90000001", now=NOW)
    yield ledger
    ledger.close()


@pytest.fixture
def latch(folder: Path, ledger: Ledger) -> KillLatch:
    return KillLatch.open(folder, ledger, now)


def test_a_first_start_is_open_and_a_halt_survives_a_restart(folder: Path, ledger: Ledger, latch: KillLatch) -> None:
    assert not latch.poll()
    latch.halt("a person said so", "status page")
    assert latch.halted
    again = KillLatch.open(folder, ledger, now)
    assert (again.halted, again.reason, again.by) == (True, "a person said so", "status page")
    assert KillLatch.peek(folder) == (True, "a person said so", "status page")


def test_resuming_needs_a_reason_and_survives_a_restart(folder: Path, ledger: Ledger, latch: KillLatch) -> None:
    latch.halt("x", "y")
    with pytest.raises(LatchError, match="reason"):
        latch.resume("  ", "operator")
    assert latch.halted
    latch.resume("checked the statement", "operator")
    assert not KillLatch.open(folder, ledger, now).halted


def test_a_halt_file_halts_a_running_runner_and_the_next_one(folder: Path, ledger: Ledger, latch: KillLatch) -> None:
    KillLatch.request_halt(folder, "smoke in the server room")
    assert KillLatch.peek(folder)[0]
    assert latch.poll()
    assert latch.reason == "smoke in the server room"
    (folder / HALT_FILE).unlink()
    assert latch.poll(), "removing the file does not resume"
    assert KillLatch.open(folder, ledger, now).halted


def test_an_empty_halt_file_is_enough(folder: Path, latch: KillLatch) -> None:
    (folder / HALT_FILE).touch()
    assert latch.poll()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"halted": 0, "reason": "", "by": ""}', b"\xff\x00", None]
)
def test_an_unreadable_latch_counts_as_halted(folder: Path, ledger: Ledger, body: bytes | None) -> None:
    KillLatch.open(folder, ledger, now)
    ledger.cash.begin(1_000, "USD", int(NOW), [], NOW)
    if body is None:
        (folder / LATCH_FILE).unlink()
    else:
        (folder / LATCH_FILE).write_bytes(body)
    assert KillLatch.open(folder, ledger, now).halted
    assert KillLatch.peek(folder)[0]


def test_a_latch_file_that_disappears_halts_the_running_runner(folder: Path, latch: KillLatch) -> None:
    (folder / LATCH_FILE).unlink()
    assert latch.poll()


def test_editing_the_file_does_not_open_a_latch_that_the_ledger_knows_as_closed(
    folder: Path, ledger: Ledger, latch: KillLatch
) -> None:
    latch.halt("loss limit", "runner")
    (folder / LATCH_FILE).write_text(json.dumps({"halted": False, "reason": "", "by": "", "epoch": 0}))
    again = KillLatch.open(folder, ledger, now)
    assert (again.halted, again.reason) == (True, "loss limit")


def test_a_halt_takes_effect_even_when_nothing_can_be_written(
    folder: Path, ledger: Ledger, latch: KillLatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.close()
    real = os.replace

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    latch.halt("disk full", "runner")
    assert latch.halted
    monkeypatch.setattr(os, "replace", real)
    assert (folder / HALT_FILE).exists(), "the next start finds at least the empty file"


def test_the_ledger_itself_refuses_to_send_while_halted(ledger: Ledger, latch: KillLatch, order: object) -> None:
    ledger.cash.begin(1_000, "USD", int(NOW), [], NOW)
    number = ledger.intents.prepare(order("d1"), NOW)  # type: ignore[operator]
    latch.halt("x", "y")
    with pytest.raises(IllegalTransitionError, match="latch"):
        ledger.intents.mark_sent(number, proposal_id="q", generation=1, ask_cents=1, payout_cents=2, now=NOW)


def test_a_halt_survives_a_power_cut(folder: Path, latch: KillLatch, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = Synced(monkeypatch)
    latch.halt("x", "y")
    assert folder / LATCH_FILE in synced
    assert folder in synced
    KillLatch.request_halt(folder, "z")
    assert folder / HALT_FILE in synced
    assert (folder / LATCH_FILE).stat().st_mode & 0o777 == (folder / HALT_FILE).stat().st_mode & 0o777 == 0o600


def test_of_two_halts_at_the_same_time_one_halts(
    folder: Path, latch: KillLatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes the other's temporary file away: the second while the first puts its own in place, and back."""
    real = os.replace
    halts = iter(("second",))

    def replace(old: Path, new: Path) -> None:
        for reason in halts:
            KillLatch.request_halt(folder, reason)
        Path(old).unlink(missing_ok=True)
        real(old, new)

    monkeypatch.setattr(os, "replace", replace)
    KillLatch.request_halt(folder, "first")
    assert latch.poll()
