"""Sockets that send no request: closed after a while, with the code asked for; our own client keeps its own open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from paper_exchange.cli import main
from paper_exchange.errors import SetupError
from paper_exchange.net.idle import IdleRule, idle_rule, parse_idle_rule
from paper_exchange.net.in_memory import open_exchange, run
from paper_exchange.net.server import listen, serve
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.verbs import READ_ONLY

PATH = "/trading/v1/options/ws/public"


@pytest.fixture
def serving(venue: Any) -> Iterator[Callable[[IdleRule], str]]:
    """Serves an exchange under an idle rule; gives the public socket's address."""
    with contextlib.ExitStack() as stack:

        def start(rule: IdleRule) -> str:
            exchange, listener = venue(lockstep=True).exchange, listen("127.0.0.1", 0)
            port = listener.getsockname()[1]
            loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

            def run() -> None:
                loop.run_until_complete(serve(exchange, listener, rate=None, ready=ready.set, stop=stop, idle=rule))
                loop.close()

            thread = threading.Thread(target=run, daemon=True)
            thread.start()

            def end() -> None:
                loop.call_soon_threadsafe(stop.set)
                thread.join(60)

            stack.callback(end)
            assert ready.wait(60)
            return f"ws://127.0.0.1:{port}{PATH}"

        yield start


async def closed(url: str, **options: Any) -> tuple[int | None, float]:
    """Close code of a socket that says nothing, and how long it lived."""
    begun = asyncio.get_running_loop().time()
    async with connect(url, proxy=None, **options) as socket:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 60)
        return socket.close_code, asyncio.get_running_loop().time() - begun


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
async def test_a_silent_socket_is_closed_with_the_code_asked_for(serving: Any, code: int) -> None:
    seen, lived = await closed(serving(IdleRule(0.1, code)))
    assert seen == code
    assert lived > 0.08


async def test_pings_of_the_websocket_protocol_keep_nothing_open(serving: Any) -> None:
    assert (await closed(serving(IdleRule(0.1)), ping_interval=0.02))[0] == 1000


def test_requests_keep_a_socket_open_and_streams_do_not(venue: Any) -> None:
    async def script() -> float:
        async with (
            open_exchange(venue(lockstep=True).exchange, rate=None, idle=IdleRule(40.0)) as market,
            connect(market.public, proxy=None) as socket,
        ):
            for _ in range(8):
                await socket.send('{"ping":1}')
                assert json.loads(await socket.recv())["ping"] == "pong"
                await asyncio.sleep(10.0)
            await socket.send('{"ticks":"R_100","subscribe":1}')
            assert json.loads(await socket.recv())["msg_type"] == "tick"
            begun = asyncio.get_running_loop().time()
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            return asyncio.get_running_loop().time() - begun

    assert run(script()) == pytest.approx(40.0, abs=1.0)


def test_never_is_never(venue: Any) -> None:
    async def script() -> None:
        async with (
            open_exchange(venue(lockstep=True).exchange, rate=None, idle=IdleRule(None)) as market,
            connect(market.public, proxy=None) as socket,
        ):
            await asyncio.sleep(3_600)
            await socket.send('{"ping":1}')
            assert json.loads(await socket.recv())["ping"] == "pong"

    run(script())


def test_our_client_survives_idle_hours(venue: Any) -> None:
    async def script() -> None:
        async with open_exchange(venue(lockstep=True).exchange, rate=None, idle=IdleRule(40.0)) as market:
            client = await DerivClient.connect(market.public, READ_ONLY, idle=10.0)
            await asyncio.sleep(2 * 3_600)
            assert not client.closed.is_set()
            await client.close()
            client = await DerivClient.connect(market.public, READ_ONLY, idle=60.0)
            await asyncio.wait_for(client.closed.wait(), 50)
            assert client.close_reason.startswith("code 1000")

    run(script())


def test_in_virtual_hours_two_silent_minutes_end_a_socket_and_our_client_lives_on(venue: Any) -> None:
    async def script() -> tuple[float, int | None, bool]:
        async with open_exchange(venue().exchange) as market:
            client = await DerivClient.connect(market.public, READ_ONLY)
            begun = asyncio.get_running_loop().time()
            async with connect(market.public, proxy=None) as silent:
                with pytest.raises(ConnectionClosed):
                    await silent.recv()
                lived = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(3 * 3_600)
            alive = not client.closed.is_set()
            await client.close()
            return lived, silent.close_code, alive

    lived, code, alive = run(script())
    assert (round(lived), code, alive) == (120, 1000, True)


def test_the_rule_is_an_assumption(venue: Any) -> None:
    assert idle_rule(venue().exchange) == IdleRule(120.0, 1000)
    assumed = venue(assume={"idle_close": "never", "idle_close_code": "1006"})
    assert idle_rule(assumed.exchange) == IdleRule(None, 1006)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("never", IdleRule(None)),
        ("120", IdleRule(120.0)),
        ("0.5:1006", IdleRule(0.5, 1006)),
        ("9:1011", IdleRule(9, 1011)),
    ],
)
def test_rules_as_written(text: str, rule: IdleRule) -> None:
    assert parse_idle_rule(text) == rule


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "nan", "inf", "60:1002", "60:x", "60:1000:1"])
def test_rules_that_are_none(text: str) -> None:
    with pytest.raises(SetupError, match="write SECONDS"):
        parse_idle_rule(text)


def test_the_command_line_says_so_in_one_line(capsys: Any) -> None:
    assert main(["serve", "--idle-close", "soon"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: --idle-close 'soon' is not understood; write SECONDS, SECONDS:CODE or never, CODE one of 1000, 1001, "
        "1006, 1011"
    ]
