"""A socket that asks for nothing: kept open by pings of the API, given up when they are not answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from xtitan_core.deriv import client as client_module
from xtitan_core.deriv.budgets import Budgets
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import ConnectionLost
from xtitan_core.deriv.verbs import READ_ONLY, TRADING

Frames = Callable[..., str]
# Virtual time moves in steps; a rest of less than one step is over at once.
pytestmark = pytest.mark.filterwarnings("ignore:delta is less than resolution")


@pytest.fixture
def ponging(venue: Any, frame_for: Frames) -> Any:
    """A venue that answers every request with its own name."""

    async def answer(socket: Any, request: dict[str, Any]) -> None:
        call = next(iter(request))
        await socket.send(frame_for(request, call, "pong"))

    venue.handler = answer
    return venue


def pings(venue: Any) -> int:
    return sum("ping" in request for request in venue.received)


@pytest.mark.parametrize("verbs", [READ_ONLY, TRADING])
async def test_an_idle_socket_pings_and_its_pongs_are_no_events(ponging: Any, verbs: frozenset[str]) -> None:
    client = await DerivClient.connect(ponging.url, verbs, idle=0.05)
    await asyncio.sleep(0.4)
    assert 4 <= pings(ponging) <= 8
    assert ponging.received[0] == {"ping": 1, "req_id": 1}
    assert client.events.empty()
    await client.close()


async def test_a_busy_socket_does_not_ping(ponging: Any) -> None:
    client = await DerivClient.connect(ponging.url, READ_ONLY, idle=0.2)
    for _ in range(12):
        await client.request({"time": 1})
        await asyncio.sleep(0.03)
    assert pings(ponging) == 0
    await client.close()


async def test_acknowledgements_of_lockstep_count_as_activity(ponging: Any) -> None:
    async def nothing(socket: Any, request: dict[str, Any]) -> None:
        pass

    ponging.handler = nothing
    client = await DerivClient.connect(ponging.url, READ_ONLY, idle=0.2)
    for epoch in range(12):
        client.ack_instant(epoch)
        await asyncio.sleep(0.03)
    assert pings(ponging) == 0
    await client.close()


async def test_a_venue_that_stops_answering_ends_the_connection(venue: Any) -> None:
    client = await DerivClient.connect(venue.url, READ_ONLY, idle=0.05, pong_timeout=0.1)
    waiting = asyncio.create_task(client.request({"time": 1}))
    await asyncio.wait_for(client.closed.wait(), 2)
    assert client.close_reason == "no answer to a ping within 0.1 s"
    with pytest.raises(ConnectionLost):
        await waiting
    assert await client.events.get() is None


async def test_a_refused_ping_is_a_sign_of_life(venue: Any, frame_for: Frames) -> None:
    error = {"code": "RateLimit", "message": "You have reached the rate limit for ping."}

    async def refuse(socket: Any, request: dict[str, Any]) -> None:
        await socket.send(frame_for(request, "error", error).replace('"msg_type": "error"', '"msg_type": "ping"'))

    venue.handler = refuse
    client = await DerivClient.connect(venue.url, READ_ONLY, idle=0.05, pong_timeout=0.1)
    await asyncio.sleep(0.4)
    assert not client.closed.is_set()
    assert pings(venue) >= 3
    await client.close()


async def test_pings_stay_inside_our_budget(ponging: Any) -> None:
    budgets = Budgets(share=0.01)  # two such calls a minute
    client = await DerivClient.connect(ponging.url, READ_ONLY, budgets=budgets, idle=0.02, pong_timeout=0.05)
    await asyncio.sleep(0.5)
    assert 1 <= pings(ponging) <= 2
    assert not client.closed.is_set()
    await client.close()


def test_by_default_a_ping_comes_before_thirty_seconds_of_silence() -> None:
    assert client_module.IDLE_SECONDS <= 30
    # A venue that closes after two minutes sees several pings, and one that is dead is left before that.
    assert client_module.IDLE_SECONDS + client_module.PONG_SECONDS < 60
