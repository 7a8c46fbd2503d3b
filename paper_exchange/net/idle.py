"""Closing sockets that send no request for too long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from paper_exchange.errors import SetupError
from paper_exchange.net.gateway import Socket
from paper_exchange.protocol.frames import Close
from paper_exchange.venue.state import Venue

CODES = (1000, 1001, 1006, 1011)
"""Close codes a gateway may use; 1006 cuts the line without a close frame."""


@dataclass(frozen=True, slots=True)
class IdleRule:
    """When an idle socket is closed, and how.

    Attributes:
        seconds: of wall time without a request; None never closes one.
        code: close code, one of ``CODES``.
    """

    seconds: float | None = 120.0
    code: int = 1000


def idle_rule(venue: Venue) -> IdleRule:
    """The rule that the venue assumes of Deriv."""
    after = venue.assumes("idle_close")
    return IdleRule(None if after == "never" else float(after), int(venue.assumes("idle_close_code")))


def parse_idle_rule(text: str) -> IdleRule:
    """A rule written as ``SECONDS``, ``SECONDS:CODE`` or ``never``.

    Raises:
        SetupError: it is written otherwise.
    """
    if text == "never":
        return IdleRule(None)
    seconds, _, code = text.partition(":")
    try:
        rule = IdleRule(float(seconds), int(code or 1000))
    except ValueError:
        rule = IdleRule(0.0)
    if rule.seconds is None or not 0 < rule.seconds < 1e6 or rule.code not in CODES:
        raise SetupError(
            f"--idle-close {text!r} is not understood; write SECONDS, SECONDS:CODE or never, CODE one of "
            f"{', '.join(map(str, CODES))}"
        )
    return rule


class IdleWatch:
    """Closes one socket under a rule. A ping of the websocket protocol is no request and does not keep it open.

    Args:
        socket: the socket; its writer sends the close.
        rule: when and how.
    """

    def __init__(self, socket: Socket, rule: IdleRule) -> None:
        self._socket, self._rule = socket, rule
        self._loop = asyncio.get_running_loop()
        self._last_request = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        if rule.seconds is not None:
            self._timer = self._loop.call_at(self._last_request + rule.seconds, self._check)

    def request_arrived(self) -> None:
        """A request arrived."""
        self._last_request = self._loop.time()

    def stop(self) -> None:
        """The socket was closed."""
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        assert self._rule.seconds is not None
        due = self._last_request + self._rule.seconds
        if self._loop.time() < due:
            # To set the timer again here is cheaper than to move it at every request.
            self._timer = self._loop.call_at(due, self._check)
            return
        self._socket.waiting.append(Close(self._rule.code, "idle"))
        self._socket.wake.set()
