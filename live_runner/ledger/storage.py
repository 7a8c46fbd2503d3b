"""The SQLite file under the ledger: one process, one connection, each commit fsynced before it returns."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from live_runner.ledger import schema
from live_runner.ledger.records import IllegalTransitionError, LedgerError, LedgerFaultError, LedgerLockedError

_ACCOUNT = re.compile(r"[A-Za-z0-9]{3,20}", re.ASCII)


class Storage:
    """An exclusively locked SQLite database that stops working at the first storage error. Use ``open``.

    Attributes:
        path: the database file.
        run: number of this run; every write carries it.
    """

    def __init__(self, path: Path, lock: int, db: sqlite3.Connection) -> None:
        self.path, self.run = path, 0
        self._lock, self._db = lock, db
        self._fault: str | None = None

    @classmethod
    def open(cls, folder: Path, account_id: str, now: float) -> Self:
        """Lock the folder's ledgers, check the account's and start a new run.

        Raises:
            LedgerLockedError: when another process holds the folder.
            LedgerError: when the folder cannot be used, or the file is of a newer version.
            LedgerFaultError: when SQLite finds it damaged.
        """
        if not _ACCOUNT.fullmatch(account_id):
            raise LedgerError(f"account id {account_id!r} is not a Deriv account id; check the configuration")
        path = folder / f"ledger-{account_id}.sqlite3"
        # One runner a folder, not one an account: control socket, halt file and models belong to the folder.
        lock = _lock(folder / "ledger.lock")
        db: sqlite3.Connection | None = None
        try:
            db = sqlite3.connect(path, timeout=0.0, isolation_level=None)
            storage = cls(path, lock, db)
            storage._prepare(now)
        except BaseException as error:
            if db is not None:
                db.close()
            os.close(lock)
            if isinstance(error, sqlite3.Error):
                raise LedgerFaultError(
                    f"{path}: {error}; the ledger cannot be used: keep it, restore a backup"
                ) from error
            raise
        return storage

    def _prepare(self, now: float) -> None:
        for name, value, expected in schema.PRAGMAS:
            # Fetching matters: SQLite reports some failures of a pragma only with its row.
            self._db.execute(f"PRAGMA {name}={value}").fetchall()
            row = self._db.execute(f"PRAGMA {name}").fetchone()
            if row is None or str(row[0]).lower() != expected:
                raise LedgerFaultError(f"{self.path}: PRAGMA {name} is {row}, expected {expected}; check the disk")
        problems = self._db.execute("PRAGMA quick_check(3)").fetchall()
        if problems != [("ok",)]:
            raise LedgerFaultError(f"{self.path}: damaged ({problems[0][0]}); keep it, restore a backup")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        empty = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if not empty and version != schema.LEDGER_SCHEMA:
            raise LedgerError(
                f"{self.path}: schema {version}, this runner writes {schema.LEDGER_SCHEMA}; "
                "run the version that made it"
            )
        if empty:
            self._db.executescript(
                f"BEGIN EXCLUSIVE;{schema.statements()}PRAGMA user_version={schema.LEDGER_SCHEMA};COMMIT;"
            )
        with self.write() as db:
            self.run = int(db.execute("SELECT coalesce(max(epoch), 0) + 1 FROM writer").fetchone()[0])
            db.execute("INSERT INTO writer (epoch, started) VALUES (?, ?)", (self.run, now))

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; on leaving it is on the disk, or nothing of it happened.

        Raises:
            IllegalTransitionError: when a constraint or trigger refused it.
            LedgerFaultError: when storage failed; every later use fails, too.
        """
        self._usable()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            self._rollback()
            raise IllegalTransitionError(f"the ledger refused: {error}") from error
        except sqlite3.Error as error:
            self._fail(error)
        except BaseException:
            self._rollback()
            raise

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """All rows of a query.

        Raises:
            LedgerFaultError: when storage failed.
        """
        self._usable()
        try:
            return self._db.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            self._fail(error)
            raise AssertionError from error  # _fail always raises

    def number(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """The one integer of an aggregate query."""
        return int(self.rows(sql, parameters)[0][0])

    def close(self) -> None:
        """Close the file and let the next runner in."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        self._fault = self._fault or "closed"

    def _usable(self) -> None:
        if self._fault is not None:
            raise LedgerFaultError(f"{self.path}: {self._fault}; restart the runner, which verifies the ledger")

    def _rollback(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._fail(error)

    def _fail(self, error: sqlite3.Error) -> None:
        # A failed fsync must never be retried: the kernel may have dropped the pages and report success next time.
        self._fault = f"storage failed ({error})"
        with contextlib.suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        raise LedgerFaultError(f"{self.path}: {self._fault}; free or repair the disk, then restart") from error


def _lock(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"{path.parent}: {error.strerror}; choose a state folder that can be written") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LedgerLockedError(f"another runner already uses the ledgers in {path.parent}; stop it first") from error
    return descriptor
