"""``--record DIR``: every frame in and out, and the log of what really happened, as JSON lines."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from paper_exchange.errors import SetupError
from paper_exchange.protocol.frames import Close, Item, Wire, encode

FRAMES, TRUTH = "frames.jsonl", "truth.jsonl"


class Recorder:
    """Writes an exchange's frames and events into a folder; ``Exchange.record`` shows them to it.

    ``frames.jsonl`` has ``{"epoch", "connection", "direction", "text"}`` a line, direction "in" or "out"; a close
    frame has ``code`` and ``reason`` instead of ``text``, what a fault did to the line ``wire``. ``truth.jsonl`` has
    the events of ``events``. Both are written through at the end of every instant.

    A recording with a hole proves nothing, so after a write that fails nothing more is written: ``failed`` is called,
    once, and ``close`` raises.

    Attributes:
        outbox: empty; what is put into it is recorded.
        failed: called once, when a write has failed and recording stops.

    Args:
        folder: made when there is none; must not hold a recording already.
        now: venue epoch.

    Raises:
        SetupError: when the folder cannot be written, or holds a recording.
    """

    def __init__(self, folder: Path, now: Callable[[], int]) -> None:
        self._now, self._folder = now, folder
        self._frames, self._truth = _opened(folder)
        self._problem: OSError | None = None
        self.failed: Callable[[], None] = lambda: None
        self.outbox: deque[tuple[int, Item]] = _Watched(self.left)

    def arrived(self, number: int, text: str) -> None:
        """A text came in."""
        self._frame(number, "in", {"text": text})

    def left(self, number: int, item: Item) -> None:
        """An item was queued to be sent."""
        if isinstance(item, Close):
            self._frame(number, "out", {"code": item.code, "reason": item.reason})
        elif isinstance(item, Wire):
            self._frame(number, "out", {"wire": item.action, "bytes": item.data[:64].hex()})
        else:
            self._frame(number, "out", {"text": item if isinstance(item, str) else encode(item)})

    def flush(self) -> None:
        """Write through."""
        self._attempt(self._frames.flush)
        self._attempt(self._truth.flush)

    def close(self) -> None:
        """Write what is left and close the files.

        Raises:
            SetupError: when not everything could be written.
        """
        self.flush()
        for file in (self._frames, self._truth):
            with contextlib.suppress(OSError):
                # Closing tries once more to write what did not fit.
                file.close()
        if self._problem is not None:
            raise SetupError(
                f"the recording in {self._folder} is not complete: {self._problem.strerror}; make room and start again"
            )

    def _frame(self, number: int, direction: str, facts: dict[str, Any]) -> None:
        line = {"epoch": self._now(), "connection": number, "direction": direction, **facts}
        self._write(self._frames, line)

    def event(self, event: dict[str, Any]) -> None:
        """Something happened."""
        self._write(self._truth, event)

    def _write(self, file: IO[str], line: dict[str, Any]) -> None:
        self._attempt(lambda: file.write(json.dumps(line, separators=(",", ":")) + "\n"))

    def _attempt(self, act: Callable[[], object]) -> None:
        if self._problem is None:
            try:
                act()
            except OSError as problem:
                self._problem = problem
                self.failed()


class _Watched(deque[tuple[int, Item]]):
    """An outbox that calls ``left`` with whatever is put into it."""

    def __init__(self, left: Callable[[int, Item], None]) -> None:
        super().__init__()
        self._left = left

    def append(self, queued: tuple[int, Item], /) -> None:
        self._left(*queued)
        super().append(queued)


def _opened(folder: Path) -> tuple[IO[str], IO[str]]:
    try:
        if folder.exists() and not folder.is_dir():
            raise SetupError(f"cannot record into {folder}: it is no folder; name another one for --record")
        if any((folder / name).exists() for name in (FRAMES, TRUTH)):
            raise SetupError(f"{folder} holds a recording already; name another folder for --record")
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / FRAMES).open("x", encoding="utf-8"), (folder / TRUTH).open("x", encoding="utf-8")
    except OSError as problem:
        raise SetupError(f"cannot record into {folder}: {problem.strerror}; name another folder for --record") from None
