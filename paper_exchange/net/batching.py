"""One write for all frames of an instant.

uvicorn writes each frame on its own, and each write wakes the client. In lockstep an instant is two or more frames and
the client answers only the last, so that costs a context switch a frame. Here, frames written within one turn of the
event loop go out together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request as HttpRequest


class BatchingTransport(asyncio.Transport):
    """A transport that gathers what is written until the event loop's next turn.

    Args:
        inner: the real transport.
        loop: its event loop.
    """

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner, self._loop = inner, loop
        self._gathered: list[bytes | bytearray | memoryview] = []
        self._mute = self._deaf = False

    def mute(self) -> None:
        """Write what was gathered, and from then on nothing: a line that is half-open towards the peer."""
        self.flush()
        self._mute = True

    def cut(self) -> None:
        """Write what was gathered, and break the line without a close frame."""
        self.flush()
        self.abort()

    def deafen(self) -> None:
        """Read nothing more: a line that is half-open from the peer."""
        self._deaf = True
        self._inner.pause_reading()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._mute:
            return
        if not self._gathered:
            self._loop.call_soon(self.flush)
        self._gathered.append(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def flush(self) -> None:
        """Write what was gathered."""
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            if self._inner.is_closing():
                return
            self._inner.write(gathered[0] if len(gathered) == 1 else b"".join(gathered))

    def close(self) -> None:
        self.flush()
        self._inner.close()

    def abort(self) -> None:
        self._gathered.clear()
        self._inner.abort()

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._inner.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        if not self._deaf:
            self._inner.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._inner.get_write_buffer_size() + sum(map(len, self._gathered))


LINE = "paper.line"
"""ASGI extension under which a websocket's scope holds its transport, for faults beneath the frames."""


def line_of(scope: MutableMapping[str, Any]) -> BatchingTransport | None:
    """The transport of a websocket's scope; None when another server than ours runs the application."""
    line = scope.get("extensions", {}).get(LINE)
    return line if isinstance(line, BatchingTransport) else None


class BatchingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's websocket protocol over a batching transport."""

    def handle_connect(self, event: HttpRequest) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][LINE] = self.transport  # type: ignore[assignment]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(BatchingTransport(transport, self.loop))
