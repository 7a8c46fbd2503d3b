"""Faults on a real socket: logins refused, lines cut, gone dead one way or both, and bytes that are no frames."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket as sockets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}
ACCOUNT = "DOT90000001"
BUY = {
    "buy": "1",
    "price": 10,
    "parameters": {
        "contract_type": "CALL", "amount": 10, "basis": "stake", "currency": "USD", "duration": 5,
        "duration_unit": "t", "underlying_symbol": "R_100",
    },
}  # fmt: skip


def script(live: Any, **fault: Any) -> None:
    httpx.post(
        f"{live.url}/paper/faults", json=fault, headers=HEADERS, trust_env=False, verify=False
    ).raise_for_status()


@contextlib.asynccontextmanager
async def opened(live: Any, **options: Any) -> AsyncIterator[ClientConnection]:
    url = await asyncio.to_thread(live.otp_url)
    async with connect(url, proxy=None, compression=None, close_timeout=0.2, **options) as socket:
        yield socket


async def ask(socket: ClientConnection, request: dict[str, Any]) -> dict[str, Any]:
    await socket.send(json.dumps(request))
    async with asyncio.timeout(60):
        return dict(json.loads(await socket.recv()))


async def closing(socket: ClientConnection) -> ConnectionClosed:
    """How the connection ended."""
    try:
        async with asyncio.timeout(60):
            while True:
                await socket.recv()
    except ConnectionClosed as end:
        return end


@pytest.mark.parametrize(("status", "code"), [(401, "Unauthorized"), (429, "RateLimit"), (503, "InternalServerError")])
def test_otp_refused_once(server: Any, status: int, code: str) -> None:
    live = server()
    script(live, fault="otp_refused", status=status)
    path = f"{live.url}/trading/v1/options/accounts/{ACCOUNT}/otp"
    answer = httpx.post(path, headers=HEADERS, trust_env=False, verify=False)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"] == code
    assert httpx.post(path, headers=HEADERS, trust_env=False, verify=False).status_code == 200
    assert [fault["fault"] for fault in live.get("/paper/truth")["faults"]] == ["otp_refused"]


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_upgrade_refused_and_the_password_is_gone(server: Any, status: int) -> None:
    live = server()
    script(live, fault="upgrade_refused", status=status)
    url = live.otp_url()
    for expected in (status, 401):
        with pytest.raises(InvalidStatus) as caught:
            async with connect(url, proxy=None):
                pass
        assert caught.value.response.status_code == expected
    async with opened(live) as socket:
        assert (await ask(socket, {"ping": 1}))["ping"] == "pong"


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
async def test_accept_then_close(server: Any, code: int) -> None:
    live = server()
    script(live, fault="accept_then_close", code=code, times=3)
    for _ in range(3):
        async with opened(live) as socket:
            end = await closing(socket)
            assert (end.rcvd.code if end.rcvd else 1006) == code
    async with opened(live) as socket:
        assert (await ask(socket, {"ping": 1}))["ping"] == "pong"
    assert len(live.get("/paper/truth")["faults"]) == 3


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "drop_answered"])
async def test_dropped_around_a_purchase(server: Any, fault: str, code: int) -> None:
    live = server()
    script(live, fault=fault, code=code)
    async with opened(live) as socket:
        await socket.send(json.dumps(BUY))
        heard = []
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(60):
                while True:
                    heard.append(json.loads(await socket.recv())["msg_type"])
        end = await closing(socket)
    assert (end.rcvd.code if end.rcvd else 1006) == code
    buys = live.get("/paper/truth")["buys"]
    assert len(buys) == (0 if fault == "drop_before" else 1)
    assert heard == (["buy"] if fault == "drop_answered" else [])
    assert all(buy["answered"] is (fault == "drop_answered") for buy in buys)


async def test_all_sockets_drop(server: Any) -> None:
    live = server()
    async with opened(live) as one, opened(live) as two:
        script(live, fault="drop", code=1011)
        for socket in (one, two):
            end = await closing(socket)
            assert end.rcvd is not None
            assert end.rcvd.code == 1011


@pytest.mark.parametrize("fault", ["mute", "deaf", "half_open"])
async def test_a_half_open_line_is_found_by_pings_alone(server: Any, fault: str) -> None:
    live = server()
    # websockets pings by itself; the line is found dead because no pong comes.
    async with opened(live, ping_interval=0.2, ping_timeout=0.5) as socket:
        assert (await ask(socket, {"ping": 1}))["ping"] == "pong"
        script(live, fault=fault)
        await socket.send(json.dumps(BUY))
        end = await closing(socket)
        assert end.rcvd is None
        assert end.sent is not None
        assert end.sent.code == 1011
    buys = live.get("/paper/truth")["buys"]
    assert len(buys) == (1 if fault == "mute" else 0)
    assert not any(buy["answered"] for buy in buys)


async def test_a_held_line_answers_pings(server: Any) -> None:
    live = server()
    script(live, fault="answer_held")
    async with opened(live, ping_interval=None) as socket:
        await socket.send(json.dumps(BUY))
        for _ in range(3):
            await (await socket.ping())
    assert live.get("/paper/truth")["buys"][0]["answered"] is False


@pytest.mark.parametrize(
    ("how", "code"),
    [("reserved_opcode", 1002), ("masked", 1002), ("bad_utf8", 1007), ("bad_close", 1002), ("oversized", 1009),
     ("announced", 1009)],
)  # fmt: skip
async def test_bytes_that_are_no_frames(server: Any, how: str, code: int) -> None:
    live = server()
    async with opened(live, max_size=1 << 20) as socket:
        assert (await ask(socket, {"ping": 1}))["ping"] == "pong"
        script(live, fault="bad_bytes", how=how)
        end = await closing(socket)
    assert end.sent is not None
    assert end.sent.code == code


async def test_a_frame_that_never_ends(server: Any) -> None:
    live = server()
    async with opened(live, ping_interval=0.2, ping_timeout=0.5) as socket:
        await ask(socket, {"ping": 1})
        script(live, fault="bad_bytes", how="stalled")
        end = await closing(socket)
    assert end.sent is not None
    assert end.sent.code == 1011


async def test_a_garbled_frame_arrives_as_it_is(server: Any) -> None:
    live = server()
    script(live, fault="garbled", how="truncated", call="ping")
    async with opened(live) as socket:
        await socket.send(json.dumps({"ping": 1}))
        text = await asyncio.wait_for(socket.recv(), 60)
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)


async def test_late_execution_in_paced_time(server: Any) -> None:
    live = server(rate=50.0)
    script(live, fault="executed_late", seconds=50)
    async with opened(live) as socket:
        await socket.send(json.dumps(BUY))
        frame = json.loads(await asyncio.wait_for(socket.recv(), 60))
    (event, *_) = [e for e in live.get("/paper/truth?events=1")["events"] if e["kind"] == "fault"]
    assert frame["buy"]["purchase_time"] == event["epoch"] + 50


def test_the_socket_a_cut_line_leaves_is_closed(server: Any) -> None:
    live = server()
    url = live.otp_url()
    host, port = url.removeprefix("ws://").partition("/")[0].split(":")
    script(live, fault="accept_then_close", code=1006)
    path = url.partition(port)[2]
    with sockets.create_connection((host, int(port)), 5) as raw:
        raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        raw.settimeout(60)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := raw.recv(4_096):
                received += chunk
        assert b"\x88" not in received.partition(b"\r\n\r\n")[2], "no close frame"
