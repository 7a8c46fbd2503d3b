"""200,000 malformed frames, in process and over a real socket: no crash, no change of state, no growth."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.memory import resident
from drills.malformed_frames import TERMS, Frame, frames
from drills.served import ACCOUNT, Served, serving
from paper_exchange.exchange import Exchange
from paper_exchange.markets.world import build_world
from paper_exchange.protocol.frames import encode
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings

COUNT = 200_000
WARM_UP = 20_000
"""Frames before memory is first read. By then buffers, caches and the allocator's pools have reached their size."""
ROOM = 8.0
"""MiB by which resident memory may differ at the end. Keeping a tenth of the bytes sent would take more."""
BATCH = 200
LINES_BROKEN = 60
"""Sockets that are opened and then sent bytes that break the websocket protocol."""
CODES = {"BadRequest", "SanityCheckFailed", "UnrecognisedRequest", "InputValidationFailed"}
FOLLOWED = ({"ticks": "R_100", "subscribe": 1}, {"transaction": 1, "subscribe": 1}, {"proposal": 1, **TERMS})


def drill() -> dict[str, Any]:
    """In process and over a socket, each with all frames."""
    inside, outside = in_process(COUNT, WARM_UP), asyncio.run(over_a_socket(COUNT, WARM_UP))
    for name, figures in (("in process", inside), ("over a socket", outside)):
        print(
            f"   {name}: {figures['frames']:,} frames in {figures['seconds']:.0f} s, {figures['answers']:,} errors, "
            f"state {'unchanged' if figures['unchanged'] else 'CHANGED'}, resident memory {figures['grown']:+.1f} MiB",
            flush=True,
        )
    return {"holds": inside["holds"] and outside["holds"], "in_process": inside, "over_a_socket": outside}


# In process


def state(exchange: Exchange) -> str:
    """A digest of everything an exchange holds."""
    accounts = [
        (a.account_id, str(a.balance), len(a.rows), sorted(a.contracts), sorted(a.open))
        for a in exchange.accounts.values()
    ]
    connections = [(n, sorted(c.subscriptions), sorted(c.proposals)) for n, c in exchange.connections.items()]
    watchers = {name: len(watching) for name, watching in exchange.watchers.items()}
    counters = (exchange.epoch, len(exchange.outbox), exchange.events.log, exchange.world.start)
    ids = {name: value for name, value in vars(exchange).items() if name.startswith("_") and isinstance(value, int)}
    held = (accounts, connections, watchers, counters, ids, sorted(exchange.open_by_symbol))
    return hashlib.sha256(repr(held).encode()).hexdigest()


def in_process(count: int, warm_up: int) -> dict[str, Any]:
    """Feed an exchange in process; check its answers, its state and this process's memory."""
    world = build_world(seed=1, today=time.time(), history_days=1)
    exchange = Exchange(world, [Account(ACCOUNT, 0.012)], Settings(budget_factor=1_000))
    exchange.open(1, ACCOUNT)
    for request in (*FOLLOWED, {"buy": "1", "price": 10, "parameters": TERMS}):
        exchange.receive_text(1, encode(request))
    exchange.outbox.clear()
    before, begun, answers, wrong = state(exchange), time.monotonic(), 0, 0
    memory = 0.0
    for k, frame in enumerate(frames(1, count)):
        if k == warm_up:
            gc.collect()
            memory = resident()
        exchange.receive_text(1, frame if isinstance(frame, str) else "")
        while exchange.outbox:
            item: Any = exchange.outbox.popleft()[1]
            answers += 1
            wrong += json.loads(encode(item)).get("error", {}).get("code") not in CODES
    gc.collect()
    return _figures(count, answers, wrong, before == state(exchange), resident() - memory, time.monotonic() - begun)


# Over a real socket


async def over_a_socket(count: int, warm_up: int) -> dict[str, Any]:
    """Feed a server in a process of its own through its websocket, and check the same things."""
    # The socket that watches is silent meanwhile; on a busy machine that is longer than the exchange's idle limit.
    with serving("--idle-close", "never") as served:
        async with connect(served.otp(), proxy=None, compression=None, max_queue=None) as watching:
            for request in (*FOLLOWED, {"buy": "1", "price": 10, "parameters": TERMS}):
                await watching.send(json.dumps(request))
                await watching.recv()
            before, begun = await _reported(served, watching), time.monotonic()
            source = frames(2, count)
            answers, wrong = await _flood(served, islice(source, warm_up))
            memory = served.memory()
            more, worse = await _flood(served, source)
            await _break_lines(served)
            grown, after = served.memory() - memory, await _reported(served, watching)
            took = time.monotonic() - begun
    return _figures(count, answers + more, wrong + worse, before == after, grown, took)


async def _flood(served: Served, source: Iterator[Frame]) -> tuple[int, int]:
    """Send every frame over one socket and read one answer each: how many came, how many were no error."""
    answers = wrong = 0
    async with connect(served.otp(), proxy=None, compression=None, max_queue=None) as socket:
        while batch := list(islice(source, BATCH)):
            for frame in batch:
                await socket.send(frame)
            for _ in batch:
                async with asyncio.timeout(20):
                    answer = json.loads(await socket.recv())
                answers += 1
                wrong += answer.get("error", {}).get("code") not in CODES
    return answers, wrong


async def _break_lines(served: Served) -> None:
    """Send bytes that break the protocol. Each must close its own socket and affect no other."""
    for k in range(LINES_BROKEN):
        async with connect(served.public, proxy=None, compression=None) as socket:
            if k % 3 == 0:
                await socket.send(b'{"ping":"\xff\xfe"}', text=True)
            elif k % 3 == 1:
                await socket.send("x" * ((1 << 20) + 1))
            else:
                socket.transport.write(b"\xff\xff\xff\xff" * 50)
            try:
                async with asyncio.timeout(10):
                    await socket.recv()
                raise AssertionError("a broken line was answered")
            except ConnectionClosed:
                pass


async def _reported(served: Served, watching: ClientConnection) -> tuple[Any, ...]:
    """What the exchange reports of its state: truth, portfolio, statement and balance."""
    reported = []
    for request in ({"portfolio": 1}, {"statement": 1}, {"balance": 1}):
        await watching.send(json.dumps(request))
        while True:
            async with asyncio.timeout(20):
                frame = json.loads(await watching.recv())
            if frame["msg_type"] in request:
                break
        reported.append(frame)
    return served.truth(), *reported


def _figures(count: int, answers: int, wrong: int, unchanged: bool, grown: float, seconds: float) -> dict[str, Any]:
    return {
        "holds": answers == count and not wrong and unchanged and grown < ROOM,
        "frames": count,
        "answers": answers,
        "not_an_error": wrong,
        "unchanged": unchanged,
        "grown": round(grown, 2),
        "seconds": round(seconds, 1),
    }
