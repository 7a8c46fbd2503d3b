"""Decides whether a sensor asks for a run: one run a cause, a pause between causes, three attempts when runs fail.

Dagster drops a request whose ``run_key`` was used before, without a message. So the key carries the number of the
attempt: a repeated evaluation (the daemon died before it stored the cursor) is dropped, and a run that failed is asked
for again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import NamedTuple

MAX_ATTEMPTS = 3


class LastRun(StrEnum):
    """State of the newest run for a cause."""

    NONE = "none"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a sensor remembers.

    Attributes:
        cause: what the newest request was for; empty before the first.
        attempt: how often it has been asked for.
        requested_at: host time of the newest request, epoch seconds.
    """

    cause: str = ""
    attempt: int = 0
    requested_at: float = 0.0

    def dump(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def load(cls, text: str | None) -> Cursor:
        """Read a stored cursor; an unreadable one starts afresh, which costs at most one repeated run."""
        try:
            stored = json.loads(text or "{}")
            cause, attempt = str(stored.get("cause", "")), int(stored.get("attempt", 0))
            return cls(cause, attempt, float(stored.get("requested_at", 0.0)))
        except (ValueError, TypeError, AttributeError):
            return cls()


class Answer(NamedTuple):
    """The cursor to store, and either the key of a run to request or the reason not to."""

    cursor: Cursor
    run_key: str | None
    reason: str


def next_request(
    cursor: Cursor, cause: str | None, last: LastRun, busy: bool, now: float, *, cool_down: float, retry_after: float
) -> Answer:
    """Decide whether to ask for a run now.

    Args:
        cursor: as stored.
        cause: identifies what there is to do now; None = nothing.
        last: newest run for this very cause.
        busy: a run for any cause of this sensor is queued or running.
        now: host time, epoch seconds.
        cool_down: least seconds between requests for different causes.
        retry_after: seconds before a failed cause is tried again; doubled after each attempt.
    """
    if cause is None:
        return Answer(cursor, None, "nothing to do")
    if busy or last is LastRun.RUNNING:
        return Answer(cursor, None, "a run is in progress")
    waited = now - cursor.requested_at
    if cause != cursor.cause:
        if last is LastRun.SUCCEEDED:
            return Answer(cursor, None, "done already")
        if cursor.cause and waited < cool_down:
            return Answer(cursor, None, f"cooling down for another {cool_down - waited:.0f} s")
        return _ask(cause, 1, now)
    if last is LastRun.SUCCEEDED:
        return Answer(cursor, None, "done already")
    if cursor.attempt >= MAX_ATTEMPTS:
        return Answer(cursor, None, f"gave up after {cursor.attempt} attempts; the next change starts a new one")
    pause = retry_after * 2 ** (cursor.attempt - 1)
    if waited < pause:
        return Answer(cursor, None, f"tried {cursor.attempt} time(s), next in {pause - waited:.0f} s")
    return _ask(cause, cursor.attempt + 1, now)


def _ask(cause: str, attempt: int, now: float) -> Answer:
    return Answer(Cursor(cause, attempt, now), f"{cause}#{attempt}", "")
