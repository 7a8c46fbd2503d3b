"""The real server and real clients in virtual time: hours take milliseconds, and cables can be cut."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from async_solipsism import SleepForeverError  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from paper_exchange.exchange import Exchange
from paper_exchange.net.in_memory import HOST, InMemoryVenue, open_exchange, run
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.rest import RestClient
from xtitan_core.deriv.verbs import TRADING

ACCOUNT = "DOT90000001"
START = 1_772_409_600
CONTRACT = {
    "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5, "duration_unit": "t",
    "underlying_symbol": "R_100",
}  # fmt: skip


@pytest.fixture
def exchange(venue: Any) -> Exchange:
    built: Exchange = venue().exchange
    return built


async def ask(socket: ClientConnection, request: dict[str, Any]) -> dict[str, Any]:
    await socket.send(json.dumps(request))
    return dict(json.loads(await socket.recv()))


async def open_socket(venue: InMemoryVenue, **options: Any) -> ClientConnection:
    return await connect(await venue.otp(ACCOUNT), proxy=None, **options)


async def listen(socket: ClientConnection, heard: list[dict[str, Any]]) -> None:
    while True:
        heard.append(json.loads(await socket.recv()))


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_one_time_password_opens_one_socket_within_two_minutes(exchange: Exchange) -> None:
    async def script() -> None:
        async with open_exchange(exchange) as venue:
            used, late = await venue.otp(ACCOUNT), await venue.otp(ACCOUNT)
            async with connect(used, proxy=None) as socket:
                assert (await ask(socket, {"ping": 1}))["ping"] == "pong"
            with pytest.raises(InvalidStatus, match="401"):
                await connect(used, proxy=None)
            await asyncio.sleep(121)
            with pytest.raises(InvalidStatus, match="401"):
                await connect(late, proxy=None)
            assert await venue.call("GET", "/v1/health") == (200, "OK")

    run(script())


def test_a_purchase_to_its_settlement_takes_its_venue_time_and_no_other(exchange: Exchange) -> None:
    async def script() -> tuple[list[dict[str, Any]], float]:
        async with open_exchange(exchange) as venue, await open_socket(venue) as socket:
            await ask(socket, {"transaction": 1, "subscribe": 1})
            quote = (await ask(socket, {"proposal": 1, **CONTRACT}))["proposal"]
            bought = await ask(socket, {"buy": quote["id"], "price": quote["ask_price"]})
            begun, frames = now(), [bought]
            while len(frames) < 3:
                frames.append(json.loads(await socket.recv()))
            return frames, now() - begun

    (bought, debit, credit), seconds = run(script())
    assert debit["transaction"]["amount"] == -10
    assert credit["transaction"]["contract_id"] == bought["buy"]["contract_id"]
    assert credit["transaction"]["amount"] in (0, bought["buy"]["payout"])
    assert 10 <= seconds <= 14


def test_hours_of_keepalive_cost_milliseconds(exchange: Exchange) -> None:
    hours = 3

    async def script() -> tuple[float, int]:
        async with open_exchange(exchange) as venue, connect(venue.public, proxy=None, ping_interval=20) as socket:
            await ask(socket, {"ping": 1})
            begun, sent = time.process_time(), len(venue.links[0].frames_down())
            for _ in range(hours * 60):  # an application's own ping a minute, as Deriv asks for
                await asyncio.sleep(60)
                assert (await ask(socket, {"ping": 1}))["ping"] == "pong"
            assert (await ask(socket, {"time": 1}))["time"] == START + hours * 3_600
            return time.process_time() - begun, len(venue.links[0].frames_down()) - sent

    seconds, sent = run(script())
    pings = hours * 180
    assert sent > pings * 2 * 6  # a ping of uvicorn's and the pong to ours, six bytes each, every twenty seconds
    assert seconds < 0.5 * hours


def test_half_open_towards_the_server_ends_by_its_keepalive(exchange: Exchange) -> None:
    async def script() -> float:
        async with open_exchange(exchange) as venue:
            socket = await open_socket(venue, ping_interval=None)
            await ask(socket, {"ticks": "R_100", "subscribe": 1})
            begun = now()
            venue.links[-1].cut(up=True)
            await socket.send('{"balance":1}')
            heard: list[dict[str, Any]] = []
            with pytest.raises(ConnectionClosedError) as closed:
                await listen(socket, heard)
            assert {frame["msg_type"] for frame in heard} == {"tick"}
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
            return now() - begun

    assert 20 < run(script()) <= 41


def test_half_open_towards_the_client_ends_by_the_clients_keepalive(exchange: Exchange) -> None:
    async def script() -> None:
        async with open_exchange(exchange) as venue:
            socket = await open_socket(venue, ping_interval=5, ping_timeout=5, close_timeout=1)
            venue.links[-1].cut(down=True)
            await socket.send('{"buy":"1","price":10,"parameters":' + json.dumps(CONTRACT) + "}")
            with pytest.raises(ConnectionClosedError, match="keepalive"):
                await socket.recv()
            assert now() <= 11
            # What the client never heard of has happened.
            assert len(exchange.accounts[ACCOUNT].contracts) == 1

    run(script())


def test_a_severed_link_ends_both_ends(exchange: Exchange) -> None:
    async def script() -> None:
        async with open_exchange(exchange) as venue:
            socket = await open_socket(venue)
            venue.links[-1].sever()
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            assert closed.value.rcvd is None
            await asyncio.sleep(1)
            assert exchange.connections == {}
            venue.listener.refusing = True
            with pytest.raises(ConnectionRefusedError):
                await venue.otp(ACCOUNT)

    run(script())


def test_the_runners_own_clients_need_no_change(exchange: Exchange) -> None:
    async def script() -> int:
        async with open_exchange(exchange) as venue, RestClient(venue.url, "paper", "1089") as rest:
            grant = await rest.otp((await rest.accounts())[0].account_id)
            client = await DerivClient.connect(grant.url, TRADING, budgets=None, paper=grant.paper)
            await client.subscribe({"ticks": "1HZ100V"})
            seen = [await client.events.get() for _ in range(60)]
            await client.close()
            epochs = [frame["tick"]["epoch"] for frame in seen if frame is not None]
            assert epochs == list(range(epochs[0], epochs[0] + 60))
            return int(now())

    assert run(script()) >= 59


def test_an_idle_exchange_is_there_again_after_days(exchange: Exchange) -> None:
    async def script() -> list[int]:
        async with open_exchange(exchange) as venue:
            seen = []
            for _ in range(3):
                async with connect(venue.public, proxy=None) as socket:
                    first = (await ask(socket, {"ticks": "R_100", "subscribe": 1}))["tick"]["epoch"]
                    seen += [first, json.loads(await socket.recv())["tick"]["epoch"]]
                await asyncio.sleep(3 * 86_400)
            return seen

    seen = run(script())
    assert [second - first for first, second in zip(seen[::2], seen[1::2], strict=True)] == [2, 2, 2]
    assert seen[-1] - seen[0] > 6 * 86_400


def test_waiting_for_nothing_is_an_error_not_a_hang(exchange: Exchange) -> None:
    async def script() -> None:
        async with open_exchange(exchange, rate=None):
            await asyncio.Event().wait()

    with pytest.raises(SleepForeverError):
        run(script())


def test_nobody_listens_elsewhere(exchange: Exchange) -> None:
    async def script() -> None:
        async with open_exchange(exchange):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(HOST, 1)

    run(script())
