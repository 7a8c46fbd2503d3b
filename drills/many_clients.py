"""Fifty real websocket clients on one exchange: none may miss a tick, at wall speed and at fifty times wall speed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from websockets.asyncio.client import connect

from drills.served import Served, serving

CLIENTS = 50
OF_AN_ACCOUNT = 5
"""Sockets with an account, as many as one user may have. The others are public."""
SYMBOL = "1HZ100V"
RUNS = ((1, 60), (50, 3_000))
"""``(venue seconds per wall second, ticks)``: one minute at wall speed, then fifty minutes of venue time in one."""


@dataclass
class Client:
    """What one client saw: ``(epoch, quote, monotonic seconds)`` of every tick, in the order of arrival."""

    ticks: list[tuple[int, float, float]] = field(default_factory=list)

    def lost(self) -> int:
        """Seconds of venue time without their tick, or ticks out of order."""
        return sum(abs(later[0] - earlier[0] - 1) for earlier, later in pairwise(self.ticks))


def drill() -> dict[str, Any]:
    """Every run of ``RUNS``."""
    runs = []
    for rate, ticks in RUNS:
        figures = asyncio.run(listen(CLIENTS, rate, ticks))
        print(
            f"   {figures['clients']} clients, {rate} ticks/s each: {figures['received']:,} ticks in "
            f"{figures['seconds']:.0f} s, {figures['lost']} lost, {figures['wrong']} wrong; last client at most "
            f"{figures['worst_spread_ms']:.0f} ms after the first, half the time within "
            f"{figures['median_spread_ms']:.1f} ms",
            flush=True,
        )
        runs.append(figures)
    return {"holds": all(run["holds"] for run in runs), "runs": runs}


async def listen(clients: int, rate: int, ticks: int) -> dict[str, Any]:
    """Let clients follow one symbol.

    Args:
        clients: how many, ``OF_AN_ACCOUNT`` of them with an account.
        rate: venue seconds per wall second.
        ticks: how many each waits for.
    """
    with serving("--speed", "real" if rate == 1 else str(rate)) as served:
        begun = time.monotonic()
        urls = [served.otp() if k < OF_AN_ACCOUNT else served.public for k in range(clients)]
        followers = [Client() for _ in urls]
        await asyncio.gather(*(follow(c, u, ticks) for c, u in zip(followers, urls, strict=True)))
        seconds = time.monotonic() - begun
        truth = await history(served, min(c.ticks[0][0] for c in followers), max(c.ticks[-1][0] for c in followers))
    spread = sorted(spreads(followers))
    received = sum(len(c.ticks) for c in followers)
    lost = sum(c.lost() for c in followers)
    wrong = sum(truth.get(epoch) != quote for c in followers for epoch, quote, _ in c.ticks)
    return {
        "holds": received == clients * ticks and not lost and not wrong,
        "clients": clients,
        "rate": rate,
        "received": received,
        "lost": lost,
        "wrong": wrong,
        "seconds": round(seconds, 1),
        "worst_spread_ms": round(spread[-1] * 1e3, 2),
        "median_spread_ms": round(spread[len(spread) // 2] * 1e3, 2),
    }


async def follow(client: Client, url: str, ticks: int) -> None:
    """Subscribe and note ``ticks`` ticks, with a ping every 25 s."""
    async with connect(url, proxy=None) as socket:
        await socket.send(json.dumps({"ticks": SYMBOL, "subscribe": 1}))
        pinging = asyncio.create_task(_ping(socket))
        try:
            while len(client.ticks) < ticks:
                async with asyncio.timeout(30):
                    frame = json.loads(await socket.recv())
                if frame["msg_type"] == "ping":
                    continue
                tick = frame["tick"]
                client.ticks.append((tick["epoch"], tick["quote"], time.monotonic()))
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)


async def _ping(socket: Any) -> None:
    with contextlib.suppress(OSError):
        while True:
            await asyncio.sleep(25)
            await socket.send('{"ping":1}')


async def history(served: Served, first: int, last: int) -> dict[int, float]:
    """Quotes of every epoch from the exchange's own records."""
    request = {"ticks_history": SYMBOL, "start": first, "end": str(last), "count": 5_000}
    async with connect(served.public, proxy=None) as socket:
        await socket.send(json.dumps(request))
        answer = json.loads(await socket.recv())["history"]
    return dict(zip(answer["times"], answer["prices"], strict=True))


def spreads(clients: list[Client]) -> list[float]:
    """For each tick that every client saw, seconds between the first and the last arrival."""
    arrivals: dict[int, list[float]] = {}
    for client in clients:
        for epoch, _, at in client.ticks:
            arrivals.setdefault(epoch, []).append(at)
    return [max(times) - min(times) for times in arrivals.values() if len(times) == len(clients)]
