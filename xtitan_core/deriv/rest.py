"""Deriv's REST side: which accounts a token has, and the one-time address of an account's socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from xtitan_core.clock import monotonic
from xtitan_core.deriv import fields
from xtitan_core.deriv.budgets import REST_PER_MINUTE, SHARE, Window
from xtitan_core.deriv.endpoints import PAPER_TOKEN, check_base_url, check_socket_url
from xtitan_core.deriv.errors import FrameError, VenueError
from xtitan_core.deriv.protocol import decode, error_code, printable

ACCOUNTS = "/trading/v1/options/accounts"
MAX_BODY_BYTES = 1_000_000
MAX_RATE = 1e6
"""Venue seconds per wall second; no paper exchange is that fast outside lockstep."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the token's owner; ``account_type`` is ``demo`` or ``real``."""

    account_id: str
    account_type: str
    currency: str
    balance_cents: int


@dataclass(frozen=True, slots=True)
class PaperTime:
    """The paper exchange's clock: venue ``epoch`` now, ``rate`` venue seconds per wall second, ``mode``
    ``lockstep``, ``scaled`` or ``real``, ``read_at`` our monotonic time when it said so."""

    epoch: float
    rate: float
    mode: str
    read_at: float = field(default_factory=monotonic, compare=False)


@dataclass(frozen=True, slots=True)
class OtpGrant:
    """A one-time address: good for 120 s and one connection. ``url`` is a secret and not part of the repr."""

    url: str = field(repr=False)
    kind: str
    paper: PaperTime | None = None


class RestClient:
    """The few REST calls x.titan makes. Follows no redirect, ignores proxy settings, never logs an address.

    Raises (from every call):
        VenueError: with one line that says what to do.
    """

    def __init__(self, base_url: str, token: str, app_id: str, *, timeout: float = 10.0) -> None:
        self.base_url = check_base_url(base_url, token)
        self._token = token
        self._window = None if token == PAPER_TOKEN else Window(int(REST_PER_MINUTE * SHARE), 60.0)
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {token}", "Deriv-App-ID": app_id, "User-Agent": "x.titan"},
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )

    async def accounts(self) -> list[Account]:
        """All options accounts of the token's owner."""
        body = await self._call("GET", ACCOUNTS)
        data = body.get("data")
        if not isinstance(data, list):
            raise VenueError("BadAnswer", f"{self.base_url} did not list accounts; is this Deriv's API?")
        try:
            return [_account(row) for row in data if isinstance(row, dict)]
        except FrameError as error:
            raise VenueError("BadAnswer", f"{self.base_url} listed an account we cannot read: {error}") from None

    async def otp(self, account_id: str) -> OtpGrant:
        """A fresh one-time address for one account's socket. Every connection needs its own."""
        if not account_id.isalnum() or not account_id.isascii():
            raise VenueError("AccountNotFound", f"{account_id[:40]!r} is not an account id; `accounts` lists yours")
        body = await self._call("POST", f"{ACCOUNTS}/{account_id}/otp")
        data = body.get("data")
        url = data.get("url") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(url, str):
            raise VenueError("BadAnswer", f"{self.base_url} gave no one-time address; is this Deriv's API?")
        return OtpGrant(url, check_socket_url(url, self.base_url), _paper_time(data.get("paper")))

    async def health(self) -> None:
        """Return when the venue says it is well."""
        await self._send("GET", "/v1/health")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> RestClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _call(self, method: str, path: str) -> dict[str, Any]:
        response = await self._send(method, path)
        body = _json(response)
        if body is None:
            raise VenueError("BadAnswer", f"{self.base_url} did not answer in JSON; is this Deriv's API?")
        return body

    async def _send(self, method: str, path: str) -> httpx.Response:
        if self._window is not None:  # a paper exchange has no such budget
            now = monotonic()
            if (pause := self._window.wait(now)) > 0:
                raise VenueError("RateLimit", f"our share of the REST budget is used up; try again in {pause:.0f} s")
            self._window.taken.append(now)
        try:
            response = await self._http.request(method, path)
        except httpx.TimeoutException:
            raise VenueError("Unreachable", f"{self.base_url} does not answer; check the network or --venue") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise VenueError(
                "Unreachable", f"cannot reach {self.base_url}; start the exchange or check --venue"
            ) from None
        if response.is_success:
            return response
        raise self._refusal(response)

    def _refusal(self, response: httpx.Response) -> VenueError:
        """Deriv's error envelope as one line."""
        status = response.status_code
        if response.is_redirect:
            return VenueError("BadAnswer", f"{self.base_url} redirects elsewhere; redirects are refused")
        code, message = "", ""
        body = _json(response)
        errors = body.get("errors") if body is not None else None
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            code, message = error_code(errors[0].get("code"), ""), str(errors[0].get("message", ""))
        text = " ".join(printable(message.replace(self._token, "***")).split())[:200]
        if status == 401:
            return VenueError(
                code or "Unauthorized",
                f"{self.base_url} refused the token ({text or 'HTTP 401'}); check XTITAN_TOKEN and the app id",
            )
        if status == 404 or code == "AccountNotFound":
            return VenueError(
                code or "NotFound", f"{self.base_url}: {text or 'not found'}; check --account and --venue"
            )
        if status == 429:
            return VenueError("RateLimit", f"{self.base_url} limits our requests; wait a minute")
        if status >= 500:
            return VenueError("InternalServerError", f"{self.base_url} failed (HTTP {status}); try again later")
        return VenueError(code or "Refused", f"{self.base_url} refused the request (HTTP {status}): {text}; check it")


def _json(response: httpx.Response) -> dict[str, Any] | None:
    """The body as an object, or None."""
    if len(response.content) > MAX_BODY_BYTES:
        return None
    try:
        return decode(response.content.decode())
    except ValueError:  # a FrameError is one, and so is text that is not UTF-8
        return None


def _account(row: fields.Frame) -> Account:
    return Account(
        fields.text(row, "account_id"),
        fields.text(row, "account_type"),
        fields.text(row, "currency"),
        fields.cents(row, "balance"),
    )


def _paper_time(data: object) -> PaperTime | None:
    """The paper exchange's clock, when the venue is one."""
    if data is None:
        return None
    if not isinstance(data, dict):
        raise VenueError("BadAnswer", "the exchange's paper clock is unreadable; use a matching version")
    try:
        paper = PaperTime(fields.number(data, "epoch"), fields.number(data, "rate"), fields.text(data, "mode"))
        if not 0 <= paper.epoch <= fields.MAX_EPOCH:
            raise FrameError(f"epoch {paper.epoch:g}")
    except FrameError as error:
        raise VenueError(
            "BadAnswer", f"the exchange's paper clock is unreadable ({error}); use a matching version"
        ) from None
    if paper.mode not in ("lockstep", "scaled", "real") or not 0 <= paper.rate <= MAX_RATE:
        raise VenueError("BadAnswer", f"unknown paper clock mode {paper.mode[:20]!r}; use a matching version")
    return paper
