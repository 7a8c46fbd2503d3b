"""A client of the verification: one socket, or REST, whose every request and frame is tallied."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from paper_exchange.errors import ExchangeError
from paper_exchange.protocol.frames import Frame
from paper_exchange.verify.tally import Tally

ACCOUNTS = "/trading/v1/options/accounts"
BULK = "/trading/v1/options/contracts/bulk-purchase/demo"
SOCKETS = "/trading/v1/options/ws"
HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}
ANSWER_SECONDS = 10
PIPELINE = 200
"""Bad requests on the way at a time."""


class Unanswered(ExchangeError):
    """No frame answered a request."""


class Trader:
    """One socket.

    Args:
        socket: an open websocket.
        tally: where everything is counted.
    """

    def __init__(self, socket: ClientConnection, tally: Tally) -> None:
        self._socket, self._tally = socket, tally
        self._sent: dict[int, Frame] = {}
        self._last = 0
        self.frames: list[Frame] = []

    @classmethod
    async def at(cls, url: str, tally: Tally) -> Trader:
        """A trader on the socket at ``url``."""
        return cls(await connect(url, proxy=None, max_size=None, compression=None, ping_interval=None), tally)

    async def call(self, request: Frame) -> Frame:
        """Send a good request and return its answer."""
        answer = await self._ask(request)
        self._tally.answered(_call_of(self._tally, request), request, answer)
        return answer

    async def fail(self, request: Frame, *codes: str) -> Frame:
        """Send a request that is well formed and cannot be granted; it has to be refused with one of ``codes``."""
        answer = await self.call(request)
        code = answer.get("error", {}).get("code")
        if code not in codes:
            self.wrong(request, f"was answered with {code}, not {' or '.join(codes)}")
        return answer

    async def grant(self, request: Frame) -> Frame:
        """Send a request that has to be granted."""
        answer = await self.call(request)
        if "error" in answer:
            self.wrong(request, f"was answered with {answer['error']}")
        return answer

    def wrong(self, request: Frame, what: str) -> None:
        """Something about a request was wrong."""
        self._tally.violation(_call_of(self._tally, request), f"{request} {what}")

    async def garbage(self, text: str, code: str) -> None:
        """Send a text that is no request; it has to be refused with ``code``."""
        await self._socket.send(text)
        answer = await self.until(lambda frame: "error" in frame)
        if answer["error"].get("code") != code:
            self._tally.violation("error", f"{text!r} was answered with {answer['error']}, not {code}")

    async def refuse(self, call: str, requests: Sequence[tuple[str, Frame]]) -> None:
        """Send bad requests, many at a time; each has to be refused."""
        for begin in range(0, len(requests), PIPELINE):
            batch = requests[begin : begin + PIPELINE]
            # Where the id is the fault, it cannot identify the answer; answers come in the order of requests.
            for _, request in batch:
                await self._socket.send(json.dumps(request))
            for what, request in batch:
                answer = await self._read()
                self._tally.refused(call, what, answer)
                if answer.get("echo_req") != request:
                    self._tally.violation(call, f"{what}: echo_req is not the request")

    async def join(self) -> None:
        """Opt in to lockstep: from then on, time moves when this trader acknowledges."""
        await self._socket.send('{"paper_lockstep":1}')
        await self.until(lambda frame: frame.get("msg_type") == "paper_instant")

    async def instants(self, count: int = 1) -> None:
        """Let time run on by so many instants."""
        for _ in range(count):
            epoch = next(f for f in reversed(self.frames) if f["msg_type"] == "paper_instant")["paper_instant"]["epoch"]
            await self._socket.send(json.dumps({"paper_ack": epoch}))
            await self.until(lambda frame: frame.get("msg_type") == "paper_instant")

    async def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Read until the wanted frame comes, and return it."""
        while True:
            frame = await self._read()
            if wanted(frame):
                return frame

    async def drain(self) -> None:
        """Read all frames that are on the way: the answer of a ping comes last."""
        await self.call({"ping": 1})

    async def closed(self) -> int | None:
        """Wait for the exchange to close the socket and return the close code."""
        try:
            while True:
                await self._read()
        except ConnectionClosed as end:
            return None if end.rcvd is None else end.rcvd.code

    async def leave(self) -> None:
        """Close the socket."""
        await self._socket.close()

    async def _ask(self, request: Frame) -> Frame:
        self._last += 1
        number = self._last
        request = {**request, "req_id": number}
        self._sent[number] = request
        await self._socket.send(json.dumps(request))
        try:
            return await self.until(lambda frame: frame.get("req_id") == number)
        except TimeoutError:
            raise Unanswered(f"{request} was never answered") from None

    async def _read(self) -> Frame:
        async with asyncio.timeout(ANSWER_SECONDS):
            frame: Frame = json.loads(await self._socket.recv())
        self.frames.append(frame)
        self._tally.frame(frame)
        sent = self._sent.get(frame.get("req_id", 0))
        if sent is not None and frame.get("echo_req") != sent:
            self._tally.violation(_call_of(self._tally, sent), f"echo_req is {frame.get('echo_req')}, not {sent}")
        return frame


class RestClient:
    """The REST side, over plain HTTP.

    Args:
        base: ``http://host:port``.
        tally: where everything is counted.
    """

    def __init__(self, base: str, tally: Tally) -> None:
        self._host = urlsplit(base).netloc
        self._tally = tally

    async def call(
        self,
        call: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        names: dict[str, str] | None = None,
        bad: bool = False,
    ) -> Any:
        """Make a request and return what it was answered with.

        Args:
            call: whose schema it falls under.
            body: sent as JSON where there is one.
            headers: in place of a good client's.
            names: the parts of the path that the schema names.
            bad: True when it has to be refused.
        """
        headers = dict(HEADERS if headers is None else headers)
        method = "GET" if call in ("health", "get_accounts") else "POST"
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, answer = await asyncio.to_thread(self._exchange, method, path, headers, body)
        request = {} if call == "health" else {"headers": headers}
        if body is not None:
            request["body"] = body
        if names:
            request["path"] = names
        self._tally.rest(call, status, answer, bad=bad, request=request)
        return answer

    def _exchange(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._host, timeout=ANSWER_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            text = response.read().decode()
            return response.status, json.loads(text) if "json" in response.headers.get("Content-Type", "") else text
        finally:
            connection.close()


def _call_of(tally: Tally, request: Frame) -> str:
    """The call a request names; of two names that are calls, the one that is not a member of the other."""
    named: Iterable[str] = (call for call in tally.published.socket_calls if call in request)
    return min(named, key=lambda call: list(request).index(call))
