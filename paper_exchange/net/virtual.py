"""The exchange in process and in virtual time: no sockets and no waiting, thousands of times faster than the wall.

For tests, drills and replays. It is the same exchange, and the text of every frame is the same as over a socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from paper_exchange.exchange import Exchange
from paper_exchange.protocol.frames import Close, Frame, Wire, encode


class VirtualSocket:
    """One connection to a virtual venue.

    Attributes:
        frames: what arrived and was not taken yet, as a client would parse it.
        garbage: texts that arrived and were no JSON object.
        lines: what a fault did to the line beneath the frames.
        closed: the close frame once there was one.
    """

    def __init__(self, venue: VirtualVenue, number: int) -> None:
        self._venue, self.number = venue, number
        self.frames: list[Frame] = []
        self.garbage: list[str] = []
        self.lines: list[Wire] = []
        self.closed: Close | None = None

    def send(self, request: Any) -> None:
        """Send one request, or any JSON value; over a closed line it goes nowhere."""
        if self.closed is not None:
            return
        self._venue.exchange.receive_text(self.number, encode(request))
        self._venue.deliver()

    def ask(self, request: Mapping[str, Any]) -> Frame:
        """Send one request and return the first frame it caused on this socket, which is taken off ``frames``.

        Raises:
            LookupError: when nothing was answered.
        """
        before = len(self.frames)
        self.send(request)
        if len(self.frames) == before:
            raise LookupError(f"no answer to {dict(request)}")
        return self.frames.pop(before)

    def take(self, msg_type: str | None = None) -> list[Frame]:
        """Take the frames that arrived, or only those of one ``msg_type``."""
        taken = [f for f in self.frames if msg_type in (None, f["msg_type"])]
        self.frames = [f for f in self.frames if msg_type not in (None, f["msg_type"])]
        return taken

    def arrived(self, text: str) -> None:
        """A text arrived: keep it for the client."""
        try:
            frame = _DECODER.decode(text)
        except (ValueError, RecursionError):
            frame = None
        if isinstance(frame, dict):
            self.frames.append(frame)
        else:
            self.garbage.append(text)

    def close(self) -> None:
        """Drop the connection."""
        self._venue.exchange.close(self.number)
        self._venue.deliver()


class VirtualVenue:
    """Drives an exchange from the outside.

    Args:
        exchange: a fresh one.

    Attributes:
        transcript: every frame sent, as ``(connection, text on the wire)``.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.transcript: list[tuple[int, str]] = []
        self._sockets: dict[int, VirtualSocket] = {}

    def connect(self, account_id: str | None = None, app_id: int | None = None) -> VirtualSocket:
        """Open a socket; the public one without an account."""
        number = len(self._sockets) + 1
        self._sockets[number] = VirtualSocket(self, number)
        self.exchange.open(number, account_id, app_id)
        return self._sockets[number]

    def advance(self, instants: int = 1) -> int:
        """Let so many instants happen; returns the epoch."""
        for _ in range(instants):
            self.exchange.advance()
            self.deliver()
        return self.exchange.epoch

    def advance_to(self, epoch: int) -> None:
        """Let time run to an epoch."""
        self.exchange.advance_to(epoch)
        self.deliver()

    def deliver(self) -> None:
        """Hand out what the exchange queued."""
        outbox = self.exchange.outbox
        while outbox:
            number, item = outbox.popleft()
            socket = self._sockets.get(number)
            if socket is None or socket.closed is not None:
                continue
            if isinstance(item, Wire):
                socket.lines.append(item)
                continue
            if isinstance(item, Close):
                socket.closed = item
                self.exchange.close(number)
                continue
            text = item if isinstance(item, str) else encode(item)
            self.transcript.append((number, text))
            socket.arrived(text)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
