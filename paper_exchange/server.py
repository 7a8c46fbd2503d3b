"""One port for REST and websockets: uvicorn around the ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from paper_exchange.batching import BatchingProtocol
from paper_exchange.core import Exchange
from paper_exchange.errors import SetupError
from paper_exchange.gateway import Gateway
from paper_exchange.rest import application

MAX_MESSAGE = 1 << 20
"""Largest websocket message accepted, in bytes."""


class _Server(uvicorn.Server):
    """uvicorn that says when it answers, and without its signal handling: a signal is a clean stop, not re-raised."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _LogFilter(logging.Filter):
    """Keeps one-time passwords out of uvicorn's log, and a false alarm it raises on every refused upgrade."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return "otp=" not in message and message != "ASGI callable returned without completing handshake."


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one.

    Raises:
        SetupError: when the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle off only where it is, and Nagle costs 40 ms an instant.
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
) -> None:
    """Serve until SIGTERM, SIGINT or ``stop``.

    Args:
        exchange: the core.
        listener: from ``listen``; closed on return.
        rate: venue seconds per wall second, None for lockstep.
        ready: called once requests are answered.
        stop: set it to stop; without it the process's signals do.
        log_level: of the web server's own log.
    """
    gateway = Gateway(exchange, rate)
    config = uvicorn.Config(
        application(gateway),
        ws=BatchingProtocol,
        ws_max_size=MAX_MESSAGE,
        http="h11",
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level=log_level,
        timeout_graceful_shutdown=2,
    )
    logging.getLogger("uvicorn.error").addFilter(_LogFilter())
    server = _Server(config, ready)
    loop = asyncio.get_running_loop()
    if stop is None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    clock = asyncio.create_task(gateway.run_clock())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        clock.cancel()
        stopping.cancel()
        await asyncio.gather(clock, stopping, return_exceptions=True)
        listener.close()
