"""Same seed, same script: the same bytes on the wire, whatever carries them and whatever process they come from."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

from websockets.asyncio.client import connect

from paper_exchange.exchange import Exchange
from paper_exchange.markets.world import build_world
from paper_exchange.net.in_memory import open_exchange, run
from paper_exchange.net.virtual import VirtualVenue
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings

FIRST, SECOND = "DOT90000001", "DOT90000002"
START, INSTANTS = 1_772_409_600, 200
LAST = 999

_CONTRACT = {"amount": 10, "basis": "stake", "currency": "USD", "underlying_symbol": "R_100"}
_CONTRACTS = (
    {"contract_type": "CALL", "duration": 5, "duration_unit": "t"},
    {"contract_type": "PUTE", "duration": 2, "duration_unit": "m", "underlying_symbol": "1HZ10V"},
    {"contract_type": "ONETOUCH", "duration": 3, "duration_unit": "m", "barrier": "+0.5"},
    {"contract_type": "EXPIRYRANGE", "duration": 4, "duration_unit": "m", "barrier": "+0.9", "barrier2": "-0.8"},
    {"contract_type": "DIGITMATCH", "duration": 5, "duration_unit": "t", "barrier": "4"},
)


def script() -> list[str]:
    """One client's day, as the text frames it sends; its acknowledgements move time."""
    requests: list[dict[str, Any]] = [
        {"ticks": ["R_100", "R_10", "1HZ10V"], "subscribe": 1, "passthrough": {"note": "é"}},
        {"ticks_history": "R_50", "end": "latest", "count": 30, "style": "candles", "granularity": 60, "subscribe": 1},
        {"balance": 1, "subscribe": 1},
        {"transaction": 1, "subscribe": 1},
        {"proposal_open_contract": 1, "subscribe": 1},
        {"active_symbols": "brief"},
        {"contracts_for": "R_100"},
        {"paper_lockstep": 1},
    ]
    terms = [{**_CONTRACT, **contract} for contract in _CONTRACTS]
    requests += [{"proposal": 1, "subscribe": 1, **contract} for contract in terms]
    for instant in range(INSTANTS):
        if instant % 20 == 0:
            requests += [{"buy": "1", "price": 10, "parameters": contract} for contract in terms]
        requests.append({"paper_ack": START + instant})
    requests += [
        {"portfolio": 1},
        {"profit_table": 1, "description": 1},
        {"statement": 1, "description": 1},
        {"forget_all": ["ticks", "candles", "proposal", "proposal_open_contract"]},
        {"ticks": 7},
        {"no_such_call": 1},
        {"time": 1},
    ]
    ids = [number if request is not requests[-1] else LAST for number, request in enumerate(requests, 1)]
    named = [r if "paper_ack" in r else {**r, "req_id": i} for i, r in zip(ids, requests, strict=True)]
    return [json.dumps(request) for request in named]


def fresh(seed: int = 1) -> Exchange:
    world = build_world(seed=seed, today=1_795_000_000.0, history_days=1)
    settings = Settings(seed=seed, lockstep=True, budget_factor=1_000)
    return Exchange(world, [Account(FIRST, 0.012), Account(SECOND, 0.0311)], settings)


def in_process(exchange: Exchange) -> list[str]:
    venue = VirtualVenue(exchange)
    socket = venue.connect(FIRST, 1089)
    for text in script():
        venue.exchange.receive_text(socket.number, text)
    venue.deliver()
    return [text for _, text in venue.transcript]


async def over_a_socket(url: str) -> list[str]:
    texts: list[str] = []
    async with connect(url, proxy=None, compression=None, max_queue=None, ping_interval=None) as socket:
        for text in script():
            await socket.send(text)
        while not texts or json.loads(texts[-1]).get("req_id") != LAST:
            async with asyncio.timeout(60):
                texts.append(str(await socket.recv()))
    return texts


def over_memory() -> tuple[bytes, list[str]]:
    async def whole() -> tuple[bytes, list[str]]:
        async with open_exchange(fresh(), rate=None, pings=False) as venue:
            texts = await over_a_socket(await venue.otp(FIRST))
            return venue.links[-1].frames_down(), texts

    return run(whole())


@cache
def expected() -> list[str]:
    """What every way of running the script has to give."""
    return in_process(fresh())


def test_the_script_says_something() -> None:
    frames = [json.loads(text) for text in expected()]
    kinds = {frame["msg_type"] for frame in frames}
    assert {
        "tick",
        "ohlc",
        "candles",
        "proposal",
        "buy",
        "transaction",
        "balance",
        "profit_table",
        "statement",
    } <= kinds
    assert any("error" in frame for frame in frames)
    assert sum("buy" in frame for frame in frames) >= INSTANTS // 20 * 2
    assert frames[-1]["time"] == START + INSTANTS


def test_in_process_twice() -> None:
    assert in_process(fresh()) == expected()
    assert in_process(fresh(seed=2)) != expected()


def test_over_sockets_in_memory_twice() -> None:
    raw, texts = over_memory()
    assert over_memory() == (raw, texts)
    assert texts == expected()


def test_over_a_real_socket(server: Any) -> None:
    assert asyncio.run(over_a_socket(server().otp_url(FIRST))) == expected()


def test_in_processes_that_hash_differently() -> None:
    """Sets and dicts of text iterate in another order there."""
    digests = set()
    for seed in ("1", "2", "3"):
        program = (
            f"import sys; sys.path[:0] = {sys.path!r}\nimport runpy; runpy.run_path({__file__!r}, run_name='digest')"
        )
        process = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(process.stdout)
    assert digests == {hashlib.sha256("\n".join(expected()).encode()).hexdigest()}


if __name__ == "digest":
    sys.stdout.write(hashlib.sha256("\n".join(in_process(fresh())).encode()).hexdigest())
