"""The REST side: accounts, one-time passwords, health, and the paper-only truth and faults."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from paper_exchange.accounts import OPENING_BALANCE, Account
from paper_exchange.errors import SetupError
from paper_exchange.faults import HOLD_BUY_ANSWER
from paper_exchange.gateway import Gateway
from paper_exchange.money import number
from paper_exchange.sockets import SocketEndpoint
from paper_exchange.streams import reset
from paper_exchange.truth import truth
from xtitan_core.clock import monotonic

PAPER_TOKEN = "paper"
ACCOUNTS = "/trading/v1/options/accounts"
SOCKETS = "/trading/v1/options/ws"
MAX_BODY = 65_536


class RestError(Exception):
    """A REST request refused, in Deriv's error envelope."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


Answer = Callable[[Request], Awaitable[Response]]


class Rest:
    """Handlers of the REST routes.

    Args:
        gateway: the running exchange.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def health(self, request: Request) -> Response:
        """Alive."""
        return PlainTextResponse("OK")

    async def accounts(self, request: Request) -> Response:
        """Every account of the user."""
        rows = [_account_row(account) for account in self._gateway.exchange.accounts.values()]
        return _data(request, rows)

    async def create_account(self, request: Request) -> Response:
        """The demo account exists already; real ones do not exist here."""
        body = await _json(request)
        for name, allowed in (("currency", ("USD",)), ("group", ("row",)), ("account_type", ("demo", "real"))):
            if name not in body:
                raise RestError(400, "FieldIsRequired", f"{name} is required")
            if body[name] not in allowed:
                raise RestError(400, "ValidationError", f"{name} must be one of: {', '.join(allowed)}")
        for account in self._gateway.exchange.accounts.values():
            if account.account_type == body["account_type"]:
                return _data(request, _account_row(account))
        raise RestError(403, "AccessDenied", "The paper exchange has no real accounts")

    async def otp(self, request: Request) -> Response:
        """A one-time password, inside the URL it is good for."""
        account = self._account(request)
        app_id = request.headers["deriv-app-id"]
        otp = self._gateway.grant(account.account_id, int(app_id) if app_id.isdecimal() else None)
        self._gateway.sync()
        self._gateway.deliver()
        rate = self._gateway.rate
        return _data(
            request,
            {
                "url": f"ws://{request.url.netloc}{SOCKETS}/{account.account_type}?otp={otp}",
                "paper": {
                    "epoch": self._gateway.exchange.epoch,
                    "rate": 0 if rate is None else rate,
                    "mode": self._gateway.mode,
                },
            },
        )

    async def reset_balance(self, request: Request) -> Response:
        """Cash back to the opening balance."""
        account = self._account(request)
        self._gateway.sync()
        reset(self._gateway.exchange, account, OPENING_BALANCE)
        self._gateway.deliver()
        return _data(request, _account_row(account))

    async def truth(self, request: Request) -> Response:
        """What really happened."""
        self._gateway.sync()
        self._gateway.deliver()
        return JSONResponse(truth(self._gateway.exchange))

    async def faults(self, request: Request) -> Response:
        """Script a fault: ``{"hold_buy_answer": {"after": n}}``."""
        body = await _json(request)
        if set(body) != {HOLD_BUY_ANSWER} or not isinstance(body[HOLD_BUY_ANSWER], dict):
            raise RestError(400, "ValidationError", f'send {{"{HOLD_BUY_ANSWER}": {{"after": n}}}}')
        after = body[HOLD_BUY_ANSWER].get("after", 1)
        if not isinstance(after, int) or isinstance(after, bool):
            raise RestError(400, "ValidationError", "after must be an integer")
        try:
            self._gateway.exchange.faults.script(HOLD_BUY_ANSWER, after)
        except SetupError as problem:
            raise RestError(400, "ValidationError", str(problem)) from None
        return JSONResponse({HOLD_BUY_ANSWER: {"after": after}})

    def _account(self, request: Request) -> Account:
        account = self._gateway.exchange.accounts.get(request.path_params["account_id"])
        if account is None:
            raise RestError(404, "AccountNotFound", "Account not found")
        return account


def application(gateway: Gateway) -> Starlette:
    """The ASGI application: REST and websockets behind one port."""
    rest = Rest(gateway)
    return Starlette(
        routes=[
            Route("/v1/health", rest.health),
            Route(ACCOUNTS, _guarded(rest.accounts), methods=["GET"]),
            Route(ACCOUNTS, _guarded(rest.create_account), methods=["POST"]),
            Route(ACCOUNTS + "/{account_id}/otp", _guarded(rest.otp), methods=["POST"]),
            Route(ACCOUNTS + "/{account_id}/reset-demo-balance", _guarded(rest.reset_balance), methods=["POST"]),
            Route("/paper/truth", _guarded(rest.truth)),
            Route("/paper/faults", _guarded(rest.faults), methods=["POST"]),
            WebSocketRoute(SOCKETS + "/public", SocketEndpoint(gateway, None)),
            WebSocketRoute(SOCKETS + "/demo", SocketEndpoint(gateway, "demo")),
            WebSocketRoute(SOCKETS + "/real", SocketEndpoint(gateway, "real")),
        ],
        exception_handlers={RestError: _rest_error, HTTPException: _http_error},
    )


def _guarded(answer: Answer) -> Answer:
    """Check token and app id first."""

    async def checked(request: Request) -> Response:
        request.state.begun = monotonic()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != PAPER_TOKEN:
            raise RestError(401, "Unauthorized", f"Invalid or missing token; the paper profile takes {PAPER_TOKEN!r}")
        if not request.headers.get("deriv-app-id") and not request.url.path.startswith("/paper/"):
            raise RestError(401, "Unauthorized", "Deriv-App-ID header is required for PAT tokens")
        return await answer(request)

    return checked


async def _json(request: Request) -> dict[str, Any]:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise RestError(413, "BadInputRequest", f"The body is larger than {MAX_BODY} bytes")
    try:
        body = json.loads(raw)
    except ValueError:
        raise RestError(400, "BadInputRequest", "The body is not JSON") from None
    if not isinstance(body, dict):
        raise RestError(400, "BadInputRequest", "The body is not a JSON object")
    return body


def _account_row(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "balance": number(account.balance),
        "currency": account.currency,
        "group": account.group,
        "status": "active",
        "account_type": account.account_type,
    }


def _meta(request: Request) -> dict[str, Any]:
    begun = getattr(request.state, "begun", None)
    timing = 0 if begun is None else int((monotonic() - begun) * 1_000)
    return {"endpoint": request.url.path, "method": request.method, "timing": timing}


def _data(request: Request, data: Any) -> Response:
    return JSONResponse({"data": data, "meta": _meta(request)})


def _failure(request: Request, status: int, code: str, message: str) -> Response:
    error = {"status": status, "code": code, "message": message}
    return JSONResponse({"errors": [error], "meta": _meta(request)}, status_code=status)


async def _rest_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RestError)
    return _failure(request, error.status, error.code, error.message)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "BadInputRequest")
    return _failure(request, error.status_code, code, error.detail)
