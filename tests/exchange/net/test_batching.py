"""Frames written in one turn of the event loop leave in one write, in order, and before a close."""

from __future__ import annotations

import asyncio
from typing import Any

from paper_exchange.net.batching import BatchingTransport


class Wire(asyncio.Transport):
    """What the operating system would see."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.ended = ""

    def write(self, data: Any) -> None:
        assert not self.ended
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)


async def test_one_turn_is_one_write() -> None:
    wire = Wire()
    transport = BatchingTransport(wire, asyncio.get_running_loop())
    transport.write(b"a")
    transport.writelines([b"b", b"c"])
    assert wire.writes == []
    await asyncio.sleep(0)
    assert wire.writes == [b"abc"]
    transport.write(b"d")
    await asyncio.sleep(0)
    assert wire.writes == [b"abc", b"d"]


async def test_a_close_follows_what_was_written() -> None:
    wire = Wire()
    transport = BatchingTransport(wire, asyncio.get_running_loop())
    transport.write(b"last words")
    transport.close()
    await asyncio.sleep(0)
    assert (wire.writes, wire.ended) == ([b"last words"], "closed")
    assert transport.is_closing()


async def test_nothing_is_written_to_a_closing_wire() -> None:
    wire = Wire()
    transport = BatchingTransport(wire, asyncio.get_running_loop())
    transport.write(b"too late")
    wire.close()
    await asyncio.sleep(0)
    assert wire.writes == []
    transport.abort()
    assert wire.ended == "aborted"
