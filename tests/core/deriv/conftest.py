"""Real servers on free ports for the Deriv client: a scriptable websocket venue, a scriptable REST venue, the exchange."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from async_solipsism.loop import EventLoop  # type: ignore[import-untyped]
from websockets.asyncio.server import ServerConnection, serve

from xtitan_core.deriv import client, reconnect

Handler = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]


def answer(request: dict[str, Any], call: str, body: object, **more: object) -> str:
    """A frame in Deriv's form that answers ``request``."""
    return json.dumps({"echo_req": request, "msg_type": call, "req_id": request["req_id"], call: body, **more})


async def silent(socket: ServerConnection, request: dict[str, Any]) -> None:
    """A venue that takes everything and says nothing."""


@dataclass
class SocketVenue:
    """A websocket server whose behaviour is one coroutine.

    Attributes:
        handler: called with each request.
        received: every request so far, in order.
        sockets: connections so far.
        greet: called with each new connection.
    """

    handler: Handler = silent
    received: list[dict[str, Any]] = field(default_factory=list)
    sockets: list[ServerConnection] = field(default_factory=list)
    greet: Callable[[ServerConnection], Awaitable[None]] | None = None
    port: int = 0

    @property
    def url(self) -> str:
        """Where a client connects, with a one-time password like Deriv's."""
        return f"ws://127.0.0.1:{self.port}/trading/v1/options/ws/demo?otp=CANARY-OTP-{len(self.sockets)}"

    async def serve(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        if self.greet is not None:
            await self.greet(socket)
        with contextlib.suppress(Exception):
            async for message in socket:
                request = json.loads(message)
                self.received.append(request)
                await self.handler(socket, request)


@pytest.fixture
async def venue() -> AsyncIterator[SocketVenue]:
    """A scriptable websocket venue."""
    it = SocketVenue()
    async with serve(it.serve, "127.0.0.1", 0, compression=None, max_size=None, close_timeout=0.5) as server:
        it.port = next(iter(server.sockets)).getsockname()[1]
        yield it


@pytest.fixture
def frame_for() -> Callable[..., str]:
    """Builds an answering frame: ``frame_for(request, "time", 5)``."""
    return answer


@dataclass
class RestVenue:
    """An HTTP server that answers every request with what ``respond(method, path, headers)`` returns.

    A status from 300 to 399 sends the client to ``location``.
    """

    respond: Callable[[str, str, dict[str, str]], tuple[int, object]]
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    location: str = "http://127.0.0.1:1/elsewhere"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        self.requests.append((method, path, headers))
        status, body = self.respond(method, path, headers)
        payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        extra = f"Location: {self.location}\r\n" if 300 <= status < 400 else ""
        writer.write(
            f"HTTP/1.1 {status} X\r\n{extra}Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n".encode()
        )
        writer.write(payload)
        await writer.drain()
        writer.close()


@pytest.fixture
async def rest_venue() -> AsyncIterator[RestVenue]:
    """A scriptable REST venue."""
    it = RestVenue(lambda method, path, headers: (200, {"data": []}))
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    async with server:
        yield it


@pytest.fixture(scope="session")
def exchange_url() -> Iterator[str]:
    """The REST base of a real paper exchange in lockstep, in its own process."""
    command = [
        sys.executable,
        "-m",
        "paper_exchange",
        "serve",
        "--port",
        "0",
        "--speed",
        "lockstep",
        "--history-days",
        "2",
    ]
    process = subprocess.Popen([*command, "--quiet"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        found = re.search(r"url=(\S+)", ready)
        assert found, f"the exchange did not start: {ready!r}"
        yield found[1]
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


VIRTUAL = {"test_client.py", "test_client_idle.py", "test_reconnect.py"}
"""Modules whose venue and client share one loop: its time is virtual, so that nothing waits and nothing comes late."""

CLOCK_STEP = 1e-6
"""Seconds by which virtual time moves at least."""


class VirtualLoop(EventLoop):  # type: ignore[misc]
    """Virtual time and sockets in memory; who waits for less than the clock's step waits for one step."""

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        now = self.time()
        if now < when < now + CLOCK_STEP:
            when = now + CLOCK_STEP
        return super().call_at(when, callback, *args, context=context)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Virtual time for the modules of ``VIRTUAL``, asyncio's own loop for the others."""
    return {"virtual": VirtualLoop} if item.path.name in VIRTUAL else {"real": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def one_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In virtual time the client and its reconnecting read the loop's clock instead of the machine's."""
    if request.path.name in VIRTUAL:
        for module in (client, reconnect):
            monkeypatch.setattr(module, "monotonic", lambda: asyncio.get_running_loop().time())
