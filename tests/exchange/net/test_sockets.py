"""The websockets of the real server: upgrades, lockstep, paced time, faults, speed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.terms import QUOTE

START = 1_772_409_600
HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[ClientConnection]:
    async with connect(url, proxy=None, compression=None, max_queue=None) as socket:
        yield socket


async def ask(socket: ClientConnection, request: dict[str, Any]) -> dict[str, Any]:
    await socket.send(json.dumps(request))
    async with asyncio.timeout(60):
        return dict(json.loads(await socket.recv()))


def public(live: Any) -> str:
    return str(live.url).replace("http:", "ws:") + "/trading/v1/options/ws/public"


async def refusal(url: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        async with opened(url):
            pass
    response = caught.value.response
    return response.status_code, json.loads(bytes(response.body or b""))["errors"][0]["message"]


async def test_upgrades_need_a_fresh_one_time_password(server: Any) -> None:
    live = server()
    url = live.otp_url()
    bare = url.split("?")[0]
    assert await refusal(bare) == (400, "OTP parameter is required")
    assert await refusal(bare + "?otp=guess") == (401, "Invalid or expired OTP token")
    async with opened(url) as socket:
        assert (await ask(socket, {"balance": 1}))["balance"]["loginid"] == "DOT90000001"
    assert await refusal(url) == (401, "Invalid or expired OTP token")


async def test_a_demo_password_opens_no_real_socket(server: Any) -> None:
    live = server()
    assert (await refusal(live.otp_url().replace("/ws/demo", "/ws/real")))[0] == 401


async def test_five_sockets_a_user_whatever_the_account(server: Any) -> None:
    live = server()
    accounts = ["DOT90000001", "DOT90000002"]
    async with contextlib.AsyncExitStack() as stack:
        opened_first = await stack.enter_async_context(opened(live.otp_url()))
        for k in range(4):
            await stack.enter_async_context(opened(live.otp_url(accounts[k % 2])))
        for account in accounts:
            assert await refusal(live.otp_url(account)) == (429, "Too many concurrent connections")
        # Public sockets belong to nobody; a place that is given up is free.
        await stack.enter_async_context(opened(public(live)))
        await opened_first.close()
        await asyncio.sleep(0.05)
        await stack.enter_async_context(opened(live.otp_url()))


async def test_a_refused_upgrade_has_the_error_envelope(server: Any) -> None:
    live = server()
    with pytest.raises(InvalidStatus) as caught:
        async with opened(live.otp_url().split("?")[0]):
            pass
    body = json.loads(bytes(caught.value.response.body or b""))
    assert body["errors"] == [{"status": 400, "code": "ValidationError", "message": "OTP parameter is required"}]
    assert set(body["meta"]) == {"endpoint", "method", "timing"}


@pytest.mark.parametrize(
    ("data", "as_text", "code"),
    [(b'{"ping":"\xff"}', True, 1007), ("x" * ((1 << 20) + 1), True, 1009), ("é" * (1 << 19) + "x", True, 1009)],
)
async def test_what_no_frame_may_hold_ends_its_own_socket_only(
    server: Any, data: bytes | str, as_text: bool, code: int
) -> None:
    live = server()
    async with opened(public(live)) as other, opened(public(live)) as socket:
        await socket.send(data, text=as_text)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 60)
        assert socket.close_code == code
        assert (await ask(other, {"ping": 1}))["ping"] == "pong"


async def test_binary_frames_are_bad_requests(server: Any) -> None:
    live = server()
    async with opened(public(live)) as socket:
        for data in (b'{"ping":1}', b"", b"\x00\xff"):
            await socket.send(data)
            assert json.loads(await socket.recv())["error"]["code"] == "BadRequest"
        assert (await ask(socket, {"ping": 1}))["ping"] == "pong"


async def test_the_public_socket_serves_markets_and_prices(server: Any) -> None:
    live = server()
    async with opened(public(live)) as socket:
        assert (await ask(socket, {"time": 1}))["time"] == START
        assert (await ask(socket, QUOTE))["proposal"]["payout"] == 19.54
        assert (await ask(socket, {"balance": 1}))["error"]["code"] == "AuthorizationRequired"
        await socket.send(b"\x00binary")
        assert json.loads(await socket.recv())["error"]["code"] == "BadRequest"


async def test_compression_is_offered(server: Any) -> None:
    live = server()
    async with connect(public(live), proxy=None) as socket:
        assert (await ask(socket, {"ping": 1}))["ping"] == "pong"


async def test_lockstep_over_the_wire_is_a_whole_trade(server: Any) -> None:
    live = server()
    async with opened(live.otp_url()) as socket:
        await ask(socket, {"ticks": "R_100", "subscribe": 1})
        await ask(socket, {"transaction": 1, "subscribe": 1})
        quote = await ask(socket, QUOTE)
        receipt = (await ask(socket, {"buy": quote["proposal"]["id"], "price": 10}))["buy"]
        assert json.loads(await socket.recv())["transaction"]["action"] == "buy"
        await ask(socket, {"paper_lockstep": 1})
        seen: list[str] = []
        sold: dict[str, Any] = {}
        while not sold:
            frame = json.loads(await socket.recv())
            seen.append(frame["msg_type"])
            if frame["msg_type"] == "paper_instant":
                await socket.send(json.dumps({"paper_ack": frame["paper_instant"]["epoch"]}))
            if frame["msg_type"] == "transaction":
                sold = frame["transaction"]
    assert sold["contract_id"] == receipt["contract_id"]
    assert sold["transaction_time"] == START + 12
    assert seen == ["paper_instant"] + ["tick", "paper_instant"] * 5 + ["tick", "transaction"]
    truth = live.get("/paper/truth")
    assert truth["buys"][0]["answered"] is True
    assert truth["accounts"][0]["balance"] == f"{sold['balance']:.2f}"


async def test_a_held_answer_silences_the_socket_and_a_new_one_reads_the_books(server: Any) -> None:
    live = server()
    body = {"fault": "answer_held"}
    assert (
        httpx.post(f"{live.url}/paper/faults", json=body, headers=HEADERS, trust_env=False, verify=False).status_code
        == 200
    )
    async with opened(live.otp_url()) as held, opened(live.otp_url()) as witness:
        await ask(held, {"transaction": 1, "subscribe": 1})
        await ask(held, {"paper_lockstep": 1})
        await held.recv()
        quote = await ask(held, QUOTE)
        await held.send(json.dumps({"buy": quote["proposal"]["id"], "price": 10}))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(held.recv(), 0.2)
        row = (await ask(witness, {"statement": 1, "description": 1}))["statement"]["transactions"][0]
    truth = live.get("/paper/truth")
    (buy,) = truth["buys"]
    (fault,) = truth["faults"]
    assert buy["answered"] is False
    assert row["contract_id"] == buy["contract_id"] == fault["contract_id"]
    assert row["shortcode"] == buy["shortcode"]


async def test_killing_the_only_lockstep_client_stops_time_until_another_joins(server: Any) -> None:
    live = server()
    async with opened(live.otp_url()) as socket:
        await ask(socket, {"paper_lockstep": 1})
        epoch = json.loads(await socket.recv())["paper_instant"]["epoch"]
        socket.transport.abort()
    await asyncio.sleep(0.1)
    assert live.get("/paper/truth")["epoch"] == epoch
    async with opened(live.otp_url()) as socket:
        await ask(socket, {"paper_lockstep": 1})
        assert json.loads(await socket.recv())["paper_instant"]["epoch"] == epoch
        await socket.send(json.dumps({"paper_ack": epoch}))
        assert json.loads(await socket.recv())["paper_instant"]["epoch"] == epoch + 2


@pytest.mark.parametrize("rate", [1.0, 40.0])
async def test_paced_time_runs_by_the_wall(server: Any, rate: float) -> None:
    live = server(rate=rate)
    paper = live.otp()["paper"]
    assert paper["mode"] == ("real" if rate == 1 else "scaled")
    assert paper["rate"] == rate
    async with opened(public(live)) as socket:
        begun = time.monotonic()
        first = (await ask(socket, {"ticks": "1HZ100V", "subscribe": 1}))["tick"]["epoch"]
        count = 2 if rate == 1 else 60
        epochs = [json.loads(await socket.recv())["tick"]["epoch"] for _ in range(count)]
        took = time.monotonic() - begun
    assert epochs == list(range(first + 1, first + 1 + count))
    assert took > (count - 1) / rate - 0.05


async def test_a_finished_recording_says_going_away(server: Any, recorded: Any) -> None:
    live = server(world=recorded("R_100", {START: 640.0, START + 2: 641.0}, START))
    async with opened(live.otp_url()) as socket:
        await ask(socket, {"paper_lockstep": 1})
        for epoch in (START, START + 2):
            assert json.loads(await socket.recv())["paper_instant"]["epoch"] == epoch
            await socket.send(json.dumps({"paper_ack": epoch}))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 60)
        assert socket.close_code == 1001
    assert live.get("/paper/truth")["finished"] is True


async def test_a_session_over_the_wire_is_the_session_in_process(server: Any, venue: Any) -> None:
    requests: list[dict[str, Any]] = [
        {"ticks": "R_100", "subscribe": 1, "req_id": 1},
        {"ticks_history": "R_50", "end": "latest", "count": 20, "req_id": 2},
        {**QUOTE, "req_id": 3},
        {"buy": "1", "price": 10, "parameters": {k: v for k, v in QUOTE.items() if k != "proposal"}, "req_id": 4},
        {"portfolio": 1, "req_id": 5},
        {"nonsense": 1, "req_id": 6},
    ]
    live = server(seed=9)
    wire = []
    async with opened(live.otp_url()) as socket:
        for request in requests:
            await socket.send(json.dumps(request))
            wire.append(await socket.recv())
    market = venue(seed=9)
    inside = market.connect("DOT90000001", app_id=1089)
    for request in requests:
        inside.send(request)
    assert wire == [text for _, text in market.transcript]


async def test_lockstep_round_trips_are_fast(server: Any) -> None:
    live = server()
    instants = 1_500
    async with opened(live.otp_url()) as socket:
        await ask(socket, {"ticks": "R_100", "subscribe": 1})
        await ask(socket, {"paper_lockstep": 1})
        moments = []
        while len(moments) < instants:
            text = await socket.recv()
            if '"paper_instant"' in text:
                moments.append(time.monotonic())
                await socket.send(f'{{"paper_ack":{json.loads(text)["paper_instant"]["epoch"]}}}')
    # Nagle or a sleep anywhere would cost every instant tens of milliseconds; other work on the machine costs some.
    took = sorted(later - earlier for earlier, later in pairwise(moments))
    assert took[instants // 10] < 0.02
