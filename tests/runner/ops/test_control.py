"""The control socket: one request, one answer, one user."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from live_runner.ops.control import SOCKET, ControlError, ControlServer, ask


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("command") == "refuse":
        raise ControlError("not now; wait")
    return {"got": request}


async def asked(folder: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    return await asyncio.to_thread(ask, folder, request)


@pytest.mark.parametrize("depth", [0, 6])
async def test_it_answers_whatever_the_length_of_the_path(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*(["a-rather-long-folder-name"] * depth))
    folder.mkdir(parents=True, exist_ok=True)
    server = ControlServer(folder, echo)
    await server.start()
    assert await asked(folder, {"command": "status"}) == {"got": {"command": "status"}}
    assert stat.S_IMODE((folder / SOCKET).stat().st_mode) == 0o600
    await server.stop()
    assert not (folder / SOCKET).exists()


async def test_nobody_there_is_not_an_error(tmp_path: Path) -> None:
    assert await asked(tmp_path, {"command": "status"}) is None
    assert await asked(tmp_path / "nowhere", {"command": "status"}) is None


async def test_a_socket_left_by_a_killed_runner_is_replaced(tmp_path: Path) -> None:
    first = ControlServer(tmp_path, echo)
    await first.start()
    assert first._server is not None
    first._server.close()  # the process is gone, the file is not
    assert (tmp_path / SOCKET).exists()
    assert await asked(tmp_path, {}) is None
    second = ControlServer(tmp_path, echo)
    await second.start()
    assert await asked(tmp_path, {"command": "x"}) == {"got": {"command": "x"}}
    await second.stop()


async def test_a_refusal_is_raised_on_the_asking_side(tmp_path: Path) -> None:
    server = ControlServer(tmp_path, echo)
    await server.start()
    with pytest.raises(ControlError, match="not now; wait"):
        await asked(tmp_path, {"command": "refuse"})
    await server.stop()


async def test_nonsense_does_not_hurt_the_next_one(tmp_path: Path) -> None:
    server = ControlServer(tmp_path, echo)
    await server.start()
    for nonsense in (b"\xff\xfe\n", b"[1]\n", b"x" * 70_000 + b"\n", b""):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET))
        writer.write(nonsense)
        writer.write_eof()
        answer = await reader.read()
        assert answer == b"" or b"error" in answer
        writer.close()
        await writer.wait_closed()
    assert await asked(tmp_path, {"command": "status"}) is not None
    await server.stop()
