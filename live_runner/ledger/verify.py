"""Checking a whole ledger at start: every hash, every balance, every intent against what was written about it."""

from __future__ import annotations

import json

from live_runner.ledger import chain
from live_runner.ledger.intents import SELECT_INTENT
from live_runner.ledger.records import CASH_ROW, LedgerFaultError
from live_runner.ledger.storage import Storage

# Small tables without a chain of their own: each row as the text of the event that was written with it.
_MIRRORED = {
    "opening": "SELECT balance_cents || ' ' || currency || ' ' || time FROM opening",
    "halt": "SELECT halted || ' ' || by || ': ' || reason FROM halt ORDER BY halt_id",
    "day_stop": "SELECT CAST(day AS TEXT) FROM day_stop ORDER BY rowid",
    "foreign_buy": "SELECT CAST(transaction_id AS TEXT) FROM foreign_buy ORDER BY transaction_id",
}


def verify(storage: Storage) -> None:
    """Check everything.

    Raises:
        LedgerFaultError: at the first thing that was altered or does not follow.
    """
    verify_events(storage)
    verify_mirrors(storage)
    verify_cash(storage)


def verify_events(storage: Storage) -> None:
    """Check the event chain, and that every intent equals the last event written about it.

    Raises:
        LedgerFaultError: at the first difference.
    """
    previous, last = chain.GENESIS, {}
    for expected, row in enumerate(storage.rows("SELECT * FROM event ORDER BY event_id"), start=1):
        body, (before, digest) = list(row[:6]), row[6:]
        if body[0] != expected or before != previous or digest != chain.link(previous, body):
            raise LedgerFaultError(f"{storage.path}: event {body[0]} was altered; keep the file, restore a backup")
        previous = digest
        if body[3] == "intent":
            last[body[4]] = body[5]
    intents = {row[0]: json.dumps(row) for row in storage.rows(SELECT_INTENT)}
    if intents != last:
        changed = sorted(k for k in intents.keys() | last.keys() if intents.get(k) != last.get(k))
        raise LedgerFaultError(f"{storage.path}: intent {changed[0]} was altered; keep the file, restore a backup")


def verify_mirrors(storage: Storage) -> None:
    """Check the small tables against their events.

    Raises:
        LedgerFaultError: at the first table that differs.
    """
    for kind, sql in _MIRRORED.items():
        written = sorted(row[0] for row in storage.rows("SELECT detail FROM event WHERE kind = ?", (kind,)))
        if written != sorted(row[0] for row in storage.rows(sql)):
            raise LedgerFaultError(f"{storage.path}: table {kind} was altered; keep the file, restore a backup")


def verify_cash(storage: Storage) -> None:
    """Check the hash chain and the balance chain of all cash rows, and the settlements against them.

    Raises:
        LedgerFaultError: at the first row that was altered or does not follow.
    """
    previous = chain.GENESIS
    opening = storage.rows("SELECT balance_cents FROM opening")
    balance = opening[0][0] if opening else 0
    for expected, row in enumerate(
        storage.rows(f"SELECT {CASH_ROW}, position, previous, hash FROM ledger ORDER BY position"), start=1
    ):
        *body, position, before, digest = row
        if position != expected or before != previous or digest != chain.link(previous, [position, *body]):
            raise LedgerFaultError(f"{storage.path}: cash row {position} was altered; keep the file, restore a backup")
        balance += body[3]
        if body[3] != 0 and balance != body[4]:
            raise LedgerFaultError(f"{storage.path}: the balance chain breaks at row {position}; restore a backup")
        previous = digest
    wrong = storage.rows(
        "SELECT i.intent_id FROM intent i LEFT JOIN ledger l ON l.contract_id = i.contract_id AND l.action = 'sell' "
        "WHERE i.contract_id IS NOT NULL AND (i.sell_cents IS NOT l.amount_cents OR i.sell_time IS NOT l.time) LIMIT 1"
    )
    if wrong:
        raise LedgerFaultError(
            f"{storage.path}: intent {wrong[0][0]} settled otherwise than its cash row; restore a backup"
        )
