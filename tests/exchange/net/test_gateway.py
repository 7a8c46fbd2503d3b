"""Between sockets and core: one-time passwords, order of frames, slow readers, paced time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from paper_exchange.net import gateway as gateway_module
from paper_exchange.net.gateway import Gateway, write_when_woken
from paper_exchange.net.server import listen, serve

ACCOUNT = "DOT90000001"
START = 1_772_409_600


class Peer:
    """The far end of a websocket: what arrived, and a gate to make it slow."""

    def __init__(self) -> None:
        self.messages: list[MutableMapping[str, Any]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.open.wait()
        self.messages.append(message)

    def texts(self) -> list[dict[str, Any]]:
        return [json.loads(m["text"]) for m in self.messages if m["type"] == "websocket.send"]


@pytest.fixture
def gateway(venue: Any) -> Gateway:
    return Gateway(venue(lockstep=True).exchange, None)


async def test_passwords_work_once_and_expire(venue: Any) -> None:
    now = [1_000.0]
    gateway = Gateway(venue(lockstep=True).exchange, None, lambda: now[0])
    used, kept, late = (gateway.grant(ACCOUNT, 7) for _ in range(3))
    assert len({used, kept, late}) == 3
    grant = gateway.redeem(used)
    assert grant is not None
    assert (grant.account_id, grant.app_id) == (ACCOUNT, 7)
    assert gateway.redeem(used) is None
    now[0] += 119
    assert gateway.redeem(kept) is not None
    now[0] += 2
    assert gateway.redeem(late) is None


async def test_frames_reach_their_socket_in_order(gateway: Gateway) -> None:
    mine, other = Peer(), Peer()
    first, second = gateway.open(mine.send, ACCOUNT, None), gateway.open(other.send, ACCOUNT, None)
    writers = [asyncio.create_task(write_when_woken(socket)) for socket in (first, second)]
    for socket, peer in ((first, mine), (second, other)):
        gateway.receive(socket, '{"ticks":"R_100","subscribe":1}')
        gateway.receive(socket, '{"paper_lockstep":1}')
        await socket.flush()
        assert [f["msg_type"] for f in peer.texts()] == ["tick", "paper_lockstep", "paper_instant"]
    for k in range(3):
        for socket in (first, second):
            gateway.receive(socket, json.dumps({"paper_ack": START + 2 * k}))
            await socket.flush()
    await asyncio.sleep(0.01)
    for peer in (mine, other):
        assert [f["tick"]["epoch"] for f in peer.texts() if "tick" in f] == [START + 2 * k for k in range(4)]
    gateway.close(first)
    gateway.close(second)
    await asyncio.wait_for(asyncio.gather(*writers), 60)


async def test_a_reader_too_slow_is_closed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "MAX_BACKLOG", 50)
    peer = Peer()
    peer.open.clear()
    socket = gateway.open(peer.send, None, None)
    writing = asyncio.create_task(socket.flush())
    for _ in range(60):
        gateway.receive(socket, '{"time":1}')
    assert len(socket.waiting) <= 51
    peer.open.set()
    await writing
    await socket.flush()
    assert {m["type"] for m in peer.messages[-1:]} == {"websocket.close"}
    assert peer.messages[-1]["code"] == 1011


async def test_paced_time_catches_up_with_its_clock(venue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    paced = Gateway(venue().exchange, 10.0)
    clock = [float(START)]
    monkeypatch.setattr(paced, "_clock", type("Clock", (), {"now": lambda self: clock[0]})())
    peer = Peer()
    socket = paced.open(peer.send, None, None)
    paced.receive(socket, '{"ticks":"R_100","subscribe":1}')
    clock[0] += 7.9
    paced.receive(socket, '{"time":1}')
    await socket.flush()
    frames = peer.texts()
    assert [f["tick"]["epoch"] for f in frames if "tick" in f] == [START, START + 2, START + 4, START + 6]
    assert frames[-1]["time"] == START + 7
    assert paced.mode == "scaled"


async def test_an_exchange_whose_clock_breaks_ends_and_says_why(venue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = venue(lockstep=False).exchange
    served = asyncio.create_task(
        serve(exchange, listen("127.0.0.1", 0), rate=50, ready=lambda: None, stop=asyncio.Event())
    )

    def broken(epoch: int) -> None:
        raise ArithmeticError("no such tick")

    monkeypatch.setattr(exchange, "advance_to", broken)
    with pytest.raises(ArithmeticError, match="no such tick"):
        await asyncio.wait_for(served, 60)
