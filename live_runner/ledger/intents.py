"""Intents: each state change is one durable transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from live_runner.ledger.events import append_event
from live_runner.ledger.records import (
    BOUGHT,
    CASH_ROW,
    CashRow,
    IllegalTransitionError,
    Intent,
    IntentState,
    Order,
    Receipt,
)
from live_runner.ledger.storage import Storage
from xtitan_core.contracts import Contract, ContractType, DurationUnit

_COLUMNS = (
    "intent_id, epoch, state, decision_id, bundle_id, model_name, symbol, contract_type, duration, duration_unit, "
    "barrier, barrier2, currency, stake_cents, probability, min_edge, expected_ratio, prepared_at, sent_at, "
    "resolved_at, proposal_id, generation, ask_cents, payout_cents, contract_id, buy_transaction_id, buy_cents, "
    "bought_payout_cents, purchase_time, sell_cents, sell_time, balance_cents, confirmed, reason"
)
_NAMES = tuple(_COLUMNS.split(", "))
SELECT_INTENT = f"SELECT {_COLUMNS} FROM intent"


class IntentTable:
    """Writing and reading intents."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def prepare(self, order: Order, now: float) -> int:
        """Reserve the stake of a decision.

        Raises:
            IllegalTransitionError: when this decision was tried before.
        """
        with self._storage.write() as db:
            c = order.contract
            cursor = db.execute(
                "INSERT INTO intent (epoch, state, decision_id, bundle_id, model_name, symbol, contract_type, duration,"
                " duration_unit, barrier, barrier2, currency, stake_cents, probability, min_edge, expected_ratio,"
                " prepared_at) VALUES (?, 'prepared', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._storage.run,
                    order.decision_id,
                    order.bundle_id,
                    order.model_name,
                    order.symbol,
                    c.contract_type.value,
                    c.duration,
                    c.unit.value,
                    c.barrier,
                    c.barrier2,
                    order.currency,
                    order.stake_cents,
                    order.probability,
                    order.min_edge,
                    order.expected_ratio,
                    now,
                ),
            )
            intent_id = int(cursor.lastrowid or 0)
            self._record(db, intent_id, now)
        return intent_id

    def abandon(self, intent_id: int, why: str, now: float) -> Intent:
        """It is not sent: PREPARED -> ABANDONED."""
        return self._move(intent_id, IntentState.ABANDONED, why, now)

    def mark_sent(
        self, intent_id: int, *, proposal_id: str, generation: int, ask_cents: int, payout_cents: int, now: float
    ) -> Intent:
        """The buy is about to be written to the socket: PREPARED -> SENT. On the disk when this returns.

        Raises:
            IllegalTransitionError: when another intent is unresolved, the latch is closed, the proposal was used
                before, or a newer runner took over.
        """
        return self._move(
            intent_id,
            IntentState.SENT,
            "sent",
            now,
            proposal_id=proposal_id,
            generation=generation,
            ask_cents=ask_cents,
            payout_cents=payout_cents,
            sent_at=now,
        )

    def opened(self, intent_id: int, receipt: Receipt, now: float, why: str = "answered") -> Intent:
        """The contract exists: SENT, UNKNOWN or QUARANTINED -> OPEN (and -> SETTLED when its end is already booked).

        Raises:
            IllegalTransitionError: when the contract belongs to another intent, or the booked cash row differs.
        """
        return self._bind(intent_id, IntentState.OPEN, receipt, why, now)

    def late_bound(self, intent_id: int, receipt: Receipt, now: float) -> Intent:
        """A purchase turned up after it was ruled out: NOT_BOUGHT or REJECTED -> LATE_BOUND. The caller must halt."""
        return self._bind(intent_id, IntentState.LATE_BOUND, receipt, "found after it was ruled out", now)

    def rejected(self, intent_id: int, code: str, now: float) -> Intent:
        """The venue refused it: SENT -> REJECTED. Its stake stays reserved until ``confirm_rejection``."""
        return self._move(intent_id, IntentState.REJECTED, code, now)

    def confirm_rejection(self, intent_id: int, now: float) -> Intent:
        """A later statement shows no purchase of this rejected intent: its reservation ends."""
        with self._storage.write() as db:
            changed = db.execute(
                "UPDATE intent SET confirmed = 1 WHERE intent_id = ? AND state = 'rejected' AND confirmed = 0",
                (intent_id,),
            ).rowcount
            if changed != 1:
                raise IllegalTransitionError(f"intent {intent_id} is not an unconfirmed rejection")
            self._record(db, intent_id, now)
        return self.get(intent_id)

    def unknown(self, intent_id: int, why: str, now: float) -> Intent:
        """No usable answer came, so it may have been bought: SENT -> UNKNOWN."""
        return self._move(intent_id, IntentState.UNKNOWN, why, now)

    def not_bought(self, intent_id: int, why: str, now: float) -> Intent:
        """A purchase is ruled out: UNKNOWN or QUARANTINED -> NOT_BOUGHT, a tombstone that can match for a day."""
        return self._move(intent_id, IntentState.NOT_BOUGHT, why, now)

    def quarantine(self, intent_id: int, why: str, now: float) -> Intent:
        """The evidence contradicts itself: UNKNOWN -> QUARANTINED, which only a person resolves."""
        return self._move(intent_id, IntentState.QUARANTINED, why, now)

    def get(self, intent_id: int) -> Intent:
        """One intent.

        Raises:
            IllegalTransitionError: when there is none of that number.
        """
        rows = self._storage.rows(f"{SELECT_INTENT} WHERE intent_id = ?", (intent_id,))
        if not rows:
            raise IllegalTransitionError(f"there is no intent {intent_id}")
        return _intent(rows[0])

    def all(self, after: int = 0) -> list[Intent]:
        """All intents with a number above ``after``, in order."""
        return self._query("WHERE intent_id > ?", after)

    def trades(self, after: int = 0) -> list[Intent]:
        """All intents above ``after`` that became a contract, in order."""
        return self._in_states(BOUGHT, "AND intent_id > ?", after)

    def unresolved(self) -> list[Intent]:
        """Intents that forbid any purchase: outcome unknown, or rejected and not confirmed."""
        return self._query(
            "WHERE state IN ('sent', 'unknown', 'quarantined') OR (state = 'rejected' AND confirmed = 0)"
        )

    def prepared(self) -> list[Intent]:
        """Intents that were never sent and not given up yet."""
        return self._in_states({IntentState.PREPARED})

    def open_contracts(self) -> list[Intent]:
        """Contracts of ours that have not settled."""
        return self._query("WHERE state IN ('open', 'late_bound') AND sell_time IS NULL")

    def tombstones(self, since: float) -> list[Intent]:
        """Sent intents that were ruled out or rejected, sent at or after ``since``."""
        return self._query("WHERE sent_at >= ? AND state IN ('not_bought', 'rejected')", since)

    def _query(self, where: str, *parameters: object) -> list[Intent]:
        return [_intent(r) for r in self._storage.rows(f"{SELECT_INTENT} {where} ORDER BY intent_id", parameters)]

    def _in_states(self, states: Iterable[IntentState], more: str = "", *parameters: object) -> list[Intent]:
        names = sorted(s.value for s in states)
        return self._query(f"WHERE state IN ({', '.join('?' * len(names))}) {more}", *names, *parameters)

    def _move(self, intent_id: int, to: IntentState, why: str, now: float, **fields: object) -> Intent:
        with self._storage.write() as db:
            self._leave(db, intent_id, to)
            self._update(db, intent_id, now, state=to.value, reason=why[:200], resolved_at=now, **fields)
        return self.get(intent_id)

    def _bind(self, intent_id: int, to: IntentState, receipt: Receipt, why: str, now: float) -> Intent:
        with self._storage.write() as db:
            self._leave(db, intent_id, to)
            booked = db.execute(
                "SELECT contract_id, amount_cents, time FROM ledger WHERE transaction_id = ?", (receipt.transaction_id,)
            ).fetchone()
            if booked is not None and booked[:2] != (receipt.contract_id, -receipt.buy_cents):
                raise IllegalTransitionError(f"transaction {receipt.transaction_id} was booked with other figures")
            self._update(
                db,
                intent_id,
                now,
                state=to.value,
                reason=why[:200],
                resolved_at=now,
                contract_id=receipt.contract_id,
                buy_transaction_id=receipt.transaction_id,
                buy_cents=receipt.buy_cents,
                bought_payout_cents=receipt.payout_cents,
                purchase_time=receipt.purchase_time,
            )
            # The end of a short contract can be booked before the answer to its buy is read.
            sold = db.execute(
                f"SELECT {CASH_ROW} FROM ledger WHERE contract_id = ? AND action = 'sell'", (receipt.contract_id,)
            ).fetchone()
            if sold is not None:
                self.settle(db, intent_id, to, CashRow(*sold), now)
        return self.get(intent_id)

    def settle(self, db: sqlite3.Connection, intent_id: int, state: IntentState, sell: CashRow, now: float) -> None:
        """Settle inside the caller's transaction; a late-bound intent keeps its state, as a reminder."""
        after = IntentState.SETTLED if state is IntentState.OPEN else state
        figures = {"sell_cents": sell.amount_cents, "sell_time": sell.time, "balance_cents": sell.balance_cents}
        self._update(db, intent_id, now, state=after.value, **figures)

    @staticmethod
    def _leave(db: sqlite3.Connection, intent_id: int, to: IntentState) -> None:
        """Refuse to enter the state it is in; all other illegal transitions are the trigger's to refuse."""
        if db.execute("SELECT 1 FROM intent WHERE intent_id = ? AND state = ?", (intent_id, to.value)).fetchone():
            raise IllegalTransitionError(f"intent {intent_id} is {to.value} already")

    def _update(self, db: sqlite3.Connection, intent_id: int, now: float, **fields: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in fields)
        changed = db.execute(f"UPDATE intent SET {names} WHERE intent_id = ?", (*fields.values(), intent_id)).rowcount
        if changed != 1:
            raise IllegalTransitionError(f"there is no intent {intent_id}")
        self._record(db, intent_id, now)

    def _record(self, db: sqlite3.Connection, intent_id: int, now: float) -> None:
        """Append the intent as it now is to the hash-chained events; ``verify`` compares them at every start."""
        row = db.execute(f"{SELECT_INTENT} WHERE intent_id = ?", (intent_id,)).fetchone()
        append_event(db, self._storage.run, now, "intent", intent_id, json.dumps(row))


def _intent(row: tuple[Any, ...]) -> Intent:
    fields = dict(zip(_NAMES, row, strict=True))
    contract = Contract(
        ContractType(fields.pop("contract_type")),
        fields.pop("duration"),
        DurationUnit(fields.pop("duration_unit")),
        fields.pop("barrier"),
        fields.pop("barrier2"),
    )
    fields["run"] = fields.pop("epoch")  # the column keeps the name it was made with
    fields |= {"state": IntentState(fields["state"]), "confirmed": bool(fields["confirmed"])}
    return Intent(contract=contract, **fields)
