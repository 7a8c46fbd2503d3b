"""Faults of calls that arrive: what the client hears, and what the venue really did."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

START = 1_772_409_600
ACCOUNT = "DOT90000001"
QUOTE = {
    "proposal": 1, "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5,
    "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip
PARAMETERS = {k: v for k, v in QUOTE.items() if k != "proposal"}


def buy(socket: Any, req_id: int = 7) -> None:
    quote = socket.ask(QUOTE)
    socket.take()
    socket.send({"buy": quote["proposal"]["id"], "price": 10, "req_id": req_id})


def kinds(frames: Any) -> list[str]:
    return [f["msg_type"] + (":" + f["error"]["code"] if "error" in f else "") for f in frames]


def test_a_lost_request_is_as_if_never_sent(market: Any) -> None:
    venue = market("request_lost")
    socket = venue.trader()
    buy(socket)
    assert socket.frames == []
    assert venue.bought == []
    assert venue.events("received", "booked") == []
    assert venue.fired == ["request_lost"]
    buy(socket)
    assert kinds(socket.take())[:1] == ["buy"]


def test_only_the_nth_and_as_often_as_told(market: Any) -> None:
    venue = market("request_lost:nth=2,times=2")
    socket = venue.trader()
    answered = []
    for _ in range(5):
        buy(socket)
        answered.append("buy" in kinds(socket.take()))
    assert answered == [True, False, False, True, True]
    assert len(venue.bought) == 3


def test_without_end_with_times_0(market: Any) -> None:
    venue = market("rate_limit:times=0,call=statement")
    socket = venue.trader()
    for _ in range(5):
        assert kinds([socket.ask({"statement": 1})]) == ["statement:RateLimit"]
    assert kinds([socket.ask({"portfolio": 1})]) == ["portfolio"]


def test_not_before_its_time_and_not_on_another_account(market: Any) -> None:
    venue = market(f"request_lost:at={START + 10},account={ACCOUNT}")
    socket, other = venue.trader(), venue.trader("DOT90000002")
    buy(socket)
    assert "buy" in kinds(socket.take())
    venue.advance_to(START + 10)
    buy(other)
    assert "buy" in kinds(other.take())
    buy(socket)
    assert socket.take() == []


def test_a_repeated_request_of_a_price_is_bought_once(market: Any) -> None:
    venue = market("request_repeated")
    socket = venue.trader()
    buy(socket)
    assert kinds(socket.take()) == ["buy", "transaction", "buy:InvalidContractProposal"]
    assert len(venue.bought) == 1
    assert [e["kind"] for e in venue.events("received", "refused")] == ["received", "received", "refused"]


def test_a_repeated_request_that_brings_its_own_terms_is_bought_twice(market: Any) -> None:
    venue = market("request_repeated")
    socket = venue.trader()
    socket.send({"buy": "1", "price": 10, "parameters": PARAMETERS})
    assert kinds(socket.take()) == ["buy", "transaction"] * 2
    assert len(venue.bought) == 2


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
def test_a_line_dropped_before_the_venue_saw_the_call(market: Any, code: int) -> None:
    venue = market(f"drop_before:code={code}")
    socket = venue.trader()
    buy(socket)
    assert socket.closed.code == code
    assert socket.frames == []
    assert venue.bought == []
    assert venue.exchange.connections == {}
    assert venue.events("closed")[-1]["connection"] == socket.number


@pytest.mark.parametrize("seconds", [1, 30, 200])
def test_executed_late(market: Any, seconds: int) -> None:
    venue = market(f"executed_late:seconds={seconds}")
    socket = venue.trader()
    buy(socket)
    venue.advance_to(START + seconds - 1)
    assert kinds(socket.take("buy")) == []
    assert venue.bought == []
    venue.advance_to(START + seconds)
    assert [f["buy"]["purchase_time"] for f in socket.take("buy")] == [START + seconds]
    (booked,) = venue.events("booked")
    assert booked["epoch"] == START + seconds
    assert venue.bought[0].answered


def test_executed_late_although_the_line_is_gone(market: Any) -> None:
    venue = market("executed_late:seconds=120")
    socket = venue.trader()
    buy(socket)
    socket.close()
    witness = venue.trader()
    venue.advance_to(START + 119)
    assert witness.ask({"statement": 1})["statement"]["count"] == 0
    witness.take()
    venue.advance_to(START + 120)
    assert [f["transaction"]["action"] for f in witness.take("transaction")] == ["buy"]
    assert witness.ask({"statement": 1})["statement"]["count"] == 1
    assert not venue.bought[0].answered
    assert socket.frames == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("rate_limit", "RateLimit"),
        ("price_moved", "PriceMoved"),
        ("market_closed", "MarketIsClosed"),
        ("refused", "ContractBuyValidationError"),
        ("refused:code=NeverHeardOf", "NeverHeardOf"),
    ],
)
def test_refused_and_nothing_booked(market: Any, fault: str, code: str) -> None:
    venue = market(fault)
    socket = venue.trader()
    buy(socket)
    (frame,) = socket.take()
    assert kinds([frame]) == [f"buy:{code}"]
    assert frame["req_id"] == 7
    assert venue.bought == []
    assert venue.exchange.accounts[ACCOUNT].balance == Decimal(10_000)
    assert [e["code"] for e in venue.events("refused")] == [code]


def test_any_call_can_be_struck(market: Any) -> None:
    venue = market("market_closed:call=proposal", "request_lost:call=time", "rate_limit:call=any,nth=3")
    socket = venue.connect(ACCOUNT)
    assert kinds([socket.ask(QUOTE)]) == ["proposal:MarketIsClosed"]
    socket.send({"time": 1})
    assert socket.frames == []
    assert kinds([socket.ask({"ping": 1})]) == ["ping:RateLimit"]
