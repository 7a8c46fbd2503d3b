"""The real server and real websocket clients in virtual time: uvicorn and ``websockets`` over sockets in memory.

When every task sleeps, time jumps to the next one that wakes. Hours of keepalive take milliseconds, and the same script
sends the same bytes. Needs async-solipsism, which only the development environment installs.

    async def script() -> None:
        async with open_exchange(exchange, rate=1.0) as venue:
            async with connect(await venue.otp("DOT90000001"), proxy=None) as socket:
                ...

    run(script())
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from async_solipsism.loop import EventLoop  # type: ignore[import-untyped]
from async_solipsism.socket import ListenSocket, Queue, Socket, SocketFd  # type: ignore[import-untyped]

from paper_exchange.exchange import Exchange
from paper_exchange.net.idle import IdleRule
from paper_exchange.net.server import serve

HOST, PORT = "127.0.0.1", 8700
_ACCOUNTS = "/trading/v1/options/accounts"

T = TypeVar("T")


def run(script: Coroutine[Any, Any, T]) -> T:
    """Run a script on a virtual loop of its own.

    Raises:
        async_solipsism.SleepForeverError: every task waits for another one.
    """
    with asyncio.Runner(loop_factory=EventLoop) as runner:
        return runner.run(script)


class Pipe(Queue):  # type: ignore[misc]
    """One direction of a link.

    Attributes:
        carried: every byte the far end was given, in order.
        cut: True when what is written from now on is lost, the end of the stream included, and no end is notified.
    """

    def __init__(self) -> None:
        # The server never has to wait for a reader, as on a machine with large socket buffers.
        super().__init__(capacity=1 << 30)
        self.carried = bytearray()
        self.cut = False

    def write(self, data: Any) -> int:
        if self.cut:
            return len(data)
        written: int = super().write(data)
        self.carried += data
        return written

    def write_eof(self) -> None:
        if not self.cut:
            super().write_eof()


class Descriptor(SocketFd):  # type: ignore[misc]
    """In place of a file descriptor; it compares as below zero, so that it is never given to the operating system."""

    def __lt__(self, other: object) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descriptor) and self.socket is other.socket

    def __hash__(self) -> int:
        return hash(self.socket)


class End(Socket):  # type: ignore[misc]
    """One end of a link."""

    def fileno(self) -> Descriptor:
        return Descriptor(self)


@dataclass(frozen=True, slots=True)
class Link:
    """A connection between a client and the server, for tests to inspect and to break.

    Attributes:
        port: the client's port; the first connection has 1.
        up: from client to server.
        down: from server to client.
    """

    port: int
    up: Pipe = field(default_factory=Pipe)
    down: Pipe = field(default_factory=Pipe)

    def cut(self, *, up: bool = False, down: bool = False) -> None:
        """Lose everything from now on in the named directions; neither end notices."""
        self.up.cut, self.down.cut = self.up.cut or up, self.down.cut or down

    def sever(self) -> None:
        """End the connection at both ends without a close frame."""
        self.up.write_eof()
        self.down.write_eof()

    def frames_down(self) -> bytes:
        """What the server sent after its HTTP answer's headers: of an upgraded connection, the websocket frames."""
        return bytes(self.down.carried).partition(b"\r\n\r\n")[2]


class Listener(ListenSocket):  # type: ignore[misc]
    """The server's listening socket; remembers every link.

    Attributes:
        links: connections in the order they were made.
        refusing: True to refuse new connections.
    """

    def __init__(self) -> None:
        super().__init__((HOST, PORT))
        self.links: list[Link] = []
        self.refusing = False
        self._arrived: deque[End] = deque()
        self._closed = False

    async def make_connection(self, peername: tuple[Any, ...]) -> End:
        if self.refusing or self._closed:
            raise ConnectionRefusedError(f"nobody listens on {HOST}:{PORT}")
        link = Link(peername[1])
        self.links.append(link)
        self._arrived.append(End(link.up, link.down, sockname=self.getsockname(), peername=peername))
        return End(link.down, link.up, sockname=peername, peername=self.getsockname())

    def read_ready(self) -> bool:
        return bool(self._arrived)

    def accept(self) -> tuple[End, Any]:
        if not self._arrived:
            raise BlockingIOError
        arrived = self._arrived.popleft()
        return arrived, arrived.getpeername()

    def close(self) -> None:
        self._closed = True
        while self._arrived:
            self._arrived.popleft().close()


class InMemoryVenue:
    """A served exchange.

    Attributes:
        url: its REST base; the websocket addresses follow from it, and any client of this loop can open them.
        listener: its socket, with the links to inspect and to break.
    """

    url = f"http://{HOST}:{PORT}"

    def __init__(self, exchange: Exchange, listener: Listener) -> None:
        self.exchange, self.listener = exchange, listener

    @property
    def links(self) -> list[Link]:
        """Connections in the order they were made, REST calls included."""
        return self.listener.links

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One REST call over a connection of its own.

        Returns:
            Status and parsed body.
        """
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nAuthorization: Bearer paper\r\nDeriv-App-ID: 1089\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(HOST, PORT)
        writer.write(head.encode() + content)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        headers, _, text = answer.partition(b"\r\n\r\n")
        status = int(headers.split()[1])
        return status, json.loads(text) if b"application/json" in headers else text.decode()

    async def otp(self, account_id: str) -> str:
        """A websocket address that works once.

        Raises:
            LookupError: the exchange gave none; with its answer.
        """
        status, body = await self.call("POST", f"{_ACCOUNTS}/{account_id}/otp")
        if status != 200:
            raise LookupError(f"no one-time password: {status} {body}")
        return str(body["data"]["url"])

    @property
    def public(self) -> str:
        """The public websocket's address."""
        return f"ws://{HOST}:{PORT}/trading/v1/options/ws/public"


@contextlib.asynccontextmanager
async def open_exchange(
    exchange: Exchange, *, rate: float | None = 1.0, pings: bool = True, idle: IdleRule | None = None
) -> AsyncIterator[InMemoryVenue]:
    """Serve an exchange on the running virtual loop until the block ends.

    Args:
        exchange: a fresh one.
        rate: venue seconds per virtual second, None for lockstep.
        pings: False when the bytes must repeat: uvicorn's pings carry random payloads.
        idle: when a silent websocket is closed; None for what the exchange assumes of Deriv.
    """
    loop = asyncio.get_running_loop()
    listener, ready, stop = Listener(), asyncio.Event(), asyncio.Event()
    serving = loop.create_task(
        serve(exchange, listener, rate=rate, ready=ready.set, stop=stop, timer=loop.time, pings=pings, idle=idle)
    )
    try:
        await ready.wait()
        yield InMemoryVenue(exchange, listener)
    finally:
        stop.set()
        await serving
