"""The ledger's log of everything that was written to it: append-only and hash-chained."""

from __future__ import annotations

import sqlite3

from live_runner.ledger import chain


def append_event(db: sqlite3.Connection, run: int, now: float, kind: str, intent_id: int | None, detail: str) -> None:
    """Append to the hash-chained event table inside the caller's transaction."""
    last = db.execute("SELECT event_id, hash FROM event ORDER BY event_id DESC LIMIT 1").fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, chain.GENESIS)
    body = [number, run, float(now), kind, intent_id, detail]  # as SQLite will give it back
    db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*body, previous, chain.link(previous, body)))
