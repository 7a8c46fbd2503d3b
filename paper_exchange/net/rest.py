"""The REST side: accounts, one-time passwords, bulk purchases, health, and the paper-only truth and faults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from paper_exchange.calls.dispatch import USER
from paper_exchange.errors import SetupError
from paper_exchange.faults.catalogue import FaultName, listing
from paper_exchange.faults.script import from_object
from paper_exchange.money import number
from paper_exchange.net.bulk import purchase_all
from paper_exchange.net.envelope import RestError, answer, begin, http_error, read_object, refused, rest_error
from paper_exchange.net.gateway import Gateway
from paper_exchange.net.idle import IdleRule, idle_rule
from paper_exchange.net.sockets import SocketEndpoint
from paper_exchange.trading.bookings import reset_cash
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.budgets import REST_PER_ADDRESS, REST_PER_USER
from paper_exchange.venue.truth import truth

PAPER_TOKEN = "paper"
OPTIONS = "/trading/v1/options"
ACCOUNTS = f"{OPTIONS}/accounts"
SOCKETS = f"{OPTIONS}/ws"
BULK = f"{OPTIONS}/contracts/bulk-purchase"
NEW_ACCOUNT_MEMBERS = {"currency": ("USD",), "group": ("row",), "account_type": ("demo", "real")}

Handler = Callable[[HttpRequest], Awaitable[Response]]


OTP_REFUSALS = {401: "Unauthorized", 429: "RateLimit"}
"""Codes of a refused one-time password by HTTP status, where a fault refuses it."""


class Rest:
    """Handlers of the REST routes.

    Args:
        gateway: the running exchange.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def health(self, request: HttpRequest) -> Response:
        """Answer OK."""
        return PlainTextResponse("OK")

    async def accounts(self, request: HttpRequest) -> Response:
        """Every account of the user."""
        return answer(request, [_account_row(account) for account in self._gateway.exchange.accounts.values()])

    async def create_account(self, request: HttpRequest) -> Response:
        """The first account of the type that is asked for; the paper exchange opens none, and has no real ones."""
        body = await read_object(request)
        for name, allowed in NEW_ACCOUNT_MEMBERS.items():
            if name not in body:
                raise refused(400, "FieldIsRequired", f"{name} is required", name)
            if body[name] not in allowed:
                raise refused(400, "ValidationError", f"{name} must be one of: {', '.join(allowed)}", name)
        for account in self._gateway.exchange.accounts.values():
            if account.account_type == body["account_type"]:
                return answer(request, _account_row(account))
        raise refused(403, "AccessDenied", "The paper exchange has no real accounts")

    async def otp(self, request: HttpRequest) -> Response:
        """A one-time password, in the URL of the socket it opens."""
        # 400, not 404: the published answers of this call are 200, 400, 401 and 500.
        account = self._account(request, unknown=400)
        gateway = self._gateway
        gateway.sync()
        exchange = gateway.exchange
        if exchange.maintenance.until(exchange.epoch) is not None:
            raise refused(503, "InternalServerError", "The service is under maintenance, please try again later")
        fault = exchange.faults.login(FaultName.OTP_REFUSED, account.account_id)
        if fault is not None:
            status = int(fault.number("status"))
            raise refused(status, OTP_REFUSALS.get(status, "InternalServerError"), "Please try again later")
        otp = gateway.grant(account.account_id, _app_id(request))
        gateway.deliver()
        scheme = "wss" if request.url.scheme == "https" else "ws"
        return answer(
            request,
            {
                "url": f"{scheme}://{request.url.netloc}{SOCKETS}/{account.account_type}?otp={otp}",
                "paper": {"epoch": gateway.exchange.epoch, "rate": gateway.rate or 0, "mode": gateway.mode},
            },
        )

    async def reset_balance(self, request: HttpRequest) -> Response:
        """Set the account's cash back to the opening balance."""
        account = self._account(request, unknown=404)
        self._gateway.sync()
        reset_cash(self._gateway.exchange, account)
        self._gateway.deliver()
        return answer(request, _account_row(account))

    def bulk_purchase(self, account_type: str) -> Handler:
        """The handler that buys one contract for many accounts of a type."""

        async def handler(request: HttpRequest) -> Response:
            body = await read_object(request)
            self._gateway.sync()
            rows = purchase_all(
                self._gateway.exchange, body, account_type=account_type, token=PAPER_TOKEN, app_id=_app_id(request)
            )
            self._gateway.deliver()
            return answer(request, {"transactions": rows})

        return handler

    async def truth(self, request: HttpRequest) -> Response:
        """The truth, see ``venue.truth``."""
        self._gateway.sync()
        self._gateway.deliver()
        return JSONResponse(truth(self._gateway.exchange, events=request.query_params.get("events") == "1"))

    async def faults(self, request: HttpRequest) -> Response:
        """Script a fault, ``{"fault": NAME, "key": value, ...}``; or list the catalogue and what fired."""
        exchange = self._gateway.exchange
        if request.method == "GET":
            return JSONResponse({"catalogue": listing(), "fired": exchange.faults.fired})
        try:
            fault = from_object(await read_object(request))
        except SetupError as problem:
            raise refused(400, "ValidationError", str(problem)) from None
        self._gateway.sync()
        exchange.script(fault)
        self._gateway.deliver()
        return JSONResponse(fault.as_script())

    def guarded(self, handler: Handler, *, token: bool = True, app_id: bool = True, budget: bool = True) -> Handler:
        """The handler behind the checks of its headers and of the request budgets."""

        async def checked(request: HttpRequest) -> Response:
            begin(request)
            if token:
                _check_token(request)
            if app_id and not request.headers.get("deriv-app-id"):
                text = "Deriv-App-ID header is required for PAT tokens"
                raise refused(401, "Unauthorized", text, "Deriv-App-ID")
            if budget:
                address = request.client.host if request.client else ""
                counters = [(("address", address), REST_PER_ADDRESS)] + ([(USER, REST_PER_USER)] if token else [])
                self._gateway.sync()
                if not self._gateway.exchange.budgets.take(self._gateway.exchange.epoch, *counters):
                    raise refused(429, "RateLimit", "You have reached the rate limit")
            return await handler(request)

        return checked

    def _account(self, request: HttpRequest, *, unknown: int) -> Account:
        account = self._gateway.exchange.accounts.get(request.path_params["account_id"])
        if account is None:
            raise refused(unknown, "AccountNotFound", "Account not found", "account_id")
        return account


def application(gateway: Gateway, idle: IdleRule | None = None) -> Starlette:
    """The ASGI application: REST and websockets behind one port.

    Args:
        gateway: the running exchange.
        idle: when a silent socket is closed; None for what the exchange assumes of Deriv.
    """
    rest = Rest(gateway)
    guarded = rest.guarded
    idle = idle or idle_rule(gateway.exchange)
    return Starlette(
        routes=[
            Route("/v1/health", rest.health),
            Route(ACCOUNTS, guarded(rest.accounts), methods=["GET"]),
            Route(ACCOUNTS, guarded(rest.create_account), methods=["POST"]),
            Route(ACCOUNTS + "/{account_id}/otp", guarded(rest.otp), methods=["POST"]),
            Route(ACCOUNTS + "/{account_id}/reset-demo-balance", guarded(rest.reset_balance), methods=["POST"]),
            *(
                Route(f"{BULK}/{kind}", guarded(rest.bulk_purchase(kind), token=False), methods=["POST"])
                for kind in ("demo", "real")
            ),
            Route("/paper/truth", guarded(rest.truth, app_id=False, budget=False)),
            Route("/paper/faults", guarded(rest.faults, app_id=False, budget=False), methods=["GET", "POST"]),
            WebSocketRoute(SOCKETS + "/public", SocketEndpoint(gateway, None, idle)),
            WebSocketRoute(SOCKETS + "/demo", SocketEndpoint(gateway, "demo", idle)),
            WebSocketRoute(SOCKETS + "/real", SocketEndpoint(gateway, "real", idle)),
        ],
        exception_handlers={RestError: rest_error, HTTPException: http_error},
    )


def _check_token(request: HttpRequest) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token.strip() != PAPER_TOKEN:
        text = f"Invalid or missing token; the paper profile takes {PAPER_TOKEN!r}"
        raise refused(401, "Unauthorized", text, "Authorization")


def _app_id(request: HttpRequest) -> int | None:
    """The app id, where it is a number of sane size; older ones were, newer ones are texts."""
    text = request.headers["deriv-app-id"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _account_row(account: Account) -> dict[str, str | int | float]:
    return {
        "account_id": account.account_id,
        "balance": number(account.balance),
        "currency": account.currency,
        "group": account.group,
        "status": "active",
        "account_type": account.account_type,
    }
