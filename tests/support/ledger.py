"""A ledger that has begun with 1,000 USD, and the rows and receipts that fit it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from live_runner.ledger import CashRow, Ledger, Order, Receipt

T = 1_772_409_600
ACCOUNT = "DOT90000001"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    """Open, with its opening balance recorded."""
    ledger = Ledger.open(folder, ACCOUNT, now=T)
    ledger.cash.begin(100_000, "USD", T, [], T)
    yield ledger
    ledger.close()


def sent(ledger: Ledger, order: Order, now: float = T, stake: int = 1_000) -> int:
    """An order marked as sent at the stake it names; returns the intent."""
    number = ledger.intents.prepare(order, now)
    ledger.intents.mark_sent(
        number, proposal_id=f"quote-{number}", generation=1, ask_cents=stake, payout_cents=2 * stake - 47, now=now
    )
    return number


def receipt(number: int, contract: int = 501, cents: int = 1_000, at: int = T) -> Receipt:
    """The venue's receipt of a purchase; its transaction is ten times the contract."""
    return Receipt(contract, contract * 10, cents, 2 * cents - 47, at)


def buy_row(contract: int, balance: int, cents: int = 1_000, at: int = T) -> CashRow:
    """The cash row of that purchase."""
    return CashRow(contract * 10, "buy", contract, -cents, balance, at)


def sell_row(contract: int, cents: int, balance: int, at: int = T + 12) -> CashRow:
    """The cash row of the contract's end."""
    return CashRow(contract * 10 + 1, "sell", contract, cents, balance, at)
