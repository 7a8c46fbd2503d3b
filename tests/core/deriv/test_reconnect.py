"""Reconnecting: a new one-time password each time, no faster than allowed, and an end where it is hopeless."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.deriv.errors import VenueError
from xtitan_core.deriv.reconnect import DERIV_PACE, Backoff, Pace, connections
from xtitan_core.deriv.rest import RestClient
from xtitan_core.deriv.verbs import READ_ONLY

QUICK = Pace(min_interval=0.02, delays=(0.01, 0.02, 0.04), stable_after=30.0)


@pytest.fixture
def grants(rest_venue: Any, venue: Any) -> list[str]:
    """Makes the REST venue hand out one-time passwords of the socket venue; the list fills with them."""
    given_out: list[str] = []

    def respond(method: str, path: str, headers: dict[str, str]) -> tuple[int, object]:
        otp = f"otp-{len(given_out)}"
        given_out.append(otp)
        return 200, {"data": {"url": f"ws://127.0.0.1:{venue.port}/trading/v1/options/ws/demo?otp={otp}"}}

    rest_venue.respond = respond
    return given_out


async def test_each_connection_has_its_own_password_and_the_next_generation(
    rest_venue: Any, venue: Any, grants: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    generations = []
    async with (
        RestClient(rest_venue.url, "paper", "1") as rest,
        aclosing(connections(rest, "DOT1", READ_ONLY, pace=QUICK)) as it,
    ):
        async for client in it:
            generations.append(client.generation)
            if len(generations) == 4:
                break
            venue.sockets[-1].transport.abort()
            await client.closed.wait()
    assert generations == [1, 2, 3, 4]
    assert (
        [s.request.path.partition("otp=")[2] for s in venue.sockets] == grants == ["otp-0", "otp-1", "otp-2", "otp-3"]
    )
    assert client.closed.is_set(), "leaving the loop closes the connection"
    ended = {r.name for r in caplog.records if r.getMessage().startswith("connection 1 ended")}
    assert ended == {"xtitan.deriv.session"}, "log filters name it"


async def test_a_venue_that_accepts_and_closes_is_not_hammered(rest_venue: Any, venue: Any, grants: list[str]) -> None:
    async def close_at_once(socket: Any) -> None:
        await socket.close()

    venue.greet = close_at_once
    pace = Pace(min_interval=0.1, delays=(0.05, 0.1, 0.2), stable_after=30.0)

    async def use() -> None:
        async with RestClient(rest_venue.url, "paper", "1") as rest:
            async for client in connections(rest, "DOT1", READ_ONLY, pace=pace):
                await client.closed.wait()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(use(), 0.75)
    assert 2 <= len(grants) <= 6


async def test_it_gives_up_after_as_many_failures_as_it_is_told(rest_venue: Any, venue: Any, grants: list[str]) -> None:
    async with RestClient(rest_venue.url, "paper", "1") as rest:

        async def use() -> None:
            async for client in connections(rest, "DOT1", READ_ONLY, pace=QUICK, max_failures=3):
                venue.sockets[-1].transport.abort()
                await client.closed.wait()

        with pytest.raises(VenueError, match="did not last"):
            await use()
    assert len(grants) == 4


async def test_the_first_failure_is_the_user_s_to_fix_and_comes_at_once(rest_venue: Any) -> None:
    rest_venue.respond = lambda *_: (500, {})
    async with RestClient(rest_venue.url, "paper", "1") as rest:
        with pytest.raises(VenueError, match="try again later"):
            async for _ in connections(rest, "DOT1", READ_ONLY, pace=QUICK):
                pass
    assert len(rest_venue.requests) == 1


async def test_later_a_passing_failure_is_waited_out_but_a_refused_token_ends_it(
    rest_venue: Any, venue: Any, grants: list[str]
) -> None:
    working = rest_venue.respond
    script = [working, lambda *_: (503, {}), lambda *_: (503, {}), working]

    def respond(*request: Any) -> tuple[int, object]:
        step = script.pop(0) if script else lambda *_: (401, {})
        result: tuple[int, object] = step(*request)
        return result

    rest_venue.respond = respond
    generations = []
    async with RestClient(rest_venue.url, "paper", "1") as rest:

        async def use() -> None:
            async for client in connections(rest, "DOT1", READ_ONLY, pace=QUICK):
                generations.append(client.generation)
                await client.close()

        with pytest.raises(VenueError, match="refused the token"):
            await use()
    assert generations == [1, 2]


# ---- the pure part


def test_deriv_s_pace_is_one_two_four_eight_and_starts_over_only_after_a_connection_that_lasted() -> None:
    backoff, now, waits = Backoff(Pace(min_interval=0.0)), 0.0, []
    for lived in (0.0, 29.9, 0.0, 1.0, 5.0, 30.0, 0.0):
        backoff.attempt(now)
        now += lived
        backoff.ended(lived)
        waits.append(backoff.delay(now, 0.0))
    assert waits == [1, 2, 4, 8, 8, 1, 2]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 0.999)), max_size=50))
def test_attempts_are_never_closer_than_five_seconds(ends: list[tuple[float, float]]) -> None:
    backoff, now, attempts = Backoff(DERIV_PACE), 0.0, []
    for lived, share in ends:
        now += backoff.delay(now, share)
        backoff.attempt(now)
        attempts.append(now)
        now += lived
        backoff.ended(lived)
    assert all(b - a >= 5 - 1e-9 for a, b in pairwise(attempts))


@given(st.floats(0, 0.999))
def test_randomness_spreads_a_delay_and_never_shortens_it(share: float) -> None:
    backoff = Backoff(Pace(min_interval=0.0))
    backoff.attempt(0.0)
    backoff.ended(0.0)
    assert 1.0 <= backoff.delay(0.0, share) < 1.5
