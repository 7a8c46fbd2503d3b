"""The ledger's tables, and the triggers that refuse what breaks its rules."""

from __future__ import annotations

from typing import Final

from live_runner.ledger.records import IntentState

LEDGER_SCHEMA: Final = 1

TRANSITIONS: Final[dict[IntentState, frozenset[IntentState]]] = {
    IntentState.PREPARED: frozenset({IntentState.ABANDONED, IntentState.SENT}),
    IntentState.SENT: frozenset({IntentState.OPEN, IntentState.REJECTED, IntentState.UNKNOWN}),
    IntentState.UNKNOWN: frozenset({IntentState.OPEN, IntentState.NOT_BOUGHT, IntentState.QUARANTINED}),
    IntentState.QUARANTINED: frozenset({IntentState.OPEN, IntentState.NOT_BOUGHT}),
    IntentState.OPEN: frozenset({IntentState.SETTLED}),
    # Tombstones: a purchase that shows up after we decided there was none is adopted, and halts the runner.
    IntentState.NOT_BOUGHT: frozenset({IntentState.LATE_BOUND}),
    IntentState.REJECTED: frozenset({IntentState.LATE_BOUND}),
    IntentState.ABANDONED: frozenset(),
    IntentState.SETTLED: frozenset(),
    IntentState.LATE_BOUND: frozenset(),
}

_STATES = ", ".join(f"'{s.value}'" for s in IntentState)
_LEGAL = ", ".join(f"('{a.value}', '{b.value}')" for a, after in TRANSITIONS.items() for b in sorted(after))

PRAGMAS: Final[tuple[tuple[str, str, str], ...]] = (
    # (pragma, value to set, value it must read back as). Exclusive mode comes before WAL, so SQLite makes no shared
    # memory file and locks other processes out; its WAL-reset bug needs a second connection.
    ("locking_mode", "EXCLUSIVE", "exclusive"),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", "2"),
    ("foreign_keys", "ON", "1"),
    ("trusted_schema", "OFF", "0"),
    ("cell_size_check", "ON", "1"),
)

SCHEMA: Final = f"""
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE writer (
    epoch INTEGER PRIMARY KEY,
    started REAL NOT NULL
) STRICT;

CREATE TABLE opening (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    balance_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    time INTEGER NOT NULL
) STRICT;

-- Transactions that were on the statement before this ledger began; they are part of the opening balance.
CREATE TABLE prior (
    transaction_id INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE intent (
    intent_id INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ({_STATES})),
    decision_id TEXT NOT NULL UNIQUE,
    bundle_id TEXT NOT NULL,
    model_name TEXT NOT NULL,
    symbol TEXT NOT NULL,
    contract_type TEXT NOT NULL,
    duration INTEGER NOT NULL CHECK (duration > 0),
    duration_unit TEXT NOT NULL,
    barrier REAL,
    barrier2 REAL,
    currency TEXT NOT NULL,
    stake_cents INTEGER NOT NULL CHECK (stake_cents > 0),
    probability REAL NOT NULL CHECK (probability BETWEEN 0.0 AND 1.0),
    min_edge REAL NOT NULL CHECK (min_edge >= 0.0),
    expected_ratio REAL NOT NULL CHECK (expected_ratio > 0.0),
    prepared_at REAL NOT NULL,
    sent_at REAL,
    resolved_at REAL,
    proposal_id TEXT UNIQUE,
    generation INTEGER,
    ask_cents INTEGER CHECK (ask_cents > 0),
    payout_cents INTEGER CHECK (payout_cents > 0),
    contract_id INTEGER UNIQUE,
    buy_transaction_id INTEGER UNIQUE,
    buy_cents INTEGER CHECK (buy_cents > 0),
    bought_payout_cents INTEGER CHECK (bought_payout_cents > 0),
    purchase_time INTEGER,
    sell_cents INTEGER CHECK (sell_cents >= 0),
    sell_time INTEGER,
    balance_cents INTEGER,
    confirmed INTEGER NOT NULL DEFAULT 0 CHECK (confirmed IN (0, 1)),
    reason TEXT NOT NULL DEFAULT '',
    -- A buy may be on the wire exactly from SENT on: the quote, the connection and the time belong to it.
    CHECK ((state IN ('prepared', 'abandoned')) = (sent_at IS NULL)),
    CHECK ((sent_at IS NULL) = (proposal_id IS NULL) AND (sent_at IS NULL) = (generation IS NULL)
           AND (sent_at IS NULL) = (ask_cents IS NULL) AND (sent_at IS NULL) = (payout_cents IS NULL)),
    CHECK ((state IN ('open', 'settled', 'late_bound')) = (contract_id IS NOT NULL)),
    CHECK ((contract_id IS NULL) = (buy_transaction_id IS NULL) AND (contract_id IS NULL) = (buy_cents IS NULL)),
    CHECK ((sell_cents IS NULL) = (sell_time IS NULL)),
    CHECK ((state = 'settled') <= (sell_cents IS NOT NULL))
) STRICT;
CREATE INDEX intent_state ON intent (state);
CREATE INDEX intent_sent ON intent (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX intent_sold ON intent (sell_time, sell_cents, buy_cents) WHERE sell_time IS NOT NULL;
CREATE INDEX intent_purchased ON intent (purchase_time, sell_cents, buy_cents) WHERE sell_time IS NOT NULL;

CREATE TABLE ledger (
    transaction_id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    epoch INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('buy', 'sell', 'deposit', 'withdrawal')),
    contract_id INTEGER,
    amount_cents INTEGER NOT NULL,
    balance_cents INTEGER NOT NULL,
    time INTEGER NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK (action <> 'buy' OR amount_cents < 0),
    CHECK (action <> 'sell' OR amount_cents >= 0)
) STRICT;
CREATE INDEX ledger_time ON ledger (time);
CREATE UNIQUE INDEX ledger_contract ON ledger (contract_id, action) WHERE contract_id IS NOT NULL;

-- Purchases on the account that are not ours: recorded when they halt the runner, so that a person's resume stands.
CREATE TABLE foreign_buy (
    transaction_id INTEGER PRIMARY KEY REFERENCES ledger (transaction_id),
    epoch INTEGER NOT NULL,
    time REAL NOT NULL
) STRICT;

CREATE TABLE event (
    event_id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    intent_id INTEGER REFERENCES intent (intent_id),
    detail TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX event_intent ON event (intent_id, kind);
CREATE INDEX event_kind ON event (kind);

CREATE TABLE halt (
    halt_id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    time REAL NOT NULL,
    halted INTEGER NOT NULL CHECK (halted IN (0, 1)),
    reason TEXT NOT NULL,
    by TEXT NOT NULL
) STRICT;

-- A day on which the loss limit was reached stays stopped, whatever a later settlement brings back.
CREATE TABLE day_stop (
    day INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    time REAL NOT NULL
) STRICT;

CREATE TRIGGER intent_starts_prepared BEFORE INSERT ON intent WHEN NEW.state <> 'prepared'
BEGIN SELECT RAISE(ABORT, 'an intent starts as prepared'); END;

CREATE TRIGGER intent_transition BEFORE UPDATE ON intent
WHEN OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (VALUES {_LEGAL})
BEGIN SELECT RAISE(ABORT, 'this transition is not allowed'); END;

CREATE TRIGGER intent_terminal BEFORE UPDATE ON intent WHEN OLD.state IN ('abandoned', 'settled')
BEGIN SELECT RAISE(ABORT, 'a terminal intent never changes'); END;

CREATE TRIGGER intent_fixed BEFORE UPDATE ON intent
WHEN OLD.decision_id IS NOT NEW.decision_id OR OLD.bundle_id IS NOT NEW.bundle_id
  OR OLD.symbol IS NOT NEW.symbol OR OLD.contract_type IS NOT NEW.contract_type
  OR OLD.duration IS NOT NEW.duration OR OLD.duration_unit IS NOT NEW.duration_unit
  OR OLD.stake_cents IS NOT NEW.stake_cents OR OLD.currency IS NOT NEW.currency
  OR OLD.prepared_at IS NOT NEW.prepared_at
  OR (OLD.sent_at IS NOT NULL AND (OLD.sent_at IS NOT NEW.sent_at OR OLD.proposal_id IS NOT NEW.proposal_id
      OR OLD.generation IS NOT NEW.generation OR OLD.ask_cents IS NOT NEW.ask_cents
      OR OLD.payout_cents IS NOT NEW.payout_cents OR OLD.epoch IS NOT NEW.epoch))
  OR (OLD.contract_id IS NOT NULL AND (OLD.contract_id IS NOT NEW.contract_id
      OR OLD.buy_transaction_id IS NOT NEW.buy_transaction_id OR OLD.buy_cents IS NOT NEW.buy_cents))
  OR (OLD.sell_time IS NOT NULL AND (OLD.sell_time IS NOT NEW.sell_time OR OLD.sell_cents IS NOT NEW.sell_cents))
BEGIN SELECT RAISE(ABORT, 'this field of an intent never changes'); END;

CREATE TRIGGER intent_one_unresolved BEFORE UPDATE ON intent
WHEN NEW.state = 'sent' AND EXISTS (SELECT 1 FROM intent WHERE state IN ('sent', 'unknown', 'quarantined'))
BEGIN SELECT RAISE(ABORT, 'another intent is unresolved'); END;

CREATE TRIGGER intent_no_buy_while_halted BEFORE UPDATE ON intent
WHEN NEW.state = 'sent' AND (SELECT halted FROM halt ORDER BY halt_id DESC LIMIT 1) = 1
BEGIN SELECT RAISE(ABORT, 'the kill latch is closed'); END;

CREATE TRIGGER intent_no_delete BEFORE DELETE ON intent
BEGIN SELECT RAISE(ABORT, 'an intent is never deleted'); END;

CREATE TRIGGER intent_epoch BEFORE INSERT ON intent WHEN NEW.epoch IS NOT (SELECT max(epoch) FROM writer)
BEGIN SELECT RAISE(ABORT, 'a newer runner took over'); END;
CREATE TRIGGER ledger_epoch BEFORE INSERT ON ledger WHEN NEW.epoch IS NOT (SELECT max(epoch) FROM writer)
BEGIN SELECT RAISE(ABORT, 'a newer runner took over'); END;
CREATE TRIGGER event_epoch BEFORE INSERT ON event WHEN NEW.epoch IS NOT (SELECT max(epoch) FROM writer)
BEGIN SELECT RAISE(ABORT, 'a newer runner took over'); END;
CREATE TRIGGER writer_epoch BEFORE INSERT ON writer
WHEN NEW.epoch <= (SELECT coalesce(max(epoch), 0) FROM writer)
BEGIN SELECT RAISE(ABORT, 'a newer runner took over'); END;

-- A lost contract's row moves no money, so it fits the chain anywhere; when reads lag it may come after later rows.
CREATE TRIGGER ledger_chain BEFORE INSERT ON ledger
WHEN NEW.position <> (SELECT coalesce(max(position), 0) FROM ledger) + 1
  OR (NEW.amount_cents <> 0 AND NEW.balance_cents - NEW.amount_cents <> coalesce(
        (SELECT balance_cents FROM ledger WHERE amount_cents <> 0 ORDER BY position DESC LIMIT 1),
        (SELECT balance_cents FROM opening)))
BEGIN SELECT RAISE(ABORT, 'this cash row does not follow the last one'); END;
"""

APPEND_ONLY: Final = ("ledger", "event", "halt", "writer", "opening", "prior", "day_stop", "foreign_buy")


def statements() -> str:
    """The whole schema, with the triggers that make the append-only tables append-only."""
    guards = [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ]
    return SCHEMA + "\n".join(guards)
