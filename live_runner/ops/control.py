"""The local control socket: one JSON object a line, one answer a line. Only the runner's own user can open it.

Only the runner has its ledger open, so other commands ask the runner. Halting also works by file, without the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from live_runner.errors import RunnerError

SOCKET = "control.sock"
LONGEST_PATH = 100
"""Unix socket addresses end at 104 to 108 bytes."""
MAX_LINE = 64 * 1024

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class ControlError(RunnerError, RuntimeError):
    """The runner cannot be asked, or refused; one line."""


@contextlib.contextmanager
def _address(folder: Path) -> Iterator[str]:
    """An address of the folder's socket that fits: a long path is reached through the folder's descriptor."""
    path = str(folder / SOCKET)
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield path
        return
    if not sys.platform.startswith("linux"):
        raise ControlError(f"{path} is too long for a socket; use a shorter state folder")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


class ControlServer:
    """Answers on ``control.sock`` in the state folder."""

    def __init__(self, folder: Path, handler: Handler) -> None:
        """Nothing listens yet.

        Args:
            folder: state folder; whoever holds its ledger's lock owns the socket.
            handler: takes a request, returns an answer; ``ControlError`` becomes ``{"error": …}``.
        """
        self._folder, self._handler = folder, handler
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket left over by a killed runner is replaced."""
        (self._folder / SOCKET).unlink(missing_ok=True)
        with _address(self._folder) as address:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            before = os.umask(0o177)
            try:
                listener.bind(address)
            finally:
                os.umask(before)
            listener.setblocking(False)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=MAX_LINE)

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            (self._folder / SOCKET).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10.0):
                line = await reader.readline()
                answer = await self._answer(line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # the client went away or sent a line that is too long
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ControlError("send one JSON object a line")
            return await self._handler(request)
        except ControlError as error:
            return {"error": str(error)}
        except ValueError:
            return {"error": "send one JSON object a line"}


def ask(folder: Path, request: dict[str, Any], timeout: float = 10.0) -> dict[str, Any] | None:
    """Ask a running runner.

    Args:
        folder: its state folder.
        request: ``{"command": "status" | "halt" | "resume" | "rollback", …}``.
        timeout: seconds to wait for the answer.

    Returns:
        The answer, or None when no runner is running there.

    Raises:
        ControlError: it refused, or does not answer.
    """
    try:
        with _address(folder) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline(1 << 20)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise ControlError(f"the runner in {folder} does not answer ({error}); look at its log") from None
    if not line:
        raise ControlError(f"the runner in {folder} hung up without an answer; look at its log")
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise ControlError(f"the runner in {folder} gave an answer that cannot be read; use a matching version")
    if "error" in answer:
        raise ControlError(str(answer["error"]))
    return answer
