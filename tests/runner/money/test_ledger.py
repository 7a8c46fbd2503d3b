"""The ledger: legal transitions only, exact cents, nothing lost by a crash, nothing altered unnoticed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_runner.ledger import (
    Booked,
    CashRow,
    IllegalTransitionError,
    IntentState,
    Ledger,
    LedgerError,
    LedgerFaultError,
    LedgerLockedError,
    Order,
    Receipt,
    schema,
)
from live_runner.ledger.schema import TRANSITIONS
from xtitan_core.clock import DAY

T = 1_772_409_600
ACCOUNT = "DOT90000001"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(folder, ACCOUNT, now=T)
    ledger.begin(100_000, "USD", T, [], T)
    yield ledger
    ledger.close()


def sent(ledger: Ledger, order: Order, now: float = T, stake: int = 1_000) -> int:
    number = ledger.prepare(order, now)
    ledger.mark_sent(
        number, proposal_id=f"quote-{number}", generation=1, ask_cents=stake, payout_cents=2 * stake - 47, now=now
    )
    return number


def receipt(number: int, contract: int = 501, cents: int = 1_000, at: int = T) -> Receipt:
    return Receipt(contract, contract * 10, cents, 2 * cents - 47, at)


def buy_row(contract: int, balance: int, cents: int = 1_000, at: int = T) -> CashRow:
    return CashRow(contract * 10, "buy", contract, -cents, balance, at)


def sell_row(contract: int, cents: int, balance: int, at: int = T + 12) -> CashRow:
    return CashRow(contract * 10 + 1, "sell", contract, cents, balance, at)


def test_a_purchase_from_intent_to_settlement(ledger: Ledger, order: Callable[..., Order]) -> None:
    number = sent(ledger, order("d1"))
    assert ledger.unresolved()
    assert ledger.exposure_cents() == 1_000
    ledger.opened(number, receipt(number), T)
    assert ledger.book(buy_row(501, 99_000), T)
    assert not ledger.unresolved()
    assert [i.contract_id for i in ledger.open_contracts()] == [501]
    booking = ledger.book(sell_row(501, 1_953, 100_953), T + 12)
    assert booking.settled is not None
    assert booking.settled.outcome == "won"
    assert booking.settled.state is IntentState.SETTLED
    assert ledger.total_cents() == 100_953
    assert ledger.exposure_cents() == 0
    assert [i.intent_id for i in ledger.trades()] == [number]


def test_the_end_of_a_short_contract_may_be_booked_before_its_answer(
    ledger: Ledger, order: Callable[..., Order]
) -> None:
    number = sent(ledger, order("d1"))
    ledger.book(buy_row(501, 99_000), T)
    ledger.book(sell_row(501, 0, 99_000), T + 12)
    intent = ledger.opened(number, receipt(number), T + 13)
    assert (intent.state, intent.outcome) == (IntentState.SETTLED, "lost")


def test_one_decision_is_tried_once(ledger: Ledger, order: Callable[..., Order]) -> None:
    ledger.abandon(ledger.prepare(order("d1"), T), "no edge", T)
    with pytest.raises(IllegalTransitionError):
        ledger.prepare(order("d1"), T)


def test_only_one_intent_may_be_unresolved(ledger: Ledger, order: Callable[..., Order]) -> None:
    number = sent(ledger, order("d1"))
    with pytest.raises(IllegalTransitionError, match="unresolved"):
        sent(ledger, order("d2"))
    ledger.unknown(number, "timeout", T)
    second = ledger.intents(after=number)[0].intent_id
    with pytest.raises(IllegalTransitionError, match="unresolved"):
        ledger.mark_sent(second, proposal_id="q", generation=1, ask_cents=1, payout_cents=2, now=T)


def test_a_proposal_and_a_contract_belong_to_one_intent(ledger: Ledger, order: Callable[..., Order]) -> None:
    first = sent(ledger, order("d1"))
    ledger.opened(first, receipt(first), T)
    second = ledger.prepare(order("d2"), T)
    with pytest.raises(IllegalTransitionError):
        ledger.mark_sent(second, proposal_id=f"quote-{first}", generation=1, ask_cents=1, payout_cents=2, now=T)
    ledger.mark_sent(second, proposal_id="other", generation=1, ask_cents=1_000, payout_cents=1_953, now=T)
    with pytest.raises(IllegalTransitionError):
        ledger.opened(second, receipt(second), T)


PATHS: dict[IntentState, list[str]] = {
    IntentState.PREPARED: [],
    IntentState.ABANDONED: ["abandon"],
    IntentState.SENT: ["mark_sent"],
    IntentState.OPEN: ["mark_sent", "opened"],
    IntentState.SETTLED: ["mark_sent", "opened", "settle"],
    IntentState.REJECTED: ["mark_sent", "rejected"],
    IntentState.UNKNOWN: ["mark_sent", "unknown"],
    IntentState.NOT_BOUGHT: ["mark_sent", "unknown", "not_bought"],
    IntentState.QUARANTINED: ["mark_sent", "unknown", "quarantine"],
    IntentState.LATE_BOUND: ["mark_sent", "unknown", "not_bought", "late_bound"],
}


def step(ledger: Ledger, number: int, verb: str) -> None:
    if verb == "mark_sent":
        ledger.mark_sent(number, proposal_id="q", generation=1, ask_cents=1_000, payout_cents=1_953, now=T)
    elif verb in ("opened", "late_bound"):
        getattr(ledger, verb)(number, receipt(number), T)
    elif verb == "settle":
        ledger.book(buy_row(501, 99_000), T)
        ledger.book(sell_row(501, 0, 99_000), T)
    else:
        getattr(ledger, verb)(number, "why", T)


@pytest.mark.parametrize("state", list(IntentState))
def test_exactly_the_listed_transitions_are_possible(
    tmp_path: Path, folder: Path, state: IntentState, order: Callable[..., Order]
) -> None:
    verbs = {
        "abandon": IntentState.ABANDONED,
        "mark_sent": IntentState.SENT,
        "opened": IntentState.OPEN,
        "rejected": IntentState.REJECTED,
        "unknown": IntentState.UNKNOWN,
        "not_bought": IntentState.NOT_BOUGHT,
        "quarantine": IntentState.QUARANTINED,
        "late_bound": IntentState.LATE_BOUND,
    }
    for verb, target in verbs.items():
        ledger = Ledger.open(folder / f"{state}-{verb}", ACCOUNT, now=T)
        ledger.begin(100_000, "USD", T, [], T)
        number = ledger.prepare(order("d1"), T)
        for earlier in PATHS[state]:
            step(ledger, number, earlier)
        assert ledger.intent(number).state is state
        if target in TRANSITIONS[state]:
            step(ledger, number, verb)
            assert ledger.intent(number).state is target
        else:
            with pytest.raises(IllegalTransitionError):
                step(ledger, number, verb)
            assert ledger.intent(number).state is state
        ledger.close()


def test_the_same_row_twice_is_booked_once_and_a_differing_one_is_a_fault(ledger: Ledger) -> None:
    deposit = CashRow(7, "deposit", None, 500, 100_500, T)
    assert ledger.book(deposit, T).result is Booked.BOOKED
    assert ledger.book(deposit, T).result is Booked.DUPLICATE
    with pytest.raises(LedgerFaultError, match="other figures"):
        ledger.book(CashRow(7, "deposit", None, 501, 100_501, T), T)
    assert ledger.total_cents() == 100_500


def test_a_row_that_skips_another_is_a_gap_and_is_not_booked(ledger: Ledger) -> None:
    assert ledger.book(CashRow(8, "deposit", None, 100, 100_600, T), T).result is Booked.GAP
    assert ledger.book(CashRow(7, "deposit", None, 500, 100_500, T), T)
    assert ledger.book(CashRow(8, "deposit", None, 100, 100_600, T), T)
    assert ledger.total_cents() == 100_600


def test_cash_rows_can_be_neither_changed_nor_deleted_nor_replaced(ledger: Ledger) -> None:
    ledger.book(CashRow(7, "deposit", None, 500, 100_500, T), T)
    db = ledger._storage._db
    for sql in (
        "UPDATE ledger SET amount_cents = 1",
        "DELETE FROM ledger",
        "DELETE FROM event",
        "UPDATE intent SET state = 'open'",
        "DELETE FROM halt",
        "UPDATE opening SET balance_cents = 0",
        "INSERT OR REPLACE INTO ledger SELECT transaction_id, position, epoch, action, contract_id, amount_cents,"
        " balance_cents, time, previous, hash FROM ledger",
    ):
        rows_before = ledger.rows()
        try:
            changed = db.execute(sql).rowcount
        except sqlite3.IntegrityError:
            changed = 0
        assert (changed, ledger.rows()) == (0, rows_before), sql


def test_losses_count_on_the_day_of_purchase_and_on_the_day_of_settlement(
    ledger: Ledger, order: Callable[..., Order]
) -> None:
    number = sent(ledger, order("d1"), T + DAY - 1)
    ledger.opened(number, receipt(number, at=T + DAY - 1), T + DAY - 1)
    ledger.book(buy_row(501, 99_000, at=T + DAY - 1), T + DAY)
    assert ledger.day_loss_cents(T) == 0
    assert ledger.snapshot(T + DAY, 0.0).reserved_cents == 1_000
    ledger.book(sell_row(501, 0, 99_000, T + DAY + 11), T + DAY + 11)
    assert ledger.day_loss_cents(T) == ledger.day_loss_cents(T + DAY) == 1_000
    assert ledger.day_loss_cents(T + 2 * DAY) == 0


def test_a_deposit_is_not_a_profit(ledger: Ledger, order: Callable[..., Order]) -> None:
    number = sent(ledger, order("d1"))
    ledger.opened(number, receipt(number), T)
    ledger.book(buy_row(501, 99_000), T)
    ledger.book(sell_row(501, 0, 99_000), T)
    ledger.book(CashRow(9_999, "deposit", None, 50_000, 149_000, T), T)
    assert ledger.day_loss_cents(T) == 1_000


def test_a_stopped_day_and_the_buy_rate_survive_a_restart(folder: Path, order: Callable[..., Order]) -> None:
    first = Ledger.open(folder, ACCOUNT, now=T)
    first.begin(100_000, "USD", T, [], T)
    first.stop_day(T, T)
    number = sent(first, order("d1"))
    first.unknown(number, "timeout", T)
    first.close()
    second = Ledger.open(folder, ACCOUNT, now=T)
    assert second.epoch == 2
    facts = second.snapshot(T + 30, 0.0)
    assert facts.day_stopped
    assert facts.buys_last_minute == 1
    assert facts.open_contracts == 1
    assert not second.snapshot(T + DAY, 0.0).day_stopped
    second.close()


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
    with pytest.raises(LedgerLockedError, match="another runner already uses the ledger of account DOT90000001"):
        Ledger.open(folder, ACCOUNT, now=T)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(ledger.path, timeout=0).execute("SELECT * FROM intent").fetchall()
    ledger.close()
    Ledger.open(folder, ACCOUNT, now=T).close()


def test_a_writer_that_was_overtaken_cannot_write(ledger: Ledger, order: Callable[..., Order]) -> None:
    """The paused holder of a lock that someone broke: its epoch is old, its writes abort."""
    ledger._storage._db.execute("INSERT INTO writer VALUES (99, 0.0)")
    with pytest.raises(IllegalTransitionError, match="newer runner"):
        ledger.prepare(order("d1"), T)
    with pytest.raises(IllegalTransitionError, match="newer runner"):
        ledger.book(CashRow(7, "deposit", None, 500, 100_500, T), T)


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
    ledger.begin(100_000, "USD", T, [], T)
    number = sent(ledger, order("d1"))
    ledger.opened(number, receipt(number), T)
    ledger.book(buy_row(501, 99_000), T)
    ledger.book(sell_row(501, 0, 99_000), T)
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
    ledger.begin(100_000, "USD", T, [], T)
    balance = 100_000
    for k in range(40):
        number = sent(ledger, order(f"d{k}"), T + k)
        ledger.opened(number, receipt(number, 600 + k, at=T + k), T + k)
        balance -= 1_000
        ledger.book(buy_row(600 + k, balance, at=T + k), T + k)
        ledger.book(sell_row(600 + k, 0, balance, T + k), T + k)
    truth = (ledger.rows(), ledger.intents())
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
        assert (opened.rows(), opened.intents()) == truth
        opened.close()
    assert caught > 50, "most of the file is data"


def test_a_storage_error_ends_every_later_use(ledger: Ledger, order: Callable[..., Order]) -> None:
    ledger._storage._db.execute("PRAGMA max_page_count = 1")

    def fill_the_disk() -> None:
        for k in range(10_000):
            ledger.prepare(order(f"d{k}"), T)

    with pytest.raises(LedgerFaultError, match="full"):
        fill_the_disk()
    with pytest.raises(LedgerFaultError, match="restart"):
        ledger.unresolved()


KILLED = """
import os, signal, sys
from pathlib import Path
from live_runner.ledger import Ledger, Order
from xtitan_core.contracts import Contract, ContractType, DurationUnit
ledger = Ledger.open(Path(sys.argv[1]), "DOT90000001", now=1.0)
ledger.begin(1000, "USD", 1, [], 1.0)
order = Order("d1", "b", "m", "R_100", Contract(ContractType.CALL, 5, DurationUnit.TICKS), "USD", 35, .6, .0, .9)
number = ledger.prepare(order, 1.0)
ledger.mark_sent(number, proposal_id="q", generation=1, ask_cents=35, payout_cents=68, now=1.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_9_right_after_the_commit_keeps_the_intent_and_frees_the_lock(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    ledger = Ledger.open(tmp_path, ACCOUNT, now=2.0)
    assert [i.state for i in ledger.unresolved()] == [IntentState.SENT]
    assert ledger.epoch == 2
    ledger.close()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="state folder"):
        Ledger.open(tmp_path / "file" / "state", ACCOUNT, now=T)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-1_000, 0, 0, 953, 1_953]), max_size=10), st.randoms(use_true_random=False))
def test_rows_in_any_order_and_any_number_of_times_end_in_the_same_total_or_show_a_gap(
    amounts: list[int], shuffle: Any
) -> None:
    """Whatever is missing for good shows as a gap at the end; what is booked always adds up."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        ledger = Ledger.open(Path(name), ACCOUNT, now=T)
        ledger.begin(1_000_000, "USD", T, [], T)
        rows, balance = [], 1_000_000
        for k, amount in enumerate(amounts):
            balance += amount
            rows.append(CashRow(100 + k, "withdrawal" if amount < 0 else "deposit", None, amount, balance, T + k))
        shuffle.shuffle(rows)
        results = [Booked.BOOKED]
        for _ in range(len(rows) + 1):
            results = [ledger.book(row, T).result for row in rows]
        assert ledger.total_cents() == ledger.balance_cents()
        if Booked.GAP not in results:
            assert ledger.total_cents() == balance
            assert len(ledger.rows()) == len(rows)
        ledger.close()


@given(st.lists(st.integers(0, 1_000), max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_rows_without_a_balance_that_repeats_are_complete_in_any_order(amounts: list[int], shuffle: Any) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        ledger = Ledger.open(Path(name), ACCOUNT, now=T)
        ledger.begin(0, "USD", T, [], T)
        rows = [CashRow(100 + k, "sell", None, a, sum(amounts[: k + 1]), T + k) for k, a in enumerate(amounts)]
        shuffle.shuffle(rows)
        for _ in range(len(rows) + 1):
            for row in rows:
                ledger.book(row, T)
        assert ledger.total_cents() == sum(amounts)
        assert len(ledger.rows()) == len(rows)
        ledger.close()
