"""Between sockets and the core: hands requests over, moves time, carries frames to the sockets they are for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from paper_exchange.connections import Close, Frame, encode
from paper_exchange.core import Exchange
from xtitan_core.clock import ScaledClock, monotonic
from xtitan_core.randomness import token

OTP_SECONDS = 120
SOCKETS_PER_ACCOUNT = 5
MAX_BACKLOG = 20_000
"""Frames waiting for one socket before it is given up as too slow."""

ASGISend = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Socket:
    """One open websocket: frames waiting to be written, in order."""

    number: int
    account_id: str | None
    send: ASGISend
    waiting: deque[Frame | str | Close] = field(default_factory=deque)
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
                if isinstance(item, Close):
                    self.closed = True
                    await self.send({"type": "websocket.close", "code": item.code, "reason": item.reason})
                else:
                    await self.send({"type": "websocket.send", "text": item if isinstance(item, str) else encode(item)})
        finally:
            self.writing = False


@dataclass(frozen=True, slots=True)
class Grant:
    """A one-time password's account, the app it was issued to, and when it expires (monotonic seconds)."""

    account_id: str
    app_id: int | None
    expires: float


class Gateway:
    """The running exchange.

    Args:
        exchange: the core.
        rate: venue seconds per wall second, None for lockstep.
    """

    def __init__(self, exchange: Exchange, rate: float | None) -> None:
        self.exchange, self.rate = exchange, rate
        self._clock = None if rate is None else ScaledClock(exchange.epoch, rate)
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
        now = monotonic()
        self._grants = {otp: grant for otp, grant in self._grants.items() if grant.expires > now}
        otp = token(16)
        self._grants[otp] = Grant(account_id, app_id, now + OTP_SECONDS)
        return otp

    def redeem(self, otp: str) -> Grant | None:
        """Use a one-time password up; None when it is unknown, used or expired."""
        grant = self._grants.pop(otp, None)
        return grant if grant is not None and grant.expires > monotonic() else None

    def full(self, account_id: str) -> bool:
        """True when the account has as many sockets open as a user may."""
        return sum(s.account_id == account_id for s in self._sockets.values()) >= SOCKETS_PER_ACCOUNT

    # Sockets

    def open(self, send: ASGISend, account_id: str | None, app_id: int | None) -> Socket:
        """A websocket was accepted."""
        self._numbers += 1
        socket = Socket(self._numbers, account_id, send)
        self._sockets[socket.number] = socket
        self.sync()
        self.exchange.open(socket.number, account_id, app_id)
        return socket

    def close(self, socket: Socket) -> None:
        """A websocket is gone."""
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

    async def run_clock(self) -> None:
        """Move time on its own; returns at once in lockstep and when time is over otherwise."""
        if self._clock is None or self.rate is None:
            return
        while not self.exchange.finished:
            self.sync()
            self.deliver()
            at = self.exchange.next_instant()
            # A new subscription may bring an earlier tick, so never sleep longer than the finest grid.
            wait = 1.0 if at is None else min(1.0, max(at - self._clock.now(), 0.001))
            await asyncio.sleep(wait / self.rate)


async def write_when_woken(socket: Socket) -> None:
    """Writer of one socket for frames that other sockets or the clock caused."""
    while not socket.closed:
        await socket.wake.wait()
        socket.wake.clear()
        await socket.flush()
