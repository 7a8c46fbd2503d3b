"""One port for REST and websockets: uvicorn around the ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from paper_exchange.errors import SetupError
from paper_exchange.exchange import Exchange
from paper_exchange.net.batching import BatchingProtocol
from paper_exchange.net.gateway import Gateway
from paper_exchange.net.idle import IdleRule
from paper_exchange.net.rest import application
from xtitan_core.clock import Timer, monotonic

MAX_MESSAGE = 1 << 20
"""Largest websocket message accepted, in bytes."""

CLOSING_LOOK = 0.005
"""Seconds between two looks at whether the last connection has gone, when the server stops."""


class _Server(uvicorn.Server):
    """uvicorn that says when it answers, and without its signal handling: a signal is a clean stop, not re-raised."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], stop: asyncio.Event) -> None:
        super().__init__(config)
        self._ready, self._stop = ready, stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def main_loop(self) -> None:
        # uvicorn wakes ten times a second to see whether it should stop; only its Date header needs a turn at all.
        while not await self.on_tick(0) and not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1.0 if self.config.date_header else None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn looks ten times a second whether its connections have gone, and at first not at all.
        for closing in (*self.servers, *(sockets or ())):
            closing.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110, a set has no event
                    await asyncio.sleep(CLOSING_LOOK)
                for server in self.servers:
                    await server.wait_closed()
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _LogFilter(logging.Filter):
    """Drops log lines of uvicorn with one-time passwords, and its false alarm at every refused upgrade."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return "otp=" not in message and message != "ASGI callable returned without completing handshake."


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one.

    Raises:
        SetupError: when the address cannot be used.
    """
    if not host:
        # The operating system would listen on every address; an empty variable in a script is no request for that.
        raise SetupError("--host is empty; name an address, such as 127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; it would cost 40 ms an instant.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        listener.setblocking(False)
    except (OSError, OverflowError) as problem:
        listener.close()
        reason = getattr(problem, "strerror", None) or str(problem)
        raise SetupError(f"cannot listen on {host}:{port}: {reason}; choose another --host or --port") from None
    return listener


async def serve(
    exchange: Exchange,
    listener: socket.socket,
    *,
    rate: float | None,
    ready: Callable[[], None],
    stop: asyncio.Event | None = None,
    log_level: str = "warning",
    timer: Timer = monotonic,
    pings: bool = True,
    idle: IdleRule | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``.

    Args:
        exchange: what is served.
        listener: from ``listen``; closed on return.
        rate: venue seconds per second of ``timer``, None for lockstep.
        ready: called once requests are answered.
        stop: set it to stop; without it the process's signals do.
        log_level: of the web server's own log.
        timer: what paced time goes by; with another than the wall's, answers carry no Date either.
        pings: False for a server that never pings; the payloads of pings are random.
        idle: when a silent websocket is closed; None for what the exchange assumes of Deriv.
    """
    gateway = Gateway(exchange, rate, timer)
    config = uvicorn.Config(
        application(gateway, idle),
        ws=BatchingProtocol,
        ws_max_size=MAX_MESSAGE,
        http="h11",
        loop="asyncio",
        lifespan="off",
        ws_ping_interval=20.0 if pings else None,
        date_header=timer is monotonic,
        access_log=False,
        log_config=None,
        log_level=log_level,
        timeout_graceful_shutdown=2,
    )
    logging.getLogger("uvicorn.error").addFilter(_LogFilter())
    if stop is None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if exchange.recorder is not None:
        exchange.recorder.failed = stop.set
    clock = asyncio.create_task(gateway.run_clock())
    # Without its clock the exchange would stand still unnoticed, so the server ends when the clock does.
    clock.add_done_callback(lambda ended: stop.set() if not ended.cancelled() and ended.exception() else None)
    try:
        await _Server(config, ready, stop).serve(sockets=[listener])
    finally:
        clock.cancel()
        (end,) = await asyncio.gather(clock, return_exceptions=True)
        listener.close()
    if isinstance(end, Exception):
        raise end
