"""Between sockets and the exchange: hands over requests, moves time, and delivers frames to their sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from paper_exchange.exchange import Exchange
from paper_exchange.net.batching import BatchingTransport
from paper_exchange.protocol.frames import Close, Item, Wire, encode
from xtitan_core.clock import ScaledClock, Timer, monotonic
from xtitan_core.randomness import token

OTP_SECONDS = 120
SOCKETS_PER_USER = 5
CUT = 1006
"""Close code of a broken line: the transport is aborted and no close frame is sent."""

MAX_BACKLOG = 20_000
"""Frames that may wait for one socket; with more, it is closed as too slow."""
MAX_REST = 3_600.0
"""Seconds the clock of an idle exchange sleeps at a time."""

ASGISend = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Socket:
    """One open websocket: frames waiting to be written, in order; ``line`` is the transport beneath it."""

    number: int
    account_id: str | None
    send: ASGISend
    line: BatchingTransport | None = None
    waiting: deque[Item] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    writing: bool = False
    closed: bool = False

    async def flush(self) -> None:
        """Write what waits; returns at once when another task is at it already."""
        if self.writing or self.closed:
            return
        self.writing = True
        try:
            while self.waiting and not self.closed:
                item = self.waiting.popleft()
                if isinstance(item, Wire):
                    self._on_the_line(item)
                elif isinstance(item, Close) and item.code == CUT and self.line is not None:
                    self.closed = True
                    self.line.cut()
                elif isinstance(item, Close):
                    self.closed = True
                    await self.send({"type": "websocket.close", "code": item.code, "reason": item.reason})
                else:
                    await self.send({"type": "websocket.send", "text": item if isinstance(item, str) else encode(item)})
        finally:
            self.writing = False

    def _on_the_line(self, item: Wire) -> None:
        if self.line is None:
            return
        if item.action == "write":
            self.line.write(item.data)
        elif item.action == "mute":
            self.line.mute()
        else:
            self.line.deafen()


@dataclass(frozen=True, slots=True)
class Grant:
    """A one-time password's account, the app it was issued to, and when it expires (seconds of the gateway's timer)."""

    account_id: str
    app_id: int | None
    expires: float


class Gateway:
    """The running exchange.

    Args:
        exchange: what it serves.
        rate: venue seconds per second of the timer, None for lockstep.
        timer: the clock that paces venue time and lets passwords expire; the wall's, or a virtual loop's.
    """

    def __init__(self, exchange: Exchange, rate: float | None, timer: Timer = monotonic) -> None:
        self.exchange, self.rate, self.timer = exchange, rate, timer
        self._clock = None if rate is None else ScaledClock(exchange.epoch, rate, timer)
        self._resting, self._woken = False, asyncio.Event()
        self._sockets: dict[int, Socket] = {}
        self._grants: dict[str, Grant] = {}
        self._numbers = 0

    @property
    def mode(self) -> str:
        """ "lockstep", "real" or "scaled"."""
        return "lockstep" if self.rate is None else "real" if self.rate == 1 else "scaled"

    # One-time passwords

    def grant(self, account_id: str, app_id: int | None) -> str:
        """Issue a one-time password."""
        now = self.timer()
        self._grants = {otp: grant for otp, grant in self._grants.items() if grant.expires > now}
        otp = token(16)
        self._grants[otp] = Grant(account_id, app_id, now + OTP_SECONDS)
        return otp

    def redeem(self, otp: str) -> Grant | None:
        """Take back a one-time password, which works once; None when it is unknown, used or expired."""
        grant = self._grants.pop(otp, None)
        return grant if grant is not None and grant.expires > self.timer() else None

    def full(self) -> bool:
        """True when the user, whom all accounts belong to, has as many account sockets open as one may."""
        return sum(s.account_id is not None for s in self._sockets.values()) >= SOCKETS_PER_USER

    # Sockets

    def open(
        self,
        send: ASGISend,
        account_id: str | None,
        app_id: int | None,
        address: str | None = None,
        line: BatchingTransport | None = None,
    ) -> Socket:
        """A websocket was accepted."""
        self._numbers += 1
        socket = Socket(self._numbers, account_id, send, line)
        self._sockets[socket.number] = socket
        self.sync()
        self.exchange.open(socket.number, account_id, app_id, address)
        return socket

    def close(self, socket: Socket) -> None:
        """A websocket was closed."""
        socket.closed = True
        socket.wake.set()
        self._sockets.pop(socket.number, None)
        self.exchange.close(socket.number)
        self.deliver()

    def receive(self, socket: Socket, text: str) -> None:
        """A text frame arrived; what it causes lies in the sockets' queues afterwards."""
        self.sync()
        self.exchange.receive_text(socket.number, text)
        self.deliver(socket)

    def sync(self) -> None:
        """Let venue time catch up with the clock; in lockstep it only moves by acknowledgement."""
        if self._clock is not None and not self.exchange.finished:
            self.exchange.advance_to(int(self._clock.now()))

    def deliver(self, own: Socket | None = None) -> None:
        """Sort the outbox to the sockets and wake their writers, except ``own``, whose caller flushes it."""
        outbox = self.exchange.outbox
        while outbox:
            number, item = outbox.popleft()
            socket = self._sockets.get(number)
            if socket is None:
                continue
            if len(socket.waiting) >= MAX_BACKLOG:
                socket.waiting.clear()
                item = Close(1011, "too slow")
            socket.waiting.append(item)
            if socket is not own:
                socket.wake.set()
        if self._resting:
            self._woken.set()

    async def run_clock(self) -> None:
        """Move time on its own; returns at once in lockstep and when time is over otherwise."""
        if self._clock is None or self.rate is None:
            return
        while not self.exchange.finished:
            self.sync()
            self.deliver()
            at = self.exchange.next_event()
            wait = max((self.exchange.world.end + 1 if at is None else at) - self._clock.now(), 0.001)
            # A request may subscribe to an earlier tick: sleep for a second at most, or until a request comes.
            self._resting = wait > 2
            if self._resting:
                self._woken.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), min(wait / self.rate, MAX_REST))
            else:
                await asyncio.sleep(min(1.0, wait) / self.rate)


async def write_when_woken(socket: Socket) -> None:
    """Writer of one socket for frames that other sockets or the clock caused."""
    while not socket.closed:
        await socket.wake.wait()
        socket.wake.clear()
        await socket.flush()
