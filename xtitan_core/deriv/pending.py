"""Requests whose answers are outstanding, matched by ``req_id``."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from xtitan_core.deriv.errors import ConnectionLost
from xtitan_core.deriv.protocol import error_of

LATE_ANSWERS = 1_000
"""Requests whose answers may still come after we gave up on them."""
IDS_PER_GENERATION = 1_000_000

Answer = asyncio.Future[dict[str, Any]]


class PendingRequests:
    """What was asked on one connection and not answered yet.

    Args:
        generation: the connection's number; ``req_id`` values start at ``generation * IDS_PER_GENERATION + 1``, so they
            do not repeat across connections.
    """

    def __init__(self, generation: int) -> None:
        self._ids = itertools.count(generation * IDS_PER_GENERATION + 1)
        self._waiting: dict[int, Answer] = {}
        self._given_up: dict[int, None] = {}

    def expect(self) -> tuple[int, Answer]:
        """A new ``req_id`` and the future that its answer will complete."""
        req_id = next(self._ids)
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waiting[req_id] = answer
        return req_id, answer

    def forget(self, req_id: int) -> None:
        """Wait no more; should an answer come, ``take`` does not know it."""
        self._waiting.pop(req_id, None)

    def give_up(self, req_id: int) -> None:
        """Wait no more; should the answer come, ``take`` drops it."""
        if self._waiting.pop(req_id, None) is None:
            return
        if len(self._given_up) >= LATE_ANSWERS:
            del self._given_up[next(iter(self._given_up))]
        self._given_up[req_id] = None

    def take(self, frame: dict[str, Any]) -> bool:
        """Hand an awaited answer to its waiter, as a result or as the ``DerivError`` it carries.

        Returns:
            True when the frame answers a request that was waited for, or one that was given up.
        """
        req_id = frame.get("req_id")
        if type(req_id) is not int:
            return False
        waiter = self._waiting.pop(req_id, None)
        if waiter is None:
            if req_id not in self._given_up:
                return False
            del self._given_up[req_id]
            return True
        if waiter.done():
            return False
        error = error_of(frame)
        if error is None:
            waiter.set_result(frame)
        else:
            _fail(waiter, error)
        return True

    def end(self, reason: str) -> None:
        """End all requests that wait: no answer will come."""
        for waiter in self._waiting.values():
            if not waiter.done():
                _fail(waiter, ConnectionLost(f"the connection closed before the answer came ({reason})"))
        self._waiting.clear()


def _fail(waiter: Answer, error: Exception) -> None:
    """End a future with an error that nobody is obliged to look at."""
    waiter.set_exception(error)
    waiter.exception()
