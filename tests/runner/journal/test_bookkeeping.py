"""Ledger to journal: every contract once, also when the journal has seen another ledger's intents."""

from __future__ import annotations

from pathlib import Path

from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.journal.writer import Journal
from live_runner.ledger import Ledger, Order, Receipt
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.journal import TradeRecord, read_journal

T = 1_772_409_600
CALL = Contract(ContractType.CALL, 5, DurationUnit.TICKS)


def bought(folder: Path, account: str, contract_id: int) -> Ledger:
    """A ledger with one open contract."""
    ledger = Ledger.open(folder, account, now=T)
    ledger.cash.begin(100_000, "USD", T, [], T)
    intent = ledger.intents.prepare(Order("d", "b" * 64, "m", "R_100", CALL, "USD", 1_000, 0.6, 0.02, 0.95), T)
    ledger.intents.mark_sent(intent, proposal_id="p" * 32, generation=1, ask_cents=1_000, payout_cents=1_950, now=T)
    ledger.intents.opened(intent, Receipt(contract_id, contract_id + 1, 1_000, 1_950, T), T)
    return ledger


def test_trades_of_a_second_ledger_are_journaled_although_their_intents_are_numbered_alike(tmp_path: Path) -> None:
    for account, contract_id in (("DOT1", 700), ("DOT2", 800)):
        ledger = bought(tmp_path / "state", account, contract_id)
        journal = Journal(tmp_path / "journal", segment_records=100, segment_seconds=1_000)
        bookkeeping = Bookkeeping(ledger, journal)
        bookkeeping.catch_up()
        bookkeeping.catch_up()
        assert bookkeeping.tally.opened == 1
        journal.close()
        ledger.close()
    written = [r for segment in read_journal(tmp_path / "journal") for r in segment.records]
    assert [r.contract_id for r in written if isinstance(r, TradeRecord)] == [700, 800]
