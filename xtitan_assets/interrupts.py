"""Ctrl-C that is neither lost nor in the way.

Dagster raises it inside a step, but forgets one that comes at a run's end; between runs, Python would raise it in the
middle of closing a database, which SQLAlchemy reports with a traceback.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)


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

    handlers = {number: signal.signal(number, handle) for number in STOPPING}
    try:
        yield came
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        listening.close()
        telling.close()
