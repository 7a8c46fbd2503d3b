#!/bin/sh
# python-deriv-api: after one purchase with a subscription no other kind of stream can be opened.
#
# Expected: ``subscribe({"buy": ..., "price": ...})`` follows the bought contract, and streams of ticks or of the balance
# can be opened before and after it.
#
# Seen: after it every new stream raises ``KeyError: 'contract_id'`` before anything is sent.
# ``SubscriptionManager.get_source`` compares each bought contract with ``request["contract_id"]``, a member that only
# ``proposal_open_contract`` for one contract has. The client in JavaScript looks first whether the member is there.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-deriv-api==0.1.6 reactivex==4.0.4 websockets==10.3
venv/bin/python - <<'END'
from __future__ import annotations

import asyncio
import json
import sys
from importlib.metadata import version
from typing import Any

import websockets
from deriv_api import DerivAPI

ANSWERS: dict[str, dict[str, Any]] = {
    "ticks": {"msg_type": "tick", "tick": {"quote": 640.12}},
    "balance": {"msg_type": "balance", "balance": {"balance": 10_000}},
    "buy": {"msg_type": "buy", "buy": {"contract_id": 42}},
}


async def venue(socket: Any, path: str = "") -> None:
    """Grant every subscription."""
    async for text in socket:
        request = json.loads(text)
        kind = next(name for name in ANSWERS if name in request)
        head = {"echo_req": request, "req_id": request["req_id"], "subscription": {"id": f"s{request['req_id']}"}}
        await socket.send(json.dumps(head | ANSWERS[kind]))


async def ask(api: DerivAPI, request: dict[str, Any]) -> str:
    """Open one stream; what came of it within a moment."""
    heard: list[str] = []
    try:
        stream = await api.subscribe(request)
    except Exception as error:
        return repr(error)
    stream.subscribe(lambda frame: heard.append("ok"), lambda error: heard.append(repr(error)))
    await asyncio.sleep(0.3)
    return heard[0]


async def main() -> int:
    async with websockets.serve(venue, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        api = DerivAPI(connection=await websockets.connect(f"ws://127.0.0.1:{port}"))
        before = await ask(api, {"ticks": "R_50"})
        bought = await ask(api, {"buy": "proposal-id", "price": 10})
        after = [await ask(api, request) for request in ({"ticks": "R_100"}, {"balance": 1})]
        await api.clear()
    seen = f"ticks before the purchase: {before}; purchase: {bought}; ticks and balance after it: {after}"
    as_described = (before, bought, after) == ("ok", "ok", ["KeyError('contract_id')"] * 2)
    print(f"{'reproduced' if as_described else 'CHANGED'}: python-deriv-api {version('python-deriv-api')}: {seen}")
    return 0 if as_described else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
END
