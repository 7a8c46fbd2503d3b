"""Ctrl-C and SIGTERM during a run: noticed whenever they come, and raised only where nothing is left half done.

Dagster raises KeyboardInterrupt inside a step, but loses a signal that comes at a run's end. Between runs, Python would
raise it while a database is being closed, which SQLAlchemy reports with a traceback.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from xtitan_assets.workspace.errors import StepError

STOPPING = (signal.SIGINT, signal.SIGTERM)
T = TypeVar("T")


class Interrupted(StepError):
    """SIGINT or SIGTERM came while the venue was being asked."""


def attended(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` in which a signal cancels the task. Dagster's own handler would raise inside asyncio's code.

    Raises:
        Interrupted: a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(main)
    interrupted = False

    async def cancellable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def cancel(number: int, frame: FrameType | None) -> None:
            nonlocal interrupted
            interrupted = True
            loop.call_soon_threadsafe(task.cancel)

        with _handling(cancel):
            return await main

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        if not interrupted:
            raise
        raise Interrupted("interrupted; run it again to go on") from None


@contextmanager
def remembered() -> Iterator[Callable[[], bool]]:
    """Notice SIGINT and SIGTERM whatever handlers Dagster installs; outside its steps, only a second one raises.

    Yields:
        A function that returns True once a signal came. Always False outside the main thread, which gets no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    received, handled = False, 0
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def interrupted() -> bool:
        nonlocal received
        with suppress(BlockingIOError):
            received = received or any(number in STOPPING for number in reader.recv(4_096))
        return received

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal handled
        handled += 1
        if handled > 1:
            raise KeyboardInterrupt

    try:
        with _handling(handle):
            yield interrupted
    finally:
        signal.set_wakeup_fd(before)
        reader.close()
        writer.close()


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in STOPPING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
