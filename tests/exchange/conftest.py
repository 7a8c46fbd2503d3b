"""Fixtures of the exchange's tests: virtual venues in process, and the real server on a free port.

Every frame a virtual venue sends is held against Deriv's published schemas when the test ends, where those files are
at hand.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from paper_exchange.exchange import Exchange
from paper_exchange.markets.recording import Ticks
from paper_exchange.markets.world import World, build_world
from paper_exchange.net.server import listen, serve
from paper_exchange.net.virtual import VirtualVenue
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings
from paper_exchange.verify.published import Published
from support.worlds import shared_world

SCHEMAS = Path(__file__).resolve().parents[2].parent / "shared" / "deriv-schemas" / "new"
FIRST, SECOND = "DOT90000001", "DOT90000002"
HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}


@cache
def schemas() -> Published | None:
    """Deriv's published schemas, None where they are not at hand."""
    return Published(SCHEMAS) if SCHEMAS.is_dir() else None


@pytest.fixture(scope="session")
def published() -> Published:
    """Deriv's published schemas, or a skip where they are not at hand."""
    found = schemas()
    if found is None:
        pytest.skip("Deriv's published schemas are not beside this checkout")
    return found


Opener = Callable[..., VirtualVenue]


@pytest.fixture
def venue() -> Iterator[Opener]:
    """Opens virtual venues: ``venue()``, ``venue(planted=True)``, ``venue(world=...)``, ``venue(lockstep=True)``."""
    opened: list[VirtualVenue] = []

    def make(
        world: World | None = None,
        *,
        lockstep: bool = False,
        seed: int = 1,
        commission: float | str = 0.012,
        assume: dict[str, str] | None = None,
        **market: Any,
    ) -> VirtualVenue:
        world = world or shared_world(seed=seed, **market)
        accounts = [Account(FIRST, commission), Account(SECOND, 0.0311)]
        exchange = Exchange(
            world, accounts, Settings(seed=seed, lockstep=lockstep, budget_factor=1, assume=assume or {})
        )
        opened.append(VirtualVenue(exchange))
        return opened[-1]

    yield make
    known = schemas()
    for item in opened if known else []:
        for _, text in item.transcript:
            frame = json.loads(text)
            if not frame["msg_type"].startswith("paper_"):
                assert known.frame_problems(frame) == [], frame


@pytest.fixture
def recorded() -> Callable[..., World]:
    """Builds a world that replays the ticks given as ``{epoch: quote}`` of one symbol; time starts at ``now``."""

    def make(symbol: str, ticks: dict[int, float], now: int) -> World:
        epochs = np.asarray(sorted(ticks), dtype=np.int64)
        quotes = np.asarray([ticks[e] for e in epochs.tolist()])
        marks = [e < now for e in epochs.tolist()]
        return build_world(
            seed=1,
            today=float(now + 100 * 86_400),
            history_days=1,
            recording=Ticks(epochs, quotes, marks),
            recorded_symbol=symbol,
        )

    return make


@dataclass
class LiveServer:
    """A running server.

    Attributes:
        url: its REST base.
        exchange: what is served; only read it while it runs.
    """

    url: str
    exchange: Exchange

    def otp_url(self, account_id: str = FIRST) -> str:
        """A websocket URL that works once."""
        return str(self.otp(account_id)["url"])

    def otp(self, account_id: str = FIRST) -> dict[str, Any]:
        """The whole answer of the one-time password call."""
        path = f"{self.url}/trading/v1/options/accounts/{account_id}/otp"
        return dict(httpx.post(path, headers=HEADERS, trust_env=False, verify=False).json()["data"])

    def get(self, path: str) -> Any:
        """GET a path as JSON."""
        return httpx.get(self.url + path, headers=HEADERS, trust_env=False, verify=False).json()


@pytest.fixture
def server() -> Iterator[Callable[..., LiveServer]]:
    """Starts real servers on free ports, each in a thread with its own event loop; stops them at the end."""
    running: list[tuple[threading.Thread, asyncio.AbstractEventLoop, asyncio.Event]] = []

    def start(
        *,
        rate: float | None = None,
        world: World | None = None,
        seed: int = 1,
        maintenance: tuple[tuple[int, int], ...] = (),
        **market: Any,
    ) -> LiveServer:
        world = world or shared_world(seed=seed, **market)
        settings = Settings(seed=seed, lockstep=rate is None, budget_factor=1_000, maintenance=maintenance)
        exchange = Exchange(world, [Account(FIRST, 0.012), Account(SECOND, 0.0311)], settings)
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        loop, ready = asyncio.new_event_loop(), threading.Event()
        stop = asyncio.Event()

        def run() -> None:
            loop.run_until_complete(serve(exchange, listener, rate=rate, ready=ready.set, stop=stop))
            loop.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        running.append((thread, loop, stop))
        assert ready.wait(60), "the server did not come up"
        return LiveServer(f"http://127.0.0.1:{port}", exchange)

    yield start
    for thread, loop, stop in running:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        assert not thread.is_alive(), "the server did not stop"
