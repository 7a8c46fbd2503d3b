"""Faults of single frames, of whatever kind: lost, late, twice, out of order, damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from paper_exchange.faults.catalogue import GARBLINGS

START = 1_772_409_600
ACCOUNT = "DOT90000001"
QUOTE = {
    "proposal": 1, "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5,
    "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip


def buy(socket: Any, **more: Any) -> None:
    quote = socket.ask(QUOTE)
    socket.take()
    socket.send({"buy": quote["proposal"]["id"], "price": 10, **more})


def kinds(socket: Any) -> list[str]:
    return [frame["msg_type"] for frame in socket.take()]


def last_text(venue: Any) -> str:
    return str(venue.transcript[-1][1])


def test_a_lost_settlement(market: Any) -> None:
    venue = market()
    socket, witness = venue.trader(), venue.trader()
    buy(socket)
    venue.fault("frame_lost")
    socket.take(), witness.take()
    venue.advance(10)
    assert socket.take("transaction") == []
    assert [f["transaction"]["action"] for f in witness.take("transaction")] == ["sell"]
    assert venue.fired == ["frame_lost"]
    assert len(venue.events("settled")) == 1


@pytest.mark.parametrize("seconds", [5, 200])
def test_a_late_one(market: Any, seconds: int) -> None:
    venue = market(f"frame_late:seconds={seconds}")
    socket = venue.connect(ACCOUNT)
    socket.send({"transaction": 1, "subscribe": 1})
    assert socket.frames == []
    venue.advance_to(START + seconds - 1)
    assert socket.frames == []
    venue.advance_to(START + seconds)
    assert kinds(socket) == ["transaction"]


def test_a_repeated_one(market: Any) -> None:
    venue = market("frame_repeated:call=tick,nth=2")
    socket = venue.connect()
    socket.send({"ticks": "R_100", "subscribe": 1})
    venue.advance(2)
    epochs = [frame["tick"]["epoch"] for frame in socket.take()]
    assert epochs == [START, START + 2, START + 2, START + 4]


def test_two_out_of_order(market: Any) -> None:
    venue = market("frame_reordered:nth=2")
    socket = venue.connect(ACCOUNT)
    socket.send({"transaction": 1, "subscribe": 1})
    socket.send({"balance": 1, "subscribe": 1})
    buy(socket)
    assert kinds(socket) == ["buy", "balance", "transaction"]


@pytest.mark.parametrize("how", GARBLINGS)
def test_every_way_a_frame_is_damaged(market: Any, how: str) -> None:
    venue = market(f"garbled:call=balance,how={how}")
    honest = market()
    wire, sound = venue.connect(ACCOUNT), honest.connect(ACCOUNT)
    for socket in (wire, sound):
        socket.send({"balance": 1})
    damaged, told = last_text(venue), last_text(honest)
    assert damaged != told
    assert venue.fired == ["garbled"]
    if how in ("truncated", "nan", "deep"):
        assert wire.frames == []
        assert wire.garbage == [damaged]
    if how == "truncated":
        assert told.startswith(damaged)
    elif how == "nan":
        assert ":NaN" in damaged
    elif how == "infinite":
        assert wire.frames[0]["balance"]["balance"] == float("inf")
    elif how == "huge":
        assert wire.frames[0]["balance"]["balance"] == 10**400 - 1
    elif how == "deep":
        assert damaged.count("[") == 100_000
    elif how == "duplicate_key":
        assert damaged.count('"msg_type"') == 2
    elif how == "missing":
        assert set(sound.frames[0]["balance"]) - set(wire.frames[0]["balance"]) == {"loginid"}
    elif how == "renamed":
        assert wire.frames[0]["balance"]["loginid_"] == ACCOUNT
    elif how == "extra":
        assert set(wire.frames[0]) - set(sound.frames[0]) == {"surprise"}
    elif how == "string":
        assert wire.frames[0]["balance"]["balance"] == "10000"
    elif how == "unknown_type":
        assert wire.frames[0]["msg_type"] == "paper_surprise"
    elif how == "error_with_data":
        assert set(wire.frames[0]) - set(sound.frames[0]) == {"error"}
        assert wire.frames[0]["balance"]["balance"] == 10_000


@pytest.mark.parametrize("how", GARBLINGS)
@pytest.mark.parametrize(
    "call", ["tick", "buy", "transaction", "proposal_open_contract", "statement", "ping", "forget"]
)
def test_any_frame_can_be_damaged_in_every_way(market: Any, call: str, how: str) -> None:
    venue = market(f"garbled:call={call},how={how},times=0")
    socket = venue.connect(ACCOUNT)
    for request in (
        {"ticks": "R_100", "subscribe": 1}, {"transaction": 1, "subscribe": 1}, {"ping": 1}, {"statement": 1},
        {"proposal_open_contract": 1, "subscribe": 1}, {"forget": "0" * 8 + "-0000-4000-8000-" + "0" * 12},
    ):  # fmt: skip
        socket.send(request)
    buy(socket, subscribe=1)
    venue.advance(10)
    assert set(venue.fired) == {"garbled"}
    assert len(venue.events("settled")) == 1


def test_a_damaged_frame_changes_nothing_that_is_true(market: Any) -> None:
    venue = market("garbled:call=buy,how=missing")
    socket = venue.trader()
    buy(socket)
    assert "contract_id" in venue.events("booked")[0]
    assert not venue.bought[0].answered


def test_null_fields_of_a_contract(market: Any) -> None:
    venue = market("null_fields:times=0")
    socket = venue.connect(ACCOUNT)
    buy(socket, subscribe=1)
    (frame,) = socket.take("proposal_open_contract")
    body = frame["proposal_open_contract"]
    assert body["contract_id"] == venue.bought[0].contract_id
    assert {k for k, v in body.items() if v is not None} == {"contract_id", "id"}
    assert len(body) > 30


@pytest.mark.parametrize("seconds", [-86_400, 3])
def test_clock_skew_lasts(market: Any, seconds: int) -> None:
    venue = market(f"clock_skew:seconds={seconds}")
    socket = venue.connect()
    assert [socket.ask({"time": 1})["time"] for _ in range(3)] == [START + seconds] * 3
    assert venue.exchange.epoch == START


def test_clock_skew_begins_and_ends_when_told(market: Any) -> None:
    venue = market("clock_skew:seconds=60,nth=2,times=1")
    socket = venue.connect()
    assert [socket.ask({"time": 1})["time"] - START for _ in range(3)] == [0, 60, 0]


def test_frames_are_still_json_where_nothing_is_damaged(market: Any) -> None:
    venue = market("frame_lost:call=tick,nth=1000000")
    socket = venue.trader()
    venue.advance(50)
    assert len(socket.take("tick")) == 50
    assert all(json.loads(text) for _, text in venue.transcript)
