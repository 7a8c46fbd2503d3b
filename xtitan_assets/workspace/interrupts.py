"""Ctrl-C that is neither lost nor in the way.

Dagster raises it inside a step, but forgets one that comes at a run's end; between runs, Python would raise it in the
middle of closing a database, which SQLAlchemy reports with a traceback.
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
    """SIGINT or SIGTERM came while the venue was asked."""


def attended(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run``, but a signal cancels the task; Dagster's handler would raise in the middle of asyncio's code.

    Raises:
        Interrupted: a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(main)
    came = False

    async def cancellable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def cancel(number: int, frame: FrameType | None) -> None:
            nonlocal came
            came = True
            loop.call_soon_threadsafe(task.cancel)

        with _handling(cancel):
            return await main

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        if not came:
            raise
        raise Interrupted("interrupted; run it again to go on") from None


@contextmanager
def remembered() -> Iterator[Callable[[], bool]]:
    """Listen for SIGINT and SIGTERM whatever handlers Dagster installs; outside its steps, only a second one raises.

    Yields:
        A function that says whether one came; always False outside the main thread, which gets no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    heard, handled = False, 0
    listening, telling = socket.socketpair()
    listening.setblocking(False)
    telling.setblocking(False)
    before = signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)

    def came() -> bool:
        nonlocal heard
        with suppress(BlockingIOError):
            heard = heard or any(number in STOPPING for number in listening.recv(4_096))
        return heard

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal handled
        handled += 1
        if handled > 1:
            raise KeyboardInterrupt

    try:
        with _handling(handle):
            yield came
    finally:
        signal.set_wakeup_fd(before)
        listening.close()
        telling.close()


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in STOPPING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
