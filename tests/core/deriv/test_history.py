"""Downloading the past: complete, ordered, without doubles, whatever the page size and the holes in the data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtitan_core.deriv import history, requests
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import DerivError, FrameError
from xtitan_core.deriv.history import fetch_ticks, parse_history, tick_pages
from xtitan_core.deriv.verbs import READ_ONLY

START = 1_772_409_600


class Feed:
    """Deriv's rule: a range answers with its *latest* ``count`` ticks, both ends included, oldest first."""

    def __init__(self, epochs: list[int], page: int = 5_000) -> None:
        self.epochs, self.page, self.refusals = epochs, page, 0
        self.quotes = [round(600 + (e % 997) / 100, 2) for e in epochs]

    async def __call__(self, socket: Any, request: dict[str, Any]) -> None:
        head = {"echo_req": request, "req_id": request["req_id"], "msg_type": "history"}
        if self.refusals:
            self.refusals -= 1
            error = {"code": "RateLimit", "message": "You have reached the rate limit for ticks_history."}
            await socket.send(json.dumps({**head, "error": error}))
            return
        low, high = request["start"], int(request["end"])
        inside = [i for i, e in enumerate(self.epochs) if low <= e <= high][-min(request["count"], self.page) :]
        body = {"times": [self.epochs[i] for i in inside], "prices": [self.quotes[i] for i in inside]}
        await socket.send(json.dumps({**head, "history": body, "pip_size": 2}))


async def test_a_day_comes_back_whole_over_nine_pages(venue: Any) -> None:
    day = list(range(START, START + 86_400, 2))
    venue.handler = feed = Feed(day)
    client = await DerivClient.connect(venue.url, READ_ONLY)
    seen: list[tuple[int, int]] = []
    epochs, quotes, pip = await fetch_ticks(
        client, "R_100", START, START + 86_399, lambda n, oldest: seen.append((n, oldest))
    )
    assert (epochs.dtype, quotes.dtype, pip) == (np.int64, np.float64, 2)
    assert epochs.tolist() == day
    assert quotes.tolist() == feed.quotes
    assert len(seen) == len(venue.received) == 9
    assert seen[-1] == (43_200, START)
    await client.close()


@pytest.mark.parametrize("page", [1, 7, 50, 5_000])
@pytest.mark.parametrize("holes", [set(), set(range(10, 60)), set(range(40)), set(range(160, 200)), set(range(200))])
async def test_holes_and_page_sizes_change_nothing(venue: Any, page: int, holes: set[int]) -> None:
    epochs = [START + 2 * i for i in range(200) if i not in holes]
    venue.handler = feed = Feed([START - 2, *epochs, START + 400], page)
    client = await DerivClient.connect(venue.url, READ_ONLY)
    got, quotes, pip = await fetch_ticks(client, "R_100", START, START + 399)
    assert got.tolist() == epochs
    assert quotes.tolist() == feed.quotes[1:-1]
    assert pip == (2 if epochs else 0)
    await client.close()


async def test_a_download_goes_on_where_it_stopped(venue: Any) -> None:
    epochs = [START + 2 * i for i in range(100)]
    venue.handler = Feed(epochs, 30)
    client = await DerivClient.connect(venue.url, READ_ONLY)
    kept = []
    async for page in tick_pages(client, "R_100", START, START + 199):
        kept = [*page.epochs.tolist(), *kept]
        if len(kept) >= 60:
            break
    rest, _, _ = await fetch_ticks(client, "R_100", START, kept[0] - 1)
    assert rest.tolist() + kept == epochs
    await client.close()


async def test_an_empty_range_asks_nothing(venue: Any) -> None:
    client = await DerivClient.connect(venue.url, READ_ONLY)
    epochs, quotes, _ = await fetch_ticks(client, "R_100", START, START - 1)
    assert len(epochs) == len(quotes) == len(venue.received) == 0
    await client.close()


async def test_a_venue_that_ignores_the_range_cannot_make_us_loop(venue: Any) -> None:
    async def stubborn(socket: Any, request: dict[str, Any]) -> None:
        body = {"times": [START + 2, START + 4], "prices": [1.5, 2.5]}
        await socket.send(
            json.dumps(
                {
                    "echo_req": request,
                    "req_id": request["req_id"],
                    "msg_type": "history",
                    "history": body,
                    "pip_size": 2,
                }
            )
        )

    venue.handler = stubborn
    client = await DerivClient.connect(venue.url, READ_ONLY)
    epochs, _, _ = await fetch_ticks(client, "R_100", START, START + 10)
    assert epochs.tolist() == [START + 2, START + 4]
    assert len(venue.received) == 2
    await client.close()


async def test_a_rate_limit_is_waited_out_a_limited_number_of_times(
    venue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "RETRY_DELAYS", (0.01, 0.01))
    venue.handler = feed = Feed([START])
    client = await DerivClient.connect(venue.url, READ_ONLY)
    feed.refusals = 2
    assert len((await fetch_ticks(client, "R_100", START, START))[0]) == 1
    feed.refusals = 3
    with pytest.raises(DerivError, match="RateLimit"):
        await fetch_ticks(client, "R_100", START, START)
    await client.close()


def frame(times: list[Any], prices: list[Any], pip: Any = 2) -> dict[str, Any]:
    return {"history": {"times": times, "prices": prices}, "pip_size": pip}


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.01, 1e6)), max_size=60))
def test_of_several_ticks_in_one_second_the_last_stays(steps: list[tuple[int, float]]) -> None:
    times = np.cumsum([s for s, _ in steps], dtype=np.int64).tolist()
    prices = [p for _, p in steps]
    page = parse_history(frame(times, prices))
    assert dict(zip(page.epochs.tolist(), page.quotes.tolist(), strict=True)) == dict(zip(times, prices, strict=True))
    assert np.all(np.diff(page.epochs) > 0)


@pytest.mark.parametrize(
    "bad",
    [
        frame([1, 2], [1.0]),
        frame([2, 1], [1.0, 1.0]),
        frame([1], ["1.0"]),
        frame([1], [True]),
        frame([1], [None]),
        frame([1.5], [1.0]),
        frame(["1"], [1.0]),
        frame([1], [0.0]),
        frame([1], [-1.0]),
        frame([1], [float("inf")]),
        frame([1], [[1.0]]),
        frame([1, 2], [1.0, [2.0]]),
        frame([2**70], [1.0]),
        frame([1], [1.0], None),
        {"history": {"times": 1, "prices": 2}, "pip_size": 2},
        {"candles": []},
    ],
)
def test_a_page_that_is_not_clean_is_refused_whole(bad: dict[str, Any]) -> None:
    with pytest.raises(FrameError):
        parse_history(bad)


def test_a_page_asks_for_as_much_as_deriv_gives() -> None:
    build: Callable[..., dict[str, Any]] = requests.ticks_history
    assert build("R_100", 1, 2)["count"] == 5_000
