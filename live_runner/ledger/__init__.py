"""The runner's ledger in SQLite: intents, the account's cash rows, events and halts."""

from live_runner.ledger.account import Ledger
from live_runner.ledger.records import (
    Booked,
    Booking,
    CashRow,
    IllegalTransitionError,
    Intent,
    IntentState,
    LedgerError,
    LedgerFaultError,
    LedgerLockedError,
    Order,
    Receipt,
)

__all__ = [
    "Booked",
    "Booking",
    "CashRow",
    "IllegalTransitionError",
    "Intent",
    "IntentState",
    "Ledger",
    "LedgerError",
    "LedgerFaultError",
    "LedgerLockedError",
    "Order",
    "Receipt",
]
