"""The websocket itself: opened without proxy, redirect or compression, frames handed over where they arrive.

``websockets`` queues frames for a reader task. In lockstep that costs one more turn of the event loop per instant
(measured: about a tenth of the round trip), so complete text frames are handed straight to a callback; the library
keeps doing parsing, limits, keepalive and the closing handshake.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import State

from xtitan_core.deriv.endpoints import without_secrets
from xtitan_core.deriv.errors import VenueError

# websockets logs request lines and payloads at DEBUG, one-time passwords included: this logger stays above it.
_log = logging.getLogger("xtitan.deriv.wire")
_log.setLevel(logging.WARNING)


class WireSocket(ClientConnection):
    """A client connection whose messages go to ``sink`` (text, or None for a binary or undecodable message).

    ``sink`` runs inside the event loop's read callback: it must neither block nor raise.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._early: list[str | None] = []
        self._sink: Callable[[str | None], None] = self._early.append
        self._parts: list[bytes] = []
        self._is_text = True

    def deliver_to(self, sink: Callable[[str | None], None]) -> None:
        """Hand over what has arrived so far and everything from now on."""
        early, self._early = self._early, []
        self._sink = sink
        for message in early:
            sink(message)

    @property
    def is_open(self) -> bool:
        """True while frames can be written."""
        return self.state is State.OPEN

    def write(self, text: str) -> None:
        """Hand one text frame to the transport without awaiting, so that frames leave in the order of the calls."""
        broadcast((self,), text)

    async def ended(self) -> str:
        """Wait for the end of the connection; why it ended, in a few words."""
        try:
            while True:
                await self.recv()  # returns nothing, because data frames never reach the library's queue
        except ConnectionClosed as error:
            frame = error.rcvd or error.sent
        if frame is None:
            return "no close frame"
        reason = "".join(c for c in frame.reason if c.isprintable())
        return f"code {int(frame.code)}{f' {reason}' if reason else ''}"

    def process_event(self, event: object) -> None:
        """Take data frames; leave everything else to the library."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)  # type: ignore[arg-type]
            return
        if event.opcode is not Opcode.CONT:
            self._is_text = event.opcode is Opcode.TEXT
            if event.fin:
                self._sink(_text(bytes(event.data)) if self._is_text else None)
                return
        self._parts.append(bytes(event.data))
        if event.fin:
            whole = b"".join(self._parts)
            self._parts.clear()
            self._sink(_text(whole) if self._is_text else None)


class _Direct(connect):
    """``connect`` that follows no redirect: a one-time password belongs to the host that issued it."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_socket(url: str, *, max_size: int, keepalive: float, open_timeout: float) -> WireSocket:
    """Open a websocket.

    Args:
        url: may carry a one-time password; it appears in no error and no log.
        max_size: largest message accepted, bytes.
        keepalive: seconds between pings, and to wait for a pong.
        open_timeout: seconds for the opening handshake.

    Raises:
        VenueError: unreachable, refused (an expired one-time password is), or not a websocket address.
    """
    where = without_secrets(url)
    try:
        socket = await _Direct(
            url,
            compression=None,
            proxy=None,
            user_agent_header="x.titan",
            open_timeout=open_timeout,
            ping_interval=keepalive,
            ping_timeout=keepalive,
            close_timeout=2,
            max_size=max_size,
            logger=_log,
            create_connection=WireSocket,
        )
    except InvalidURI:
        raise VenueError("BadAddress", f"{where} is not a websocket address; check --venue") from None
    except InvalidStatus as error:
        status = error.response.status_code
        raise VenueError("Refused", f"{where} refused the connection (HTTP {status}); {_advice(status)}") from None
    except (OSError, TimeoutError, InvalidHandshake, EOFError) as error:
        raise VenueError(
            "Unreachable", f"cannot open {where} ({type(error).__name__}); start the exchange or check --venue"
        ) from None
    assert isinstance(socket, WireSocket)
    return socket


def _text(data: bytes) -> str | None:
    """UTF-8 text, or None when it is not."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _advice(status: int) -> str:
    if status in (400, 401):
        return "the one-time password is expired or used, ask for a new one"
    return "check --venue"
