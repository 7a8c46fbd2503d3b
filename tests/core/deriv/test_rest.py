"""The REST side: what is sent, what is understood, and that every failure is one line without a secret."""

from __future__ import annotations

from typing import Any

import pytest

from xtitan_core.deriv.errors import VenueError
from xtitan_core.deriv.rest import Account, PaperTime, RestClient

TOKEN = "canary-token-0123456789"
ROW = {
    "account_id": "DOT90004580",
    "balance": 10000,
    "currency": "USD",
    "group": "row",
    "status": "active",
    "account_type": "demo",
}


def error(status: int, code: str, message: str) -> tuple[int, object]:
    """Deriv's error envelope."""
    return status, {"errors": [{"status": status, "code": code, "message": message}], "meta": {}}


def grant(port: int, **more: object) -> tuple[int, object]:
    return 200, {"data": {"url": f"ws://127.0.0.1:{port}/trading/v1/options/ws/demo?otp=CANARY-OTP", **more}}


async def test_accounts_carry_the_credentials_and_come_back_in_cents(rest_venue: Any) -> None:
    rest_venue.respond = lambda *_: (
        200,
        {"data": [ROW, {**ROW, "account_id": "ROT1", "account_type": "real", "balance": 0.1}]},
    )
    async with RestClient(rest_venue.url, TOKEN, "1089") as rest:
        assert await rest.accounts() == [
            Account("DOT90004580", "demo", "USD", 1_000_000),
            Account("ROT1", "real", "USD", 10),
        ]
    method, path, headers = rest_venue.requests[0]
    assert (method, path) == ("GET", "/trading/v1/options/accounts")
    assert (headers["authorization"], headers["deriv-app-id"]) == (f"Bearer {TOKEN}", "1089")


async def test_a_one_time_address_is_taken_from_the_answer_and_kept_out_of_the_repr(rest_venue: Any) -> None:
    rest_venue.respond = lambda *_: grant(rest_venue.port)
    async with RestClient(rest_venue.url, TOKEN, "1089") as rest:
        got = await rest.otp("DOT90004580")
    assert rest_venue.requests[0][:2] == ("POST", "/trading/v1/options/accounts/DOT90004580/otp")
    assert (got.kind, got.paper) == ("demo", None)
    assert got.url.endswith("CANARY-OTP")
    assert "CANARY" not in repr(got)


async def test_a_paper_exchange_says_what_time_it_is(rest_venue: Any) -> None:
    rest_venue.respond = lambda *_: grant(rest_venue.port, paper={"epoch": 1772409600, "rate": 0, "mode": "lockstep"})
    async with RestClient(rest_venue.url, "paper", "1") as rest:
        assert (await rest.otp("DOT1")).paper == PaperTime(1772409600, 0, "lockstep")
        for bad in (
            "x",
            {"epoch": 1, "rate": -1, "mode": "scaled"},
            {"epoch": 1, "rate": 1, "mode": "odd"},
            {"epoch": "x"},
            {"epoch": 10**400, "rate": 1, "mode": "scaled"},
            {"epoch": -1, "rate": 1, "mode": "scaled"},
            {"epoch": 1, "rate": 1e17, "mode": "scaled"},
        ):
            rest_venue.respond = lambda *_, bad=bad: grant(rest_venue.port, paper=bad)
            with pytest.raises(VenueError, match="paper clock"):
                await rest.otp("DOT1")


@pytest.mark.parametrize(
    ("respond", "code", "words"),
    [
        (
            error(401, "Unauthorized", "Deriv-App-ID header is required for PAT tokens"),
            "Unauthorized",
            "check XTITAN_TOKEN",
        ),
        (error(403, "AccessDenied", "scope"), "AccessDenied", "refused the request"),
        (error(404, "AccountNotFound", "no such account"), "AccountNotFound", "check --account"),
        (error(400, "AccountNotFound", "no such account"), "AccountNotFound", "check --account"),
        (error(429, "RateLimit", "slow down"), "RateLimit", "wait a minute"),
        (error(500, "InternalServerError", "x"), "InternalServerError", "try again later"),
        ((302, ""), "BadAnswer", "redirects are refused"),
        ((200, "<html>"), "BadAnswer", "not answer in JSON"),
        ((200, [1]), "BadAnswer", "not answer in JSON"),
        ((200, "[" * 100_000 + "]" * 100_000), "BadAnswer", "not answer in JSON"),
        ((200, '{"data":' + "9" * 5_000 + "}"), "BadAnswer", "not answer in JSON"),
        (
            (200, {"data": {"url": "wss://api.derivws.com/trading/v1/options/ws/demo?otp=\ud800"}}),
            "BadAnswer",
            "websocket",
        ),
        (error(400, "Two\nLines", "x\x1b[2J"), "Refused", "refused the request"),
        ((200, {}), "BadAnswer", "one-time address"),
        (
            (200, {"data": {"url": "wss://evil.example/trading/v1/options/ws/demo?otp=CANARY-OTP"}}),
            "BadAnswer",
            "another host",
        ),
        (error(401, "X", f"bad {TOKEN}\nline two"), "X", "refused the token"),
    ],
)
async def test_every_refusal_is_one_line_that_says_what_to_do(
    rest_venue: Any, respond: tuple[int, object], code: str, words: str
) -> None:
    rest_venue.respond = lambda *_: respond
    async with RestClient(rest_venue.url, TOKEN, "1089") as rest:
        with pytest.raises(VenueError, match=words) as caught:
            await rest.otp("DOT1")
    line = str(caught.value)
    assert caught.value.code == code
    assert "\n" not in line
    assert TOKEN not in line
    assert "CANARY" not in line
    assert len(rest_venue.requests) == 1, "nothing is retried or followed here"


async def test_an_unreachable_venue_is_one_clear_line() -> None:
    async with RestClient("http://127.0.0.1:1", "paper", "1") as rest:
        with pytest.raises(VenueError, match=r"cannot reach http://127\.0\.0\.1:1; start the exchange") as caught:
            await rest.health()
    assert caught.value.transient
    assert not VenueError("Unauthorized", "").transient


@pytest.mark.parametrize("rows", [None, {}, [{**ROW, "balance": "x"}], [{"account_id": "A"}]])
async def test_accounts_we_cannot_read_are_not_guessed(rest_venue: Any, rows: object) -> None:
    rest_venue.respond = lambda *_: (200, {"data": rows})
    async with RestClient(rest_venue.url, TOKEN, "1089") as rest:
        with pytest.raises(VenueError) as caught:
            await rest.accounts()
    assert caught.value.code == "BadAnswer"


@pytest.mark.parametrize("account", ["", "../x", "DOT 1", "DOT1/otp?x=", "ÄÖ1"])
async def test_an_account_id_cannot_become_another_path(rest_venue: Any, account: str) -> None:
    async with RestClient(rest_venue.url, TOKEN, "1089") as rest:
        with pytest.raises(VenueError, match="not an account id"):
            await rest.otp(account)
    assert rest_venue.requests == []


async def test_a_real_token_stays_inside_the_rest_budget(rest_venue: Any) -> None:
    async with RestClient(rest_venue.url, TOKEN, "1089") as rest:
        for _ in range(48):
            await rest.accounts()
        with pytest.raises(VenueError, match="our share"):
            await rest.accounts()
    assert len(rest_venue.requests) == 48
