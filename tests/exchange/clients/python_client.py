"""A short trading session by Deriv's own python-deriv-api, over a connection handed to it.

Run by ``test_official_clients.py`` in the client's own environment: ``python python_client.py SOCKET_URL``. Prints what
the client got as one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import websockets
from deriv_api import DerivAPI

TERMS = {
    "proposal": 1,
    "amount": 10,
    "basis": "stake",
    "contract_type": "CALL",
    "currency": "USD",
    "duration": 5,
    "duration_unit": "t",
    "underlying_symbol": "R_100",
}


async def collect(source: Any, enough: Any) -> list[Any]:
    """Frames of a stream until ``enough`` says so."""
    frames: list[Any] = []
    done = asyncio.get_running_loop().create_future()

    def take(frame: Any) -> None:
        frames.append(frame)
        if enough(frames) and not done.done():
            done.set_result(None)

    def fail(error: Exception) -> None:
        if not done.done():
            done.set_exception(error)

    source.subscribe(take, fail)
    await asyncio.wait_for(done, 30)
    return frames


async def session(url: str) -> dict[str, Any]:
    """Ticks, history, price, purchase, life, statement, forget."""
    connection = await websockets.connect(url)
    api = DerivAPI(connection=connection)
    got: dict[str, Any] = {}
    got["ticks"] = await collect(await api.subscribe({"ticks": "R_100"}), lambda frames: len(frames) >= 3)
    got["history"] = await api.send({"ticks_history": "R_100", "end": "latest", "count": 10})
    got["proposal"] = await api.send(dict(TERMS))
    price = got["proposal"]["proposal"]
    got["buy"] = await api.send({"buy": price["id"], "price": price["ask_price"]})
    following = {"proposal_open_contract": 1, "contract_id": got["buy"]["buy"]["contract_id"]}
    got["life"] = await collect(
        await api.subscribe(following), lambda frames: frames[-1]["proposal_open_contract"]["is_sold"] == 1
    )
    got["statement"] = await api.send({"statement": 1, "description": 1, "limit": 2})
    got["forget"] = await api.forget(got["ticks"][0]["subscription"]["id"])
    try:
        await api.send({"ticks_history": "R_100"})
    except Exception as error:
        got["refusal"] = str(error)
    await api.clear()
    # The client leaves a connection that it was handed open, and an open one holds the program up for ten seconds.
    await connection.close()
    return got


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(session(sys.argv[1]))))
