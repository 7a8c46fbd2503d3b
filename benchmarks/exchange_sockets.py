"""Quotes and settlements over a real loopback socket, against a bare server of the same stack.

The bare server is the same uvicorn with the same websocket protocol and the same kind of ASGI application, without an
exchange: it answers each request with constant frames, as many and as long as the exchange's. Both run in processes of
their own, in the same measurement, driven by the same plain socket client, so the ratio is the cost of the exchange.
The profile says where its time goes.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn

from benchmarks.profiles import profiled
from benchmarks.socket_client import SocketClient, pipelined, request_reply
from paper_exchange.exchange import Exchange
from paper_exchange.markets.world import build_world
from paper_exchange.net.batching import BatchingProtocol
from paper_exchange.net.server import listen, serve
from paper_exchange.net.virtual import VirtualVenue
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings

ACCOUNT = "DOT90000001"
START = 1_772_409_600
QUOTES, ROUND_TRIPS, BATCHES, BATCH, SINGLES = 20_000, 4_000, 100, 50, 1_000
RUNS = 3
LOCKSTEP_SPEED = 1_000

_CONTRACT = {"amount": 1, "basis": "stake", "currency": "USD", "duration_unit": "t", "underlying_symbol": "1HZ100V"}
OPENING = ({"transaction": 1, "subscribe": 1}, {"paper_lockstep": 1})
"""What a connection sends first: subscribe to money movements, and let time move by acknowledgement."""

Script = list[str]


def quotes(count: int) -> Script:
    """Requests for the price of rise or fall in one to ten ticks."""
    terms = itertools.cycle((kind, ticks) for ticks in range(1, 11) for kind in ("CALL", "PUT"))
    return [
        json.dumps({"proposal": 1, **_CONTRACT, "contract_type": kind, "duration": ticks, "req_id": number})
        for number, (kind, ticks) in zip(range(1, count + 1), terms, strict=False)
    ]


def settlements(batches: int, size: int) -> Script:
    """Per batch, purchases of one-tick contracts and the two acknowledgements that settle them."""
    buys = itertools.count(1)
    script = []
    for batch in range(batches):
        for _ in range(size):
            contract = {**_CONTRACT, "contract_type": "CALL", "duration": 1}
            script.append(json.dumps({"buy": "1", "price": 1, "parameters": contract, "req_id": next(buys)}))
        script += [json.dumps({"paper_ack": START + 2 * batch + step}) for step in (0, 1)]
    return script


def build(*, lockstep: bool = True) -> Exchange:
    """A fresh exchange, as ``serve --speed lockstep`` makes it."""
    world = build_world(seed=1, today=1_795_000_000.0, history_days=1)
    return Exchange(world, [Account(ACCOUNT, 0.012)], Settings(lockstep=lockstep, budget_factor=LOCKSTEP_SPEED))


def answers(script: Script) -> list[list[str]]:
    """The frames that each request of a script causes, from an exchange in process."""
    venue = VirtualVenue(build())
    socket = venue.connect(ACCOUNT)
    for request in OPENING:
        socket.send(request)
    caused = []
    for text in script:
        before = len(venue.transcript)
        venue.exchange.receive_text(socket.number, text)
        venue.deliver()
        caused.append([text for _, text in venue.transcript[before:]])
    return caused


# Servers, each in a process of its own


def at_end_of_input(stop: Callable[[], None]) -> None:
    """Call ``stop`` once the standard input ends."""
    loop, file = asyncio.get_running_loop(), sys.stdin.fileno()

    def ended() -> None:
        loop.remove_reader(file)
        stop()

    loop.add_reader(file, ended)


async def serve_exchange() -> None:
    """Print the port, serve until the standard input ends."""
    listener, stop = listen("127.0.0.1", 0), asyncio.Event()
    port = listener.getsockname()[1]
    at_end_of_input(stop.set)
    await serve(build(), listener, rate=None, ready=lambda: print(port, flush=True), stop=stop)


def serve_profiled() -> None:
    """The same under the profiler; prints the shares at the end."""
    profiled(serve_exchange())


async def serve_constants() -> None:
    """The bare server: what to answer comes as JSON, one line; the port goes out; serves until the input ends."""
    replies: list[list[str]] = json.loads(sys.stdin.readline())

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for texts in itertools.cycle(replies):
            if (await receive())["type"] == "websocket.disconnect":
                return
            for text in texts:
                await send({"type": "websocket.send", "text": text})

    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(
            application, ws=BatchingProtocol, http="h11", loop="asyncio", lifespan="off", log_config=None,
            access_log=False, log_level="critical",
        )
    )  # fmt: skip
    at_end_of_input(lambda: setattr(server, "should_exit", True))
    print(listener.getsockname()[1], flush=True)
    await server.serve(sockets=[listener])


@contextmanager
def process(program: str, line: str = "") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server's process and its port."""
    running = subprocess.Popen(
        [sys.executable, "-c", f"from benchmarks.exchange_sockets import *; {program}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        running.stdin.write(line + "\n" if line else "")
        running.stdin.flush()
        yield running, int(running.stdout.readline())
    finally:
        running.stdin.close()
        running.wait(20)


def open_session(port: int) -> SocketClient:
    """A socket of the account, its opening requests answered."""
    rest = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}
    rest.request("POST", f"/trading/v1/options/accounts/{ACCOUNT}/otp", headers=headers)
    path = json.loads(rest.getresponse().read())["data"]["url"].split(f":{port}")[1]
    client = SocketClient(port, path)
    for request in OPENING:
        client.send(json.dumps(request).encode())
    client.receive(3)
    return client


def exchange_rate(script: Script, expected: Sequence[int], *, window: int) -> float:
    """Requests a second of the exchange."""
    with process("asyncio.run(serve_exchange())") as (_, port):
        return drive(open_session(port), script, expected, window)


def bare_rate(script: Script, caused: list[list[str]], *, window: int) -> float:
    """Requests a second of the bare server, sent the same and answering as much."""
    with process("asyncio.run(serve_constants())", json.dumps(caused)) as (_, port):
        return drive(SocketClient(port, "/"), script, [len(texts) for texts in caused], window)


def drive(client: SocketClient, script: Script, expected: Sequence[int], window: int) -> float:
    """Run a script; ``window`` requests may be unanswered, 1 for request/reply."""
    try:
        if window == 1:
            return request_reply(client, script, expected)
        return pipelined(client, script, expected, window)
    finally:
        client.close()


def profile(script: Script, expected: Sequence[int]) -> str:
    """Shares of the exchange's time by subject, waiting left out, while it serves a script."""
    with process("serve_profiled()") as (running, port):
        drive(open_session(port), script, expected, 200)
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.close()
        shares: dict[str, float] = json.loads(running.stdout.readline())
    return ", ".join(f"{subject} {share:.0%}" for subject, share in shares.items())


def measure() -> dict[str, Any]:
    """Medians of three runs each, exchange and bare server in turn."""
    found: dict[str, Any] = {}
    cases = (
        ("quotes, streaming", quotes(QUOTES), 1, 200),
        ("quotes, request/reply", quotes(ROUND_TRIPS), 1, 1),
        ("settlements, streaming", settlements(BATCHES, BATCH), 1 + 2 / BATCH, 200),
        ("settlements, request/reply", settlements(SINGLES, 1), 3, 1),
    )
    for label, script, requests_each, window in cases:
        caused = answers(script)
        expected = [len(texts) for texts in caused]
        ours, bare = [], []
        for _ in range(RUNS):
            ours.append(exchange_rate(script, expected, window=window))
            bare.append(bare_rate(script, caused, window=window))
        found[f"{label}, exchange, a second"] = round(statistics.median(ours) / requests_each)
        found[f"{label}, bare server, a second"] = round(statistics.median(bare) / requests_each)
        found[f"{label}, ratio"] = round(statistics.median(o / b for o, b in zip(ours, bare, strict=True)), 2)
        if window > 1:
            found[f"{label}, where the exchange's time goes"] = profile(script, expected)
    return found
