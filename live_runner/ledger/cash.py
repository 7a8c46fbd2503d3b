"""The account's cash rows: append-only, hash-chained, and each one following the balance of the last."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from live_runner.ledger import chain
from live_runner.ledger.events import append_event
from live_runner.ledger.intents import IntentTable
from live_runner.ledger.records import (
    CASH_ROW,
    Booked,
    Booking,
    CashRow,
    IllegalTransitionError,
    IntentState,
    LedgerFaultError,
)
from live_runner.ledger.storage import Storage


class CashTable:
    """Books the cash rows of the account and answers questions about them."""

    def __init__(self, storage: Storage, intents: IntentTable) -> None:
        self._storage, self._intents = storage, intents

    @property
    def begun(self) -> bool:
        """True once the opening balance has been recorded."""
        return self._storage.number("SELECT count(*) FROM opening") > 0

    def begin(self, balance_cents: int, currency: str, time: int, prior: Collection[int], now: float) -> None:
        """Record the opening balance, once, with the transactions it already contains.

        Args:
            balance_cents: the account's balance.
            currency: its currency.
            time: the newest prior transaction's time, or the venue's time when there is none.
            prior: ids of transactions at or after ``time`` that are part of the balance.
            now: venue time.
        """
        with self._storage.write() as db:
            db.execute("INSERT INTO opening VALUES (1, ?, ?, ?)", (balance_cents, currency, time))
            db.executemany("INSERT INTO prior VALUES (?)", [(t,) for t in sorted(prior)])
            append_event(db, self._storage.run, now, "opening", None, f"{balance_cents} {currency} {time}")

    def opening(self) -> tuple[int, str, int]:
        """``(balance_cents, currency, time)`` this ledger began with.

        Raises:
            IllegalTransitionError: when it has not begun.
        """
        rows = self._storage.rows("SELECT balance_cents, currency, time FROM opening")
        if not rows:
            raise IllegalTransitionError("the ledger has no opening balance yet; recover first")
        balance, currency, time = rows[0]
        return balance, currency, time

    def book(self, row: CashRow, now: float) -> Booking:
        """Book one cash row, settling the contract it ends.

        Before the opening balance is recorded nothing can follow it: every row is a GAP then, and the statement, which
        has it as well, tells later whether it is part of the opening.

        Raises:
            LedgerFaultError: when a row of the same number was booked with other figures.
            IllegalTransitionError: when the row itself is impossible (a buy that adds money).
        """
        if not self.begun:
            return Booking(Booked.GAP)
        known = self._storage.rows(f"SELECT {CASH_ROW} FROM ledger WHERE transaction_id = ?", (row.transaction_id,))
        if known:
            if tuple(known[0]) != row.body:
                raise LedgerFaultError(
                    f"transaction {row.transaction_id} came back with other figures; stop and compare with the venue"
                )
            return Booking(Booked.DUPLICATE)
        if self.is_prior(row):
            return Booking(Booked.PRIOR)
        if not self._follows(row):
            return Booking(Booked.GAP)
        settled = None
        with self._storage.write() as db:
            last = db.execute("SELECT position, hash FROM ledger ORDER BY position DESC LIMIT 1").fetchone()
            position, previous = (last[0] + 1, last[1]) if last else (1, chain.GENESIS)
            digest = chain.link(previous, [position, *row.body])
            db.execute(
                f"INSERT INTO ledger ({CASH_ROW}, position, epoch, previous, hash) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (*row.body, position, self._storage.run, previous, digest),
            )
            if row.contract_id is not None and row.action in ("buy", "sell"):
                owner = db.execute(
                    "SELECT intent_id, state, buy_transaction_id, buy_cents FROM intent WHERE contract_id = ?",
                    (row.contract_id,),
                ).fetchone()
                if owner is not None and row.action == "buy" and owner[2:] != (row.transaction_id, -row.amount_cents):
                    raise LedgerFaultError(
                        f"transaction {row.transaction_id} differs from the answer to intent {owner[0]}; "
                        "stop and compare with the venue"
                    )
                if owner is not None and row.action == "sell":
                    settled = int(owner[0])
                    state = IntentState(owner[1])
                    self._intents.settle(db, settled, state, row, now)
        return Booking(Booked.BOOKED, None if settled is None else self._intents.get(settled))

    def balance_cents(self) -> int:
        """The balance after the last booked movement."""
        sql = "SELECT balance_cents FROM ledger WHERE amount_cents <> 0 ORDER BY position DESC LIMIT 1"
        rows = self._storage.rows(sql)
        return int(rows[0][0]) if rows else self.opening()[0]

    def _follows(self, row: CashRow) -> bool:
        """Whether a row fits: a movement only after the last one, a zero row wherever its second had its balance."""
        if row.amount_cents != 0:
            return row.balance_cents - row.amount_cents == self.balance_cents()
        # "+time" keeps SQLite from sorting a whole time range when the answer is one of the newest rows.
        before = self._storage.rows(
            "SELECT balance_cents FROM ledger WHERE amount_cents <> 0 AND +time < ? ORDER BY position DESC LIMIT 1",
            (row.time,),
        ) or [(self.opening()[0],)]
        within = self._storage.rows(
            "SELECT balance_cents FROM ledger WHERE amount_cents <> 0 AND time = ?", (row.time,)
        )
        return (row.balance_cents,) in [*before, *within]

    def total_cents(self) -> int:
        """Opening balance plus every booked amount: what the account must hold, to the cent."""
        return self.opening()[0] + self._storage.number("SELECT coalesce(sum(amount_cents), 0) FROM ledger")

    def last_row(self) -> CashRow | None:
        """The newest booked row."""
        rows = self._storage.rows(f"SELECT {CASH_ROW} FROM ledger ORDER BY position DESC LIMIT 1")
        return CashRow(*rows[0]) if rows else None

    def rows(self) -> list[CashRow]:
        """All booked rows in order."""
        return [CashRow(*r) for r in self._storage.rows(f"SELECT {CASH_ROW} FROM ledger ORDER BY position")]

    def rows_since(self, time: int) -> list[CashRow]:
        """Booked rows at or after ``time``, in order."""
        return [
            CashRow(*r)
            for r in self._storage.rows(f"SELECT {CASH_ROW} FROM ledger WHERE time >= ? ORDER BY position", (time,))
        ]

    def is_prior(self, row: CashRow) -> bool:
        """True when the opening balance already contains this row."""
        sql = "SELECT count(*) FROM prior WHERE transaction_id = ?"
        return row.time < self.opening()[2] or self._storage.number(sql, (row.transaction_id,)) > 0

    def is_bound(self, row: CashRow) -> bool:
        """True when an intent owns this row's contract."""
        sql = "SELECT count(*) FROM intent WHERE contract_id = ?"
        return self._storage.number(sql, (row.contract_id,)) > 0

    def unbound_buys(self) -> list[CashRow]:
        """Booked purchases that belong to no intent and were not reported as foreign before."""
        columns = ", ".join(f"l.{c.strip()}" for c in CASH_ROW.split(","))
        rows = self._storage.rows(
            f"SELECT {columns} FROM ledger l WHERE l.action = 'buy' "
            "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.contract_id = l.contract_id) "
            "AND NOT EXISTS (SELECT 1 FROM foreign_buy f WHERE f.transaction_id = l.transaction_id) ORDER BY l.position"
        )
        return [CashRow(*r) for r in rows]

    def unpaid(self) -> list[int]:
        """Contracts of ours whose purchase is not among the booked rows."""
        rows = self._storage.rows(
            "SELECT contract_id FROM intent i WHERE contract_id IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.transaction_id = i.buy_transaction_id)"
        )
        return [int(r[0]) for r in rows]

    def record_foreign(self, rows: Iterable[CashRow], now: float) -> None:
        """Remember purchases that are not ours. The caller halts; a person who resumes has accepted them."""
        with self._storage.write() as db:
            for row in rows:
                db.execute("INSERT INTO foreign_buy VALUES (?, ?, ?)", (row.transaction_id, self._storage.run, now))
                append_event(db, self._storage.run, now, "foreign_buy", None, str(row.transaction_id))

    def foreign_contracts(self) -> frozenset[int]:
        """Contract ids of purchases that were reported as foreign."""
        rows = self._storage.rows("SELECT l.contract_id FROM foreign_buy f JOIN ledger l USING (transaction_id)")
        return frozenset(int(r[0]) for r in rows if r[0] is not None)
