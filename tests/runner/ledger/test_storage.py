"""The ledger's file: locked, durable, and never believed after damage, a crash or another runner's write."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from live_runner.ledger import (
    CashRow,
    IllegalTransitionError,
    IntentState,
    Ledger,
    LedgerError,
    LedgerFaultError,
    LedgerLockedError,
    Order,
    schema,
)
from support.ledger import ACCOUNT, T, buy_row, receipt, sell_row, sent


def test_the_pragmas_that_keep_an_acknowledged_intent_through_a_power_cut_are_on(ledger: Ledger) -> None:
    read = {name: str(ledger._storage.rows(f"PRAGMA {name}")[0][0]) for name, _, _ in schema.PRAGMAS}
    assert read["synchronous"] == "2"
    assert read["journal_mode"] == "wal"
    assert read["locking_mode"] == "exclusive"
    assert not ledger.path.with_name(ledger.path.name + "-shm").exists(), "exclusive WAL needs no shared memory"


def test_a_pragma_that_does_not_stick_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "PRAGMAS", (("synchronous", "NORMAL", "2"),))
    with pytest.raises(LedgerFaultError, match="synchronous"):
        Ledger.open(folder, ACCOUNT, now=T)


def test_two_runners_at_once_one_clear_line(ledger: Ledger, folder: Path) -> None:
    with pytest.raises(LedgerLockedError, match="another runner already uses the ledgers in"):
        Ledger.open(folder, ACCOUNT, now=T)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(ledger.path, timeout=0).execute("SELECT * FROM intent").fetchall()
    ledger.close()
    Ledger.open(folder, ACCOUNT, now=T).close()


def test_one_state_folder_has_one_runner_whatever_the_account(ledger: Ledger, folder: Path) -> None:
    """Control socket, halt file and models are the folder's: a second runner would take a halt meant for the first."""
    with pytest.raises(LedgerLockedError, match="stop it first"):
        Ledger.open(folder, "DOT90000002", now=T)
    ledger.close()
    Ledger.open(folder, "DOT90000002", now=T).close()


def test_a_writer_that_was_overtaken_cannot_write(ledger: Ledger, order: Callable[..., Order]) -> None:
    """The paused holder of a lock that someone broke: its epoch is old, its writes abort."""
    ledger._storage._db.execute("INSERT INTO writer VALUES (99, 0.0)")
    with pytest.raises(IllegalTransitionError, match="newer runner"):
        ledger.intents.prepare(order("d1"), T)
    with pytest.raises(IllegalTransitionError, match="newer runner"):
        ledger.cash.book(CashRow(7, "deposit", None, 500, 100_500, T), T)


def test_the_ledger_of_another_environment_or_version_is_refused(folder: Path) -> None:
    Ledger.open(folder, ACCOUNT, now=T).close()
    with pytest.raises(LedgerError, match="another state folder"):
        Ledger.open(folder, ACCOUNT, environment="real", now=T)
    db = sqlite3.connect(folder / f"ledger-{ACCOUNT}.sqlite3")
    db.execute("PRAGMA user_version = 77")
    db.close()
    with pytest.raises(LedgerError, match="schema 77"):
        Ledger.open(folder, ACCOUNT, now=T)
    with pytest.raises(LedgerError, match="account id"):
        Ledger.open(folder, "../x", now=T)


ALTERATIONS = [
    (
        "ledger",
        "UPDATE ledger SET amount_cents = amount_cents - 1, balance_cents = balance_cents - 1 WHERE position = 1",
    ),
    ("ledger", "UPDATE ledger SET time = time + 1 WHERE position = 2"),
    ("ledger", "DELETE FROM ledger WHERE position = 1"),
    ("intent", "UPDATE intent SET stake_cents = stake_cents + 1"),
    (
        "intent",
        "UPDATE intent SET state = 'not_bought', contract_id = NULL, buy_transaction_id = NULL, buy_cents = NULL",
    ),
    ("intent", "DELETE FROM intent"),
    ("opening", "UPDATE opening SET time = time + 1"),
    ("day_stop", "DELETE FROM day_stop"),
    ("halt", "UPDATE halt SET halted = 0"),
    ("event", "UPDATE event SET detail = '' WHERE event_id = 2"),
    ("event", "DELETE FROM event WHERE event_id = 3"),
]


@pytest.mark.parametrize(("table", "sql"), ALTERATIONS)
def test_any_alteration_behind_our_back_is_noticed_at_the_next_start(
    folder: Path, table: str, sql: str, order: Callable[..., Order]
) -> None:
    ledger = Ledger.open(folder, ACCOUNT, now=T)
    ledger.cash.begin(100_000, "USD", T, [], T)
    number = sent(ledger, order("d1"))
    ledger.intents.opened(number, receipt(number), T)
    ledger.cash.book(buy_row(501, 99_000), T)
    ledger.cash.book(sell_row(501, 0, 99_000), T)
    ledger.stop_day(T, T)
    ledger.record_halt(True, "a reason", "someone", T)
    ledger.close()
    Ledger.open(folder, ACCOUNT, now=T).close()
    db = sqlite3.connect(folder / f"ledger-{ACCOUNT}.sqlite3")
    for (trigger,) in db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table,)
    ).fetchall():
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute("PRAGMA ignore_check_constraints = ON")
    db.execute(sql)
    db.commit()
    db.close()
    with pytest.raises(LedgerFaultError, match=r"altered|chain|settled"):
        Ledger.open(folder, ACCOUNT, now=T)


def test_silent_bit_flips_in_the_file_are_never_accepted(
    folder: Path, order: Callable[..., Order], new_venue: Any
) -> None:
    """Flipped bits of used pages are either refused by SQLite, or caught by the chains, or change nothing we read."""
    ledger = Ledger.open(folder, ACCOUNT, now=T)
    ledger.cash.begin(100_000, "USD", T, [], T)
    balance = 100_000
    for k in range(40):
        number = sent(ledger, order(f"d{k}"), T + k)
        ledger.intents.opened(number, receipt(number, 600 + k, at=T + k), T + k)
        balance -= 1_000
        ledger.cash.book(buy_row(600 + k, balance, at=T + k), T + k)
        ledger.cash.book(sell_row(600 + k, 0, balance, T + k), T + k)
    truth = (ledger.cash.rows(), ledger.intents.all())
    path = ledger.path
    ledger.close()
    intact, random, caught = path.read_bytes(), new_venue(3).random, 0
    for _ in range(150):
        spot, bit = int(random.integers(len(intact))), int(random.integers(8))
        path.write_bytes(intact[:spot] + bytes([intact[spot] ^ 1 << bit]) + intact[spot + 1 :])
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
        try:
            opened = Ledger.open(folder, ACCOUNT, now=T)
        except LedgerError:
            caught += 1
            continue
        assert (opened.cash.rows(), opened.intents.all()) == truth
        opened.close()
    assert caught > 50, "most of the file is data"


def test_a_storage_error_ends_every_later_use(ledger: Ledger, order: Callable[..., Order]) -> None:
    ledger._storage._db.execute("PRAGMA max_page_count = 1")

    def fill_the_disk() -> None:
        for k in range(10_000):
            ledger.intents.prepare(order(f"d{k}"), T)

    with pytest.raises(LedgerFaultError, match="full"):
        fill_the_disk()
    with pytest.raises(LedgerFaultError, match="restart"):
        ledger.intents.unresolved()


KILLED = """
import os, signal, sys
from pathlib import Path
from live_runner.ledger import Ledger, Order
from xtitan_core.contracts import Contract, ContractType, DurationUnit
ledger = Ledger.open(Path(sys.argv[1]), "DOT90000001", now=1.0)
ledger.cash.begin(1000, "USD", 1, [], 1.0)
order = Order("d1", "b", "m", "R_100", Contract(ContractType.CALL, 5, DurationUnit.TICKS), "USD", 35, .6, .0, .9)
number = ledger.intents.prepare(order, 1.0)
ledger.intents.mark_sent(number, proposal_id="q", generation=1, ask_cents=35, payout_cents=68, now=1.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_9_right_after_the_commit_keeps_the_intent_and_frees_the_lock(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    ledger = Ledger.open(tmp_path, ACCOUNT, now=2.0)
    assert [i.state for i in ledger.intents.unresolved()] == [IntentState.SENT]
    assert ledger.run == 2
    ledger.close()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="state folder"):
        Ledger.open(tmp_path / "file" / "state", ACCOUNT, now=T)
