"""The ledger: legal transitions only, exact cents, nothing lost by a crash, nothing altered unnoticed."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
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
    LedgerFaultError,
    Order,
)
from live_runner.ledger.schema import TRANSITIONS
from support.ledger import ACCOUNT, T, buy_row, receipt, sell_row, sent
from xtitan_core.clock import DAY


def test_a_purchase_from_intent_to_settlement(ledger: Ledger, order: Callable[..., Order]) -> None:
    number = sent(ledger, order("d1"))
    assert ledger.intents.unresolved()
    assert ledger.exposure_cents() == 1_000
    ledger.intents.opened(number, receipt(number), T)
    assert ledger.cash.book(buy_row(501, 99_000), T)
    assert not ledger.intents.unresolved()
    assert [i.contract_id for i in ledger.intents.open_contracts()] == [501]
    booking = ledger.cash.book(sell_row(501, 1_953, 100_953), T + 12)
    assert booking.settled is not None
    assert booking.settled.outcome == "won"
    assert booking.settled.state is IntentState.SETTLED
    assert ledger.cash.total_cents() == 100_953
    assert ledger.exposure_cents() == 0
    assert [i.intent_id for i in ledger.intents.trades()] == [number]


def test_the_end_of_a_short_contract_may_be_booked_before_its_answer(
    ledger: Ledger, order: Callable[..., Order]
) -> None:
    number = sent(ledger, order("d1"))
    ledger.cash.book(buy_row(501, 99_000), T)
    ledger.cash.book(sell_row(501, 0, 99_000), T + 12)
    intent = ledger.intents.opened(number, receipt(number), T + 13)
    assert (intent.state, intent.outcome) == (IntentState.SETTLED, "lost")


def test_one_decision_is_tried_once(ledger: Ledger, order: Callable[..., Order]) -> None:
    ledger.intents.abandon(ledger.intents.prepare(order("d1"), T), "no edge", T)
    with pytest.raises(IllegalTransitionError):
        ledger.intents.prepare(order("d1"), T)


def test_only_one_intent_may_be_unresolved(ledger: Ledger, order: Callable[..., Order]) -> None:
    number = sent(ledger, order("d1"))
    with pytest.raises(IllegalTransitionError, match="unresolved"):
        sent(ledger, order("d2"))
    ledger.intents.unknown(number, "timeout", T)
    second = ledger.intents.all(after=number)[0].intent_id
    with pytest.raises(IllegalTransitionError, match="unresolved"):
        ledger.intents.mark_sent(second, proposal_id="q", generation=1, ask_cents=1, payout_cents=2, now=T)


def test_a_proposal_and_a_contract_belong_to_one_intent(ledger: Ledger, order: Callable[..., Order]) -> None:
    first = sent(ledger, order("d1"))
    ledger.intents.opened(first, receipt(first), T)
    second = ledger.intents.prepare(order("d2"), T)
    with pytest.raises(IllegalTransitionError):
        ledger.intents.mark_sent(second, proposal_id=f"quote-{first}", generation=1, ask_cents=1, payout_cents=2, now=T)
    ledger.intents.mark_sent(second, proposal_id="other", generation=1, ask_cents=1_000, payout_cents=1_953, now=T)
    with pytest.raises(IllegalTransitionError):
        ledger.intents.opened(second, receipt(second), T)


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
        ledger.intents.mark_sent(number, proposal_id="q", generation=1, ask_cents=1_000, payout_cents=1_953, now=T)
    elif verb in ("opened", "late_bound"):
        getattr(ledger.intents, verb)(number, receipt(number), T)
    elif verb == "settle":
        ledger.cash.book(buy_row(501, 99_000), T)
        ledger.cash.book(sell_row(501, 0, 99_000), T)
    else:
        getattr(ledger.intents, verb)(number, "why", T)


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
        ledger.cash.begin(100_000, "USD", T, [], T)
        number = ledger.intents.prepare(order("d1"), T)
        for earlier in PATHS[state]:
            step(ledger, number, earlier)
        assert ledger.intents.get(number).state is state
        if target in TRANSITIONS[state]:
            step(ledger, number, verb)
            assert ledger.intents.get(number).state is target
        else:
            with pytest.raises(IllegalTransitionError):
                step(ledger, number, verb)
            assert ledger.intents.get(number).state is state
        ledger.close()


def test_the_same_row_twice_is_booked_once_and_a_differing_one_is_a_fault(ledger: Ledger) -> None:
    deposit = CashRow(7, "deposit", None, 500, 100_500, T)
    assert ledger.cash.book(deposit, T).result is Booked.BOOKED
    assert ledger.cash.book(deposit, T).result is Booked.DUPLICATE
    with pytest.raises(LedgerFaultError, match="other figures"):
        ledger.cash.book(CashRow(7, "deposit", None, 501, 100_501, T), T)
    assert ledger.cash.total_cents() == 100_500


def test_a_row_that_skips_another_is_a_gap_and_is_not_booked(ledger: Ledger) -> None:
    assert ledger.cash.book(CashRow(8, "deposit", None, 100, 100_600, T), T).result is Booked.GAP
    assert ledger.cash.book(CashRow(7, "deposit", None, 500, 100_500, T), T)
    assert ledger.cash.book(CashRow(8, "deposit", None, 100, 100_600, T), T)
    assert ledger.cash.total_cents() == 100_600


def test_cash_rows_can_be_neither_changed_nor_deleted_nor_replaced(ledger: Ledger) -> None:
    ledger.cash.book(CashRow(7, "deposit", None, 500, 100_500, T), T)
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
        rows_before = ledger.cash.rows()
        try:
            changed = db.execute(sql).rowcount
        except sqlite3.IntegrityError:
            changed = 0
        assert (changed, ledger.cash.rows()) == (0, rows_before), sql


def test_losses_count_on_the_day_of_purchase_and_on_the_day_of_settlement(
    ledger: Ledger, order: Callable[..., Order]
) -> None:
    number = sent(ledger, order("d1"), T + DAY - 1)
    ledger.intents.opened(number, receipt(number, at=T + DAY - 1), T + DAY - 1)
    ledger.cash.book(buy_row(501, 99_000, at=T + DAY - 1), T + DAY)
    assert ledger.day_loss_cents(T) == 0
    assert ledger.snapshot(T + DAY, 0.0).reserved_cents == 1_000
    ledger.cash.book(sell_row(501, 0, 99_000, T + DAY + 11), T + DAY + 11)
    assert ledger.day_loss_cents(T) == ledger.day_loss_cents(T + DAY) == 1_000
    assert ledger.day_loss_cents(T + 2 * DAY) == 0


def test_a_deposit_is_not_a_profit(ledger: Ledger, order: Callable[..., Order]) -> None:
    number = sent(ledger, order("d1"))
    ledger.intents.opened(number, receipt(number), T)
    ledger.cash.book(buy_row(501, 99_000), T)
    ledger.cash.book(sell_row(501, 0, 99_000), T)
    ledger.cash.book(CashRow(9_999, "deposit", None, 50_000, 149_000, T), T)
    assert ledger.day_loss_cents(T) == 1_000


def test_a_stopped_day_and_the_buy_rate_survive_a_restart(folder: Path, order: Callable[..., Order]) -> None:
    first = Ledger.open(folder, ACCOUNT, now=T)
    first.cash.begin(100_000, "USD", T, [], T)
    first.stop_day(T, T)
    number = sent(first, order("d1"))
    first.intents.unknown(number, "timeout", T)
    first.close()
    second = Ledger.open(folder, ACCOUNT, now=T)
    assert second.run == 2
    facts = second.snapshot(T + 30, 0.0)
    assert facts.day_stopped
    assert facts.buys_last_minute == 1
    assert facts.open_contracts == 1
    assert not second.snapshot(T + DAY, 0.0).day_stopped
    second.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-1_000, 0, 0, 953, 1_953]), max_size=10), st.randoms(use_true_random=False))
def test_rows_in_any_order_and_any_number_of_times_end_in_the_same_total_or_show_a_gap(
    amounts: list[int], shuffle: Any
) -> None:
    """Whatever is missing for good shows as a gap at the end; what is booked always adds up."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        ledger = Ledger.open(Path(name), ACCOUNT, now=T)
        ledger.cash.begin(1_000_000, "USD", T, [], T)
        rows, balance = [], 1_000_000
        for k, amount in enumerate(amounts):
            balance += amount
            rows.append(CashRow(100 + k, "withdrawal" if amount < 0 else "deposit", None, amount, balance, T + k))
        shuffle.shuffle(rows)
        results = [Booked.BOOKED]
        for _ in range(len(rows) + 1):
            results = [ledger.cash.book(row, T).result for row in rows]
        assert ledger.cash.total_cents() == ledger.cash.balance_cents()
        if Booked.GAP not in results:
            assert ledger.cash.total_cents() == balance
            assert len(ledger.cash.rows()) == len(rows)
        ledger.close()


@given(st.lists(st.integers(0, 1_000), max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_rows_without_a_balance_that_repeats_are_complete_in_any_order(amounts: list[int], shuffle: Any) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        ledger = Ledger.open(Path(name), ACCOUNT, now=T)
        ledger.cash.begin(0, "USD", T, [], T)
        rows = [CashRow(100 + k, "sell", None, a, sum(amounts[: k + 1]), T + k) for k, a in enumerate(amounts)]
        shuffle.shuffle(rows)
        for _ in range(len(rows) + 1):
            for row in rows:
                ledger.cash.book(row, T)
        assert ledger.cash.total_cents() == sum(amounts)
        assert len(ledger.cash.rows()) == len(rows)
        ledger.close()
