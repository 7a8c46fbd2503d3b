#!/bin/sh
# python-deriv-api: a subscription that was refused once is refused for as long as the client lives.
#
# Expected: the first ``subscribe`` is answered with an error (the market is closed); asking again later sends a new
# request, which the venue grants.
#
# Seen: asking again sends nothing and repeats the old error. ``SubscriptionManager.remove_key_on_error`` returns a
# function that would remove the failed stream, and nobody calls it. ``forget_all("ticks")`` clears it.
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

requests: list[dict[str, Any]] = []


async def venue(socket: Any, path: str = "") -> None:
    """Refuse the first subscription, grant all later ones."""
    async for text in socket:
        request = json.loads(text)
        requests.append(request)
        answer = {"echo_req": request, "req_id": request["req_id"], "msg_type": "tick"}
        if len(requests) == 1:
            answer["error"] = {"code": "MarketIsClosed", "message": "This market is presently closed."}
        else:
            answer |= {"tick": {"quote": 1.16}, "subscription": {"id": "s1"}}
        await socket.send(json.dumps(answer))


async def ask(api: DerivAPI) -> list[str]:
    """Subscribe once; what came of it within a moment."""
    heard: list[str] = []
    stream = await api.subscribe({"ticks": "frxEURUSD"})
    stream.subscribe(lambda frame: heard.append("tick"), lambda error: heard.append("refused"))
    await asyncio.sleep(0.3)
    return heard


async def main() -> int:
    async with websockets.serve(venue, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        api = DerivAPI(connection=await websockets.connect(f"ws://127.0.0.1:{port}"))
        heard = [await ask(api) for _ in range(3)]
        sent = len(requests)
        await api.clear()
    seen = f"three subscriptions were answered {heard}; {sent} request reached the venue"
    as_described = heard == [["refused"]] * 3 and sent == 1
    print(f"{'reproduced' if as_described else 'CHANGED'}: python-deriv-api {version('python-deriv-api')}: {seen}")
    return 0 if as_described else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
END
