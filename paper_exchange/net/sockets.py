"""The websocket endpoints, as plain ASGI: public, demo and real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.script import Fault
from paper_exchange.net.batching import line_of
from paper_exchange.net.gateway import CUT, ASGISend, Gateway, Grant, write_when_woken
from paper_exchange.net.idle import IdleRule, IdleWatch

ASGIReceive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class SocketEndpoint:
    """One path that upgrades to a websocket.

    Args:
        gateway: the running exchange.
        account_type: "demo" or "real" for account sockets, None for the public one.
        idle: when a silent socket is closed.
    """

    def __init__(self, gateway: Gateway, account_type: str | None, idle: IdleRule) -> None:
        self._gateway, self._account_type, self._idle = gateway, account_type, idle

    async def __call__(self, scope: MutableMapping[str, Any], receive: ASGIReceive, send: ASGISend) -> None:
        await receive()
        grant: Grant | None = None
        fault: Fault | None = None
        self._gateway.sync()
        if self._gateway.exchange.maintenance.until(self._gateway.exchange.epoch) is not None:
            await _refuse(scope, send, 503, "InternalServerError", "The service is under maintenance")
            return
        if self._account_type is not None:
            otp = parse_qs(scope["query_string"].decode("latin-1")).get("otp", [""])[0]
            if not otp:
                await _refuse(scope, send, 400, "ValidationError", "OTP parameter is required")
                return
            grant = self._gateway.redeem(otp)
            if grant is None or self._type_of(grant) != self._account_type:
                await _refuse(scope, send, 401, "Unauthorized", "Invalid or expired OTP token")
                return
            if self._gateway.full():
                await _refuse(scope, send, 429, "RateLimit", "Too many concurrent connections")
                return
            fault = self._gateway.exchange.faults.login(FaultName.ACCEPT_THEN_CLOSE, grant.account_id)
            if fault is not None and fault.name is FaultName.UPGRADE_REFUSED:
                await _refuse(scope, send, int(fault.number("status")), "InternalServerError", "Please try again later")
                return
        await send({"type": "websocket.accept"})
        if fault is not None:
            await _close_at_once(scope, send, int(fault.number("code")))
            return
        await self._serve(scope, receive, send, grant)

    def _type_of(self, grant: Grant) -> str:
        return self._gateway.exchange.accounts[grant.account_id].account_type

    async def _serve(
        self, scope: MutableMapping[str, Any], receive: ASGIReceive, send: ASGISend, grant: Grant | None
    ) -> None:
        gateway = self._gateway
        address = scope["client"][0] if scope.get("client") else None
        if grant is None:
            socket = gateway.open(send, None, None, address, line_of(scope))
        else:
            socket = gateway.open(send, grant.account_id, grant.app_id, address, line_of(scope))
        writer = asyncio.create_task(write_when_woken(socket))
        idle = IdleWatch(socket, self._idle)
        try:
            while not socket.closed:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                idle.request_arrived()
                # A binary message is no request: the exchange refuses it like a text that is none.
                gateway.receive(socket, message.get("text") or "")
                await socket.flush()
        finally:
            idle.stop()
            gateway.close(socket)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)


async def _close_at_once(scope: MutableMapping[str, Any], send: ASGISend, code: int) -> None:
    line = line_of(scope)
    if code == CUT and line is not None:
        line.cut()
    else:
        await send({"type": "websocket.close", "code": code})


async def _refuse(scope: MutableMapping[str, Any], send: ASGISend, status: int, code: str, message: str) -> None:
    """Answer an upgrade with Deriv's error envelope."""
    error = {"status": status, "code": code, "message": message}
    body = json.dumps({"errors": [error], "meta": {"endpoint": scope["path"], "method": "GET", "timing": 0}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
