"""One account's ledger: opened and verified, its facts for the limits, its notes and halts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from live_runner.guards.limits import Snapshot
from live_runner.ledger.cash import CashTable
from live_runner.ledger.events import append_event
from live_runner.ledger.intents import IntentTable
from live_runner.ledger.records import LedgerError
from live_runner.ledger.storage import Storage
from live_runner.ledger.verify import verify
from xtitan_core.clock import DAY, midnight

_RESERVED = (
    "state IN ('prepared', 'sent', 'unknown', 'quarantined', 'open') "
    "OR (state = 'rejected' AND confirmed = 0) OR (state = 'late_bound' AND sell_time IS NULL)"
)


class Ledger:
    """One account's ledger. Use ``open``; one process, one instance.

    Attributes:
        intents: its purchases, from the decision to the settlement.
        cash: the account's cash rows.
        account_id: the account.
        environment: ``paper``, ``demo`` or ``real``; each has its own file in its own folder.
    """

    def __init__(self, storage: Storage, account_id: str, environment: str) -> None:
        self._storage = storage
        self.intents = IntentTable(storage)
        self.cash = CashTable(storage, self.intents)
        self.account_id, self.environment = account_id, environment

    @classmethod
    def open(cls, folder: Path, account_id: str, *, environment: str = "paper", now: float) -> Self:
        """Lock, check and open the account's ledger, creating it on first use.

        Args:
            folder: state folder of this environment.
            account_id: Deriv's account id.
            environment: stored at creation; another one is refused afterwards.
            now: venue time.

        Raises:
            LedgerLockedError: when another runner uses it.
            LedgerFaultError: when anything in it was damaged.
            LedgerError: when it belongs to another environment or version, or the folder cannot be used.
        """
        storage = Storage.open(folder, account_id, now)
        try:
            identity = {"account_id": account_id, "environment": environment}
            stored = dict(storage.rows("SELECT key, value FROM meta"))
            if not stored:
                with storage.write() as db:
                    db.executemany("INSERT INTO meta VALUES (?, ?)", sorted(identity.items()))
            elif stored != identity:
                raise LedgerError(f"{storage.path}: belongs to {stored}, not {identity}; use another state folder")
            verify(storage)
            return cls(storage, account_id, environment)
        except BaseException:
            storage.close()
            raise

    @property
    def run(self) -> int:
        """Number of this run; the generation counter of connections starts anew in each."""
        return self._storage.run

    @property
    def fresh(self) -> bool:
        """True until the account's opening balance has been recorded."""
        return not self.cash.begun

    @property
    def path(self) -> Path:
        """The database file."""
        return self._storage.path

    def close(self) -> None:
        """Close it and let the next runner in."""
        self._storage.close()

    # Facts for the limits. Each is a query over the tables, so a restart resets nothing.

    def reserved(self, excluding: int = 0) -> tuple[int, int]:
        """``(cents, contracts)`` that are open or may be, without intent ``excluding``."""
        row = self._storage.rows(
            "SELECT coalesce(sum(coalesce(buy_cents, stake_cents)), 0), count(*) FROM intent "
            f"WHERE ({_RESERVED}) AND intent_id <> ?",
            (excluding,),
        )[0]
        return int(row[0]), int(row[1])

    def exposure_cents(self) -> int:
        """Stakes at risk: open contracts, and every intent whose outcome is not known."""
        return self.reserved()[0]

    def day_loss_cents(self, day: int) -> int:
        """Realised loss of one UTC day, never negative: by purchase day or by settlement day, the worse of the two.

        Args:
            day: its midnight, epoch seconds.
        """
        losses = [
            self._storage.number(
                f"SELECT coalesce(sum(buy_cents - sell_cents), 0) FROM intent WHERE {column} >= ? AND {column} < ? "
                "AND sell_time IS NOT NULL",
                (day, day + DAY),
            )
            for column in ("purchase_time", "sell_time")
        ]
        return max(0, *losses)

    def buys_in_last(self, seconds: float, now: float, excluding: int = 0) -> int:
        """Buy frames marked as sent in the last ``seconds``, in any state."""
        sql = "SELECT count(*) FROM intent WHERE sent_at > ? AND intent_id <> ?"
        return self._storage.number(sql, (now - seconds, excluding))

    def day_stopped(self, day: int) -> bool:
        """True when the loss limit was reached on that UTC day."""
        return self._storage.number("SELECT count(*) FROM day_stop WHERE day = ?", (day,)) > 0

    def stop_day(self, day: int, now: float) -> None:
        """Stop buying until the next UTC midnight; a settlement before then does not change it."""
        if not self.day_stopped(day):
            with self._storage.write() as db:
                db.execute("INSERT INTO day_stop VALUES (?, ?, ?)", (day, self._storage.run, now))
                append_event(db, self._storage.run, now, "day_stop", None, str(day))

    def snapshot(self, now: float, tick_age_s: float, excluding: int = 0) -> Snapshot:
        """The facts that ``limits.check`` judges, without intent ``excluding``."""
        day = midnight(now)
        cents, contracts = self.reserved(excluding)
        return Snapshot(
            day_loss_cents=self.day_loss_cents(day),
            reserved_cents=cents,
            open_contracts=contracts,
            buys_last_minute=self.buys_in_last(60.0, now, excluding),
            day_stopped=self.day_stopped(day),
            tick_age_s=tick_age_s,
        )

    # Notes of the recovery, and halts.

    def note(self, kind: str, detail: str, now: float, intent_id: int | None = None) -> None:
        """Append an event."""
        with self._storage.write() as db:
            append_event(db, self._storage.run, now, kind, intent_id, detail)

    def notes(self, kind: str, intent_id: int) -> list[tuple[float, str]]:
        """``(time, detail)`` of an intent's events of one kind, in order."""
        sql = "SELECT time, detail FROM event WHERE intent_id = ? AND kind = ? ORDER BY event_id"
        return [(float(t), str(d)) for t, d in self._storage.rows(sql, (intent_id, kind))]

    def last_note(self, *kinds: str) -> tuple[str, float] | None:
        """``(kind, time)`` of the newest event among these kinds."""
        marks = ", ".join("?" * len(kinds))
        sql = f"SELECT kind, time FROM event WHERE kind IN ({marks}) ORDER BY event_id DESC LIMIT 1"
        rows = self._storage.rows(sql, kinds)
        return (str(rows[0][0]), float(rows[0][1])) if rows else None

    def record_halt(self, halted: bool, reason: str, by: str, now: float) -> None:
        """Append to the halt table; while its last row says halted, no intent can be marked as sent."""
        with self._storage.write() as db:
            db.execute(
                "INSERT INTO halt (epoch, time, halted, reason, by) VALUES (?, ?, ?, ?, ?)",
                (self._storage.run, now, int(halted), reason, by),
            )
            append_event(db, self._storage.run, now, "halt", None, f"{int(halted)} {by}: {reason}")

    def last_halt(self) -> tuple[bool, str, str] | None:
        """``(halted, reason, by)`` of the newest row; None when there is none."""
        rows = self._storage.rows("SELECT halted, reason, by FROM halt ORDER BY halt_id DESC LIMIT 1")
        return (bool(rows[0][0]), str(rows[0][1]), str(rows[0][2])) if rows else None

    def summary(self, now: float) -> dict[str, Any]:
        """Figures for ``status``: all integers or text, money in cents."""
        states = dict(self._storage.rows("SELECT state, count(*) FROM intent GROUP BY state ORDER BY state"))
        return {
            "account_id": self.account_id,
            "epoch": self.run,
            "intents": {str(k): int(v) for k, v in states.items()},
            "unresolved": [i.intent_id for i in self.intents.unresolved()],
            "open_contracts": [i.contract_id for i in self.intents.open_contracts()],
            "exposure_cents": self.exposure_cents(),
            "day_loss_cents": self.day_loss_cents(midnight(now)),
            "day_stopped": self.day_stopped(midnight(now)),
            "opening_cents": None if self.fresh else self.cash.opening()[0],
            "total_cents": None if self.fresh else self.cash.total_cents(),
        }
