"""Child processes of the demo: started with their output in a log file, and always stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from xtitan_assets.workspace.errors import PipelineError


class ProcessFailedError(PipelineError, RuntimeError):
    """A child process died or did not get ready; the message quotes its last output line and names its log."""


def command(name: str) -> str:
    """Path of one of our console scripts, beside the running interpreter."""
    return str(Path(sys.executable).parent / name)


def last_line(path: Path) -> str:
    """The last line of a log file that is not empty."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")


_children: set[Child] = set()
_ending = threading.Event()


@contextmanager
def ended_on_interrupt() -> Iterator[None]:
    """On Ctrl-C, kill every program that runs and let no other one start, so that the threads waiting for them end."""
    try:
        yield
    except KeyboardInterrupt:
        _ending.set()
        for child in list(_children):
            child.kill_group()
        raise


class Child:
    """One running program.

    Args:
        name: short name for messages.
        arguments: program and arguments.
        log: file that gets stdout and stderr.
        environment: variables on top of the current ones.
        on_line: called with each output line, from a reader thread.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        self.name, self.log = name, log
        self.lines: list[str] = []
        self._changed = threading.Condition()
        log.parent.mkdir(parents=True, exist_ok=True)
        if _ending.is_set():
            raise ProcessFailedError(f"{name} was not started: the demo was interrupted; run it again")
        self._process = subprocess.Popen(
            arguments,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()
        _children.add(self)

    def _read(self, on_line: Callable[[str], None] | None) -> None:
        assert self._process.stdout is not None
        with open(self.log, "a", encoding="utf-8") as f:
            for line in self._process.stdout:
                f.write(line)
                f.flush()
                with self._changed:
                    self.lines.append(line.rstrip())
                    self._changed.notify_all()
                if on_line is not None:
                    on_line(line.rstrip())
        with self._changed:
            self._changed.notify_all()

    @property
    def running(self) -> bool:
        """True until the process has ended."""
        return self._process.poll() is None

    def wait_for(self, pattern: str, timeout: float = 60.0) -> re.Match[str]:
        """Wait for an output line.

        Raises:
            ProcessFailedError: when the process ends or time runs out first.
        """
        deadline, seen = time.monotonic() + timeout, 0
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = len(self.lines)
                if not self.running and not self._reader.is_alive():
                    raise ProcessFailedError(
                        f"{self.name} ended before it was ready ({last_line(self.log)}); see {self.log}"
                    )
                if time.monotonic() > deadline:
                    raise ProcessFailedError(f"{self.name} was not ready after {timeout:.0f} s; see {self.log}")
                self._changed.wait(0.1)

    def wait(self, timeout: float) -> None:
        """Wait for a clean end.

        Raises:
            ProcessFailedError: on a non-zero exit code or when time runs out (the process is then killed).
        """
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ProcessFailedError(f"{self.name} did not finish within {timeout:.0f} s; see {self.log}") from None
        self._reader.join(10)
        if code != 0:
            raise ProcessFailedError(
                f"{self.name} failed with exit code {code} ({last_line(self.log)}); see {self.log}"
            )

    def kill(self) -> None:
        """SIGKILL, and wait until the process has ended."""
        if self.running:
            self._process.kill()
        self._process.wait()
        self._reader.join(10)
        _children.discard(self)

    def kill_group(self) -> None:
        """SIGKILL the program and everything it started; ``wait`` and ``wait_for`` then raise."""
        if self.running:
            os.killpg(self._process.pid, signal.SIGKILL)

    def stop(self, timeout: float = 15.0) -> None:
        """SIGTERM, then SIGKILL to the whole group when it does not end in time."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill_group()
                self._process.wait()
        self._reader.join(10)
        _children.discard(self)


def run(
    name: str,
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    timeout: float = 600.0,
) -> list[str]:
    """Run a program to its end; returns its output lines.

    Raises:
        ProcessFailedError: see :meth:`Child.wait`.
    """
    child = Child(name, arguments, log, environment, on_line)
    try:
        child.wait(timeout)
    finally:
        child.kill()
    return child.lines
