"""Maintenance: nobody is let in, and the markets go on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from paper_exchange.commands.serve import exchange_of, options_of
from paper_exchange.errors import SetupError
from paper_exchange.exchange import Exchange
from paper_exchange.net.bulk import purchase_all
from paper_exchange.net.virtual import VirtualVenue
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.maintenance import Maintenance
from paper_exchange.venue.state import Settings
from support.terms import TERMS

START = 1_772_409_600
ACCOUNT = "DOT90000001"
HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}


def market_of(world: Any, *, lockstep: bool = False) -> VirtualVenue:
    settings = Settings(lockstep=lockstep, maintenance=((START + 10, START + 60),))
    return VirtualVenue(Exchange(world, [Account(ACCOUNT, 0.012)], settings))


def test_windows() -> None:
    windows = Maintenance([(300, 400), (100, 200)])
    assert [windows.until(e) for e in (99, 100, 199, 200, 350)] == [None, 200, 200, None, 400]
    assert [windows.begins(e) for e in (100, 101, 300)] == [True, False, True]
    assert [windows.next_begin(e) for e in (0, 100, 300)] == [100, 300, None]


@pytest.mark.parametrize("windows", [[(5, 5)], [(5, 4)], [(1, 10), (9, 20)]])
def test_windows_that_cannot_be(windows: list[tuple[int, int]]) -> None:
    with pytest.raises(SetupError):
        Maintenance(windows)


def test_sockets_are_closed_and_contracts_settle_meanwhile(venue: Any) -> None:
    market = market_of(venue().exchange.world)
    socket, public = market.connect(ACCOUNT), market.connect()
    market.advance_to(START + 6)
    contract_id = socket.ask({"buy": "1", "price": 10, "parameters": TERMS})["buy"]["contract_id"]
    market.advance_to(START + 9)
    assert socket.closed is None
    market.advance_to(START + 10)
    for one in (socket, public):
        assert one.closed is not None
        assert (one.closed.code, one.closed.reason) == (1001, "scheduled maintenance")
    market.advance_to(START + 60)
    contract = market.exchange.accounts[ACCOUNT].contracts[contract_id]
    assert (contract.status in ("won", "lost"), contract.sell_time) == (True, START + 18)
    again = market.connect(ACCOUNT)
    assert again.ask({"proposal_open_contract": 1, "contract_id": contract_id})["proposal_open_contract"]["is_sold"]
    market.advance_to(START + 100)
    assert again.closed is None


def test_an_idle_venue_is_closed_on_the_second(venue: Any) -> None:
    market = market_of(venue().exchange.world)
    socket = market.connect(ACCOUNT)
    assert market.exchange.next_event() == START + 10
    assert market.advance() == START + 2
    market.advance_to(START + 11)
    assert socket.closed is not None


def test_nothing_is_bought_by_other_ways_either(venue: Any) -> None:
    market = market_of(venue().exchange.world)
    body = {"contract_parameters": TERMS, "accounts": [{"token": "paper", "account_id": ACCOUNT}]}
    market.advance_to(START + 30)
    (row,) = purchase_all(market.exchange, body, account_type="demo", token="paper", app_id=None)
    assert "presently closed" in str(row)
    assert not market.exchange.accounts[ACCOUNT].contracts


def test_in_lockstep_the_window_passes_once_everybody_is_gone(venue: Any) -> None:
    market = market_of(venue().exchange.world, lockstep=True)
    socket = market.connect(ACCOUNT)
    socket.ask({"ticks": "R_100", "subscribe": 1})
    socket.send({"paper_lockstep": 1})
    while socket.closed is None:
        socket.send({"paper_ack": market.exchange.epoch})
    assert market.exchange.epoch == START + 60
    again = market.connect(ACCOUNT)
    assert again.ask({"time": 1})["time"] == START + 60


def test_logins_and_upgrades_answer_503(server: Any) -> None:
    live = server(rate=50.0, maintenance=((START + 60, START + 5_000_000),))
    grant = live.otp_url()
    public = grant.replace("http", "ws").partition("/demo")[0] + "/public"
    with connect(public, proxy=None) as socket:
        for _ in socket:
            pass
        assert socket.close_code == 1001
    answer = httpx.post(
        f"{live.url}/trading/v1/options/accounts/{ACCOUNT}/otp", headers=HEADERS, trust_env=False, verify=False
    )
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "InternalServerError"
    for url in (public, grant):
        with pytest.raises(InvalidStatus) as refusal, connect(url, proxy=None):
            pass
        assert refusal.value.response.status_code == 503


def test_windows_on_the_command_line() -> None:
    window = "2026-03-02T02:00/2026-03-02T03:00"
    exchange = exchange_of(options_of("--maintenance", window))
    assert exchange.settings.maintenance == ((START + 7_200, START + 10_800),)
    with pytest.raises(SetupError, match="no length"):
        exchange_of(options_of("--maintenance", "2026-03-02T03:00/2026-03-02T03:00"))
