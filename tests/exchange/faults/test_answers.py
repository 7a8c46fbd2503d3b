"""Faults of answers: the venue acted, and the client hears something else, later, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

START = 1_772_409_600
ACCOUNT = "DOT90000001"
QUOTE = {
    "proposal": 1, "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5,
    "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip


def buy(socket: Any, price: float = 10) -> None:
    quote = socket.ask(QUOTE)
    socket.take()
    socket.send({"buy": quote["proposal"]["id"], "price": price, "req_id": 7})


def kinds(frames: Any) -> list[str]:
    return [f["msg_type"] + (":" + f["error"]["code"] if "error" in f else "") for f in frames]


def test_held_the_socket_says_nothing_more_until_it_closes(market: Any) -> None:
    venue = market("answer_held")
    socket, witness = venue.trader(), venue.trader()
    buy(socket)
    socket.send({"ping": 1})
    venue.advance(3)
    assert socket.frames == []
    assert "transaction" in kinds(witness.take())
    (contract,) = venue.bought
    assert not contract.answered
    (fired,) = venue.exchange.faults.fired
    assert (fired["contract_id"], fired["account_id"]) == (contract.contract_id, ACCOUNT)
    assert fired["epoch"] == START


def test_lost_and_the_socket_goes_on(market: Any) -> None:
    venue = market("answer_lost")
    socket = venue.trader()
    buy(socket)
    assert kinds(socket.take()) == ["transaction"]
    assert kinds([socket.ask({"ping": 1})]) == ["ping"]
    assert [c.answered for c in venue.bought] == [False]


@pytest.mark.parametrize("seconds", [1, 30, 200])
def test_late(market: Any, seconds: int) -> None:
    venue = market(f"answer_late:seconds={seconds}")
    socket = venue.trader()
    buy(socket)
    assert kinds(socket.take()) == ["transaction"]
    assert not venue.bought[0].answered
    venue.advance_to(START + seconds - 1)
    assert socket.take("buy") == []
    venue.advance_to(START + seconds)
    (frame,) = socket.take("buy")
    assert (frame["buy"]["purchase_time"], frame["req_id"]) == (START, 7)
    assert venue.bought[0].answered


def test_late_and_the_socket_is_gone_by_then(market: Any) -> None:
    venue = market("answer_late:seconds=20")
    socket = venue.trader()
    buy(socket)
    socket.close()
    venue.connect(ACCOUNT)
    venue.advance_to(START + 30)
    assert not venue.bought[0].answered


def test_repeated(market: Any) -> None:
    venue = market("answer_repeated")
    socket = venue.trader()
    buy(socket)
    first, second, _ = frames = socket.take()
    assert kinds(frames) == ["buy", "buy", "transaction"]
    assert first == second
    assert len(venue.bought) == 1
    assert venue.bought[0].answered


def test_reordered(market: Any) -> None:
    venue = market("answer_reordered")
    socket = venue.trader()
    buy(socket)
    assert kinds(socket.take()) == ["transaction", "buy"]
    assert venue.bought[0].answered


@pytest.mark.parametrize("code", ["Timeout", "CallError", "WrongResponse"])
def test_booked_but_answered_with_an_error(market: Any, code: str) -> None:
    venue = market(f"answer_error:code={code}")
    socket = venue.trader()
    buy(socket)
    frames = socket.take()
    assert kinds(frames) == [f"buy:{code}", "transaction"]
    assert frames[0]["req_id"] == 7
    assert len(venue.events("booked")) == 1
    assert venue.events("refused") == []
    assert not venue.bought[0].answered


def test_mislabelled(market: Any) -> None:
    venue = market("answer_mislabelled:off=-3")
    socket = venue.trader()
    buy(socket)
    assert socket.take("buy")[0]["req_id"] == 4
    assert not venue.bought[0].answered


def test_answered_only_after_its_settlement(market: Any) -> None:
    venue = market("answer_after_settlement")
    socket = venue.trader()
    buy(socket)
    venue.advance(10)
    cash = [f for f in kinds(socket.take()) if f != "tick"]
    assert cash == ["transaction", "transaction", "buy"]
    assert venue.bought[0].answered
    assert venue.bought[0].sold_for is not None


def test_a_refusal_that_never_comes(market: Any) -> None:
    venue = market("rejection_lost")
    socket = venue.trader()
    buy(socket)
    assert kinds(socket.take()) == ["buy", "transaction"]
    buy(socket, price=1)
    assert socket.take() == []
    assert len(venue.bought) == 1
    assert [e["code"] for e in venue.events("refused")] == ["PriceMoved"]
    assert venue.fired == ["rejection_lost"]


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
def test_dropped_instead_of_the_answer(market: Any, code: int) -> None:
    venue = market(f"drop_after:code={code}")
    socket = venue.trader()
    buy(socket)
    assert socket.closed.code == code
    assert socket.frames == []
    assert [c.answered for c in venue.bought] == [False]


def test_dropped_right_after_the_answer(market: Any) -> None:
    venue = market("drop_answered")
    socket = venue.trader()
    buy(socket)
    assert kinds(socket.take()) == ["buy"]
    assert socket.closed.code == 1006
    assert [c.answered for c in venue.bought] == [True]


def test_a_refused_purchase_counts_for_no_fault_of_a_booked_one(market: Any) -> None:
    venue = market("answer_lost:nth=2")
    socket = venue.trader()
    for price in (10, 1, 1, 10):
        buy(socket, price)
    assert [c.answered for c in venue.bought] == [True, False]


def test_any_answer_can_be_struck(market: Any) -> None:
    venue = market("answer_lost:call=proposal", "answer_late:call=time,seconds=4", "answer_error:call=balance")
    socket = venue.connect(ACCOUNT)
    socket.send(QUOTE)
    socket.send({"time": 1})
    assert socket.frames == []
    assert kinds([socket.ask({"balance": 1})]) == ["balance:Timeout"]
    venue.advance_to(START + 4)
    assert [f["time"] for f in socket.take()] == [START]
