"""The kill latch: once halted, nothing is bought until a person resumes, also after a restart.

The latch is closed in memory first, without I/O, then in a file, then in the ledger, whose trigger refuses to mark a
buy as sent. It opens only when all three say so. Anything unreadable, missing or unexpected counts as halted. A file
named ``HALT`` in the state folder is enough to halt; only the local command line resumes.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from live_runner.errors import RunnerError
from xtitan_core.files import write_atomically

LATCH_FILE = "latch.json"
HALT_FILE = "HALT"
MAX_REASON = 500


class LatchError(RunnerError):
    """The latch cannot be opened now; one line that says what to do."""


class HaltLog(Protocol):
    """The ledger's side of the latch."""

    @property
    def fresh(self) -> bool:
        """True until the account's opening balance has been recorded."""
        ...

    def record_halt(self, halted: bool, reason: str, by: str, now: float) -> None:
        """Append to the halt table."""
        ...

    def last_halt(self) -> tuple[bool, str, str] | None:
        """``(halted, reason, by)`` of the newest row; None when there is none."""
        ...


class KillLatch:
    """Whether buying is halted. Use ``open``.

    Attributes:
        folder: the state folder that holds ``latch.json`` and, to halt, ``HALT``.
    """

    def __init__(self, folder: Path, log: HaltLog, now: Callable[[], float]) -> None:
        self.folder = folder
        self._log = log
        self._now = now
        self._halted, self._reason, self._by = True, "the latch was never opened", "runner"

    @classmethod
    def open(cls, folder: Path, log: HaltLog, now: Callable[[], float]) -> KillLatch:
        """Read the latch from disk; a state folder without one is halted unless the ledger is new, too.

        Args:
            folder: state folder, created when missing.
            log: the ledger.
            now: venue time, for the ledger's row.
        """
        latch = cls(folder, log, now)
        folder.mkdir(parents=True, exist_ok=True)
        written = log.last_halt()
        if written is None and not (folder / LATCH_FILE).exists() and log.fresh:
            latch._store(False, "first start", "runner")
        halted, reason, by = latch._read()
        if not halted and written is not None and written[0]:
            halted, reason, by = written
        latch._halted, latch._reason, latch._by = halted, reason, by
        latch.poll()
        return latch

    @property
    def halted(self) -> bool:
        """True while nothing may be bought."""
        return self._halted

    @property
    def reason(self) -> str:
        """Why it is in the state it is in."""
        return self._reason

    @property
    def by(self) -> str:
        """Who put it there."""
        return self._by

    def poll(self) -> bool:
        """Look for the ``HALT`` file (one ``stat``) and return whether the latch is halted.

        A folder that cannot be looked into halts as well.
        """
        if not self._halted:
            try:
                os.stat(self.folder / HALT_FILE)
            except FileNotFoundError:
                if not (self.folder / LATCH_FILE).exists():
                    self.halt("latch.json disappeared from the state folder", "runner")
            except OSError as error:
                self.halt(f"state folder cannot be read: {error.strerror}", "runner")
            else:
                self.halt(self._halt_file_reason(), "halt file")
        return self._halted

    def halt(self, reason: str, by: str) -> None:
        """Stop buying now. Raises nothing: if the disk fails, it is halted in memory and an empty ``HALT`` is tried."""
        first = not self._halted
        self._halted = True
        if not first:
            return
        self._reason, self._by = reason[:MAX_REASON], by
        try:
            self._store(True, self._reason, by)
        except OSError:
            # A full disk often still has room for an empty file, and its name alone halts the next start.
            with contextlib.suppress(OSError):
                os.close(os.open(self.folder / HALT_FILE, os.O_WRONLY | os.O_CREAT, 0o600))
        # Storage that fails must not keep the halt from taking effect; the ledger itself then refuses every write.
        with contextlib.suppress(Exception):
            self._log.record_halt(True, self._reason, by, self._now())

    def resume(self, reason: str, by: str) -> None:
        """Allow buying again.

        Raises:
            LatchError: without a reason, or when the halt could not be cleared everywhere; it then stays halted.
        """
        if not reason.strip():
            raise LatchError("resuming needs a reason; give one with --reason")
        try:
            (self.folder / HALT_FILE).unlink(missing_ok=True)
            self._log.record_halt(False, reason[:MAX_REASON], by, self._now())
            self._store(False, reason[:MAX_REASON], by)
        except Exception as error:
            self._halted = True
            raise LatchError(f"still halted: the halt could not be cleared ({error})") from error
        self._halted, self._reason, self._by = False, reason[:MAX_REASON], by

    @staticmethod
    def request_halt(folder: Path, reason: str) -> None:
        """Halt from outside the runner, running or not: write the ``HALT`` file.

        Raises:
            OSError: when the state folder cannot be written.
        """
        try:
            write_atomically(folder / HALT_FILE, reason[:MAX_REASON].encode(), durable=True, mode=0o600)
        except OSError:
            # Another halt at the same time took the temporary file, or the disk is full. The file's name alone halts.
            os.close(os.open(folder / HALT_FILE, os.O_WRONLY | os.O_CREAT, 0o600))

    @staticmethod
    def peek(folder: Path) -> tuple[bool, str, str]:
        """``(halted, reason, by)`` from the files alone, for ``status`` while no runner holds the ledger."""
        if (folder / HALT_FILE).exists():
            return True, "a HALT file is in the state folder", "halt file"
        return _read_latch(folder / LATCH_FILE)

    def _halt_file_reason(self) -> str:
        try:
            text = (self.folder / HALT_FILE).read_text(errors="replace")[:MAX_REASON].strip()
        except OSError:
            text = ""
        return text or "a HALT file is in the state folder"

    def _read(self) -> tuple[bool, str, str]:
        return _read_latch(self.folder / LATCH_FILE)

    def _store(self, halted: bool, reason: str, by: str) -> None:
        body = json.dumps({"halted": halted, "reason": reason, "by": by, "epoch": int(self._now())})
        write_atomically(self.folder / LATCH_FILE, body.encode(), durable=True, mode=0o600)


def _read_latch(path: Path) -> tuple[bool, str, str]:
    try:
        body = json.loads(path.read_bytes())
        if body["halted"] is False:
            return False, str(body["reason"]), str(body["by"])
        return True, str(body["reason"]), str(body["by"])
    except (OSError, ValueError, KeyError, TypeError):
        return True, f"{path.name} is missing or unreadable", "runner"
