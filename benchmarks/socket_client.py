"""A websocket client that sends prepared frames and counts the answers.

It parses no JSON and runs no event loop: either would make it slower than the servers it measures.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence


class SocketClient:
    """A blocking connection to a websocket on this machine."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        assert b" 101 " in head.splitlines()[0], head
        self._buffer[:] = rest

    def send(self, *payloads: bytes) -> None:
        """Send text frames in one write; a mask of zeros leaves the payload as it is."""
        self._socket.sendall(b"".join(_header(len(p)) + p for p in payloads))

    def receive(self, count: int) -> bytes:
        """Wait for so many text frames; the last one's payload."""
        payload = b""
        while count:
            opcode, payload = self._frame()
            assert opcode in (1, 9), f"the server sent opcode {opcode}: {payload!r}"
            count -= opcode == 1
        return payload

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def _frame(self) -> tuple[int, bytes]:
        start = 2
        while True:
            held = len(self._buffer)
            if held >= 2:
                size = self._buffer[1]
                if size == 126 and held >= 4:
                    size, start = int.from_bytes(self._buffer[2:4], "big"), 4
                elif size == 127 and held >= 10:
                    size, start = int.from_bytes(self._buffer[2:10], "big"), 10
                if self._buffer[1] < 126 or start > 2:
                    if held >= start + size:
                        break
                    start = 2
            self._fill()
        opcode, payload = self._buffer[0] & 15, bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return opcode, payload

    def _fill(self) -> None:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data


def _header(size: int) -> bytes:
    if size < 126:
        return bytes((0x81, 0x80 | size)) + bytes(4)
    return bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big") + bytes(4)


def request_reply(client: SocketClient, script: Sequence[str], expected: Sequence[int]) -> float:
    """Requests a second when each waits for the frames the one before caused.

    Args:
        expected: frames that each request causes.
    """
    payloads = [text.encode() for text in script]
    begun = time.perf_counter()
    for payload, frames in zip(payloads, expected, strict=True):
        client.send(payload)
        client.receive(frames)
    return len(script) / (time.perf_counter() - begun)


def pipelined(client: SocketClient, script: Sequence[str], expected: Sequence[int], window: int) -> float:
    """Requests a second when up to ``window`` are unanswered, sent half a window at a time."""
    payloads, half = [text.encode() for text in script], window // 2
    begun, waiting = time.perf_counter(), 0
    for at in range(0, len(script), half):
        client.send(*payloads[at : at + half])
        client.receive(waiting)
        waiting = sum(expected[at : at + half])
    client.receive(waiting)
    return len(script) / (time.perf_counter() - begun)
