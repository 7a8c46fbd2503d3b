"""Lockstep over a real loopback socket, against a bare server of the same stack that echoes frames of the same size."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.rest import RestClient
from xtitan_core.deriv.verbs import TRADING

INSTANTS = 4_000


async def echo(socket: WebSocket) -> None:
    """Answer each frame with two, as an instant does, without an exchange."""
    await socket.accept()
    tick = json.dumps({"tick": {"symbol": "R_100", "quote": 640.12, "epoch": 0, "pip_size": 2}, "msg_type": "tick"})
    end = json.dumps({"paper_instant": {"epoch": 0}, "msg_type": "paper_instant"})
    async for _ in socket.iter_text():
        await socket.send_text(tick)
        await socket.send_text(end)


async def bare(count: int) -> float:
    """Round trips per second of the bare server, which runs in a process of its own."""
    import websockets

    program = "import asyncio; from benchmarks.lockstep import serve; asyncio.run(serve())"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        async with websockets.connect(f"ws://127.0.0.1:{port}/", compression=None, proxy=None) as ws:
            started = time.perf_counter()
            for _ in range(count):
                await ws.send('{"paper_ack":1}')
                json.loads(await ws.recv())
                json.loads(await ws.recv())
            return count / (time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait()


async def serve() -> None:
    """Run the bare server and print its port."""
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=[WebSocketRoute("/", echo)]),
            host="127.0.0.1",
            port=0,
            log_level="warning",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await task


async def exchange(count: int) -> float:
    """Instants per second of the real exchange with one subscribed symbol, driven by the real client."""
    program = str(Path(sys.executable).parent / "paper_exchange")
    process = subprocess.Popen(
        [program, "serve", "--port", "0", "--speed", "lockstep", "--history-days", "1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        match = re.search(r"url=(\S+)", process.stdout.readline())
        assert match is not None
        rest = RestClient(match.group(1), "paper", "benchmark")
        grant = await rest.otp((await rest.accounts())[0].account_id)
        client = await DerivClient.connect(grant.url, TRADING, budgets=None)
        await client.subscribe({"ticks": "R_100", "subscribe": 1})
        await client.request({"paper_lockstep": 1})
        done, started = 0, time.perf_counter()
        while done < count:
            event = await client.events.get()
            assert event is not None
            if event["msg_type"] == "paper_instant":
                client.ack_instant(event["paper_instant"]["epoch"])
                done += 1
        rate = count / (time.perf_counter() - started)
        await client.close()
        await rest.aclose()
        return rate
    finally:
        process.terminate()
        process.wait()


def measure() -> dict[str, Any]:
    """Both rates in one run, and their ratio."""
    peer = asyncio.run(bare(INSTANTS))
    ours = asyncio.run(exchange(INSTANTS))
    return {
        "exchange, instants a second": round(ours),
        "bare server of the same stack, round trips a second": round(peer),
        "ratio exchange / bare": round(ours / peer, 2),
    }
