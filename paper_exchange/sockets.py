"""The websocket endpoints, as plain ASGI: public, demo and real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from paper_exchange.gateway import ASGISend, Gateway, Grant, write_when_woken

ASGIReceive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class SocketEndpoint:
    """One path that upgrades to a websocket.

    Args:
        gateway: the running exchange.
        account_type: "demo" or "real" for account sockets, None for the public one.
    """

    def __init__(self, gateway: Gateway, account_type: str | None) -> None:
        self._gateway, self._account_type = gateway, account_type

    async def __call__(self, scope: MutableMapping[str, Any], receive: ASGIReceive, send: ASGISend) -> None:
        await receive()
        grant: Grant | None = None
        if self._account_type is not None:
            otp = parse_qs(scope["query_string"].decode("latin-1")).get("otp", [""])[0]
            if not otp:
                await _refuse(send, 400, "ValidationError", "OTP parameter is required")
                return
            grant = self._gateway.redeem(otp)
            if grant is None or self._type_of(grant) != self._account_type:
                await _refuse(send, 401, "Unauthorized", "Invalid or expired OTP token")
                return
            if self._gateway.full(grant.account_id):
                await _refuse(send, 429, "RateLimit", "Too many concurrent connections")
                return
        await send({"type": "websocket.accept"})
        await self._serve(receive, send, grant)

    def _type_of(self, grant: Grant) -> str:
        return self._gateway.exchange.accounts[grant.account_id].account_type

    async def _serve(self, receive: ASGIReceive, send: ASGISend, grant: Grant | None) -> None:
        gateway = self._gateway
        socket = gateway.open(send, grant.account_id if grant else None, grant.app_id if grant else None)
        writer = asyncio.create_task(write_when_woken(socket))
        try:
            while not socket.closed:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                text = message.get("text")
                gateway.receive(socket, text if text is not None else "")
                await socket.flush()
        finally:
            gateway.close(socket)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)


async def _refuse(send: ASGISend, status: int, code: str, message: str) -> None:
    body = json.dumps({"errors": [{"status": status, "code": code, "message": message}]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
