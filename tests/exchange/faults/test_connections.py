"""Lines that drop, go dead one way or both, or carry bytes that are no frames; in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from paper_exchange.faults.catalogue import BYTES
from paper_exchange.faults.garble import bad_bytes

START = 1_772_409_600
ACCOUNT, OTHER = "DOT90000001", "DOT90000002"
QUOTE = {
    "proposal": 1, "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5,
    "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip


def buy(socket: Any) -> None:
    quote = socket.ask(QUOTE)
    socket.take()
    socket.send({"buy": quote["proposal"]["id"], "price": 10})


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
def test_all_sockets_of_the_account_drop_at_a_time(market: Any, code: int) -> None:
    venue = market(f"drop:at={START + 7},code={code},account={ACCOUNT}")
    one, two, other = venue.trader(), venue.trader(), venue.trader(OTHER)
    venue.advance_to(START + 6)
    assert [socket.closed for socket in (one, two)] == [None, None]
    venue.advance_to(START + 7)
    assert (one.closed.code, two.closed.code, other.closed) == (code, code, None)
    assert venue.fired == ["drop"]


def test_a_drop_happens_at_once_when_no_time_is_named(market: Any) -> None:
    venue = market()
    socket = venue.trader()
    venue.fault("drop:code=1011")
    assert socket.closed.code == 1011
    assert len(venue.exchange.connections) == 0


def test_a_contract_settles_while_nobody_is_there(market: Any) -> None:
    venue = market()
    socket = venue.trader()
    buy(socket)
    venue.fault("drop")
    venue.advance(20)
    again = venue.trader()
    rows = again.ask({"statement": 1})["statement"]["transactions"]
    assert [row["action_type"] for row in rows] == ["sell", "buy"]


def test_mute_hears_and_acts_but_says_nothing(market: Any) -> None:
    venue = market("mute:call=buy")
    socket = venue.trader()
    buy(socket)
    socket.send({"ping": 1})
    venue.advance(3)
    assert socket.frames == []
    assert len(venue.bought) == 1
    assert [w.action for w in socket.lines] == ["mute"]


def test_deaf_speaks_but_hears_nothing(market: Any) -> None:
    venue = market("deaf:call=buy")
    socket = venue.trader()
    buy(socket)
    socket.send({"ping": 1})
    venue.advance(3)
    assert [frame["msg_type"] for frame in socket.take()] == ["tick"] * 3
    assert venue.bought == []
    assert venue.events("received") == []
    assert [w.action for w in socket.lines] == ["deaf"]


def test_half_open_both_ways(market: Any) -> None:
    venue = market()
    socket = venue.trader()
    venue.fault("half_open")
    socket.send({"ping": 1})
    venue.advance(3)
    assert socket.frames == []
    assert socket.closed is None
    assert sorted(w.action for w in socket.lines) == ["deaf", "mute"]


def test_time_does_not_wait_for_a_dead_line(market: Any) -> None:
    venue = market(lockstep=True)
    dead, live = venue.trader(), venue.trader()
    for socket in (dead, live):
        socket.send({"paper_lockstep": 1})
    live.send({"paper_ack": START})
    assert venue.exchange.epoch == START
    venue.fault("half_open:call=ping")
    dead.send({"ping": 1})
    assert venue.exchange.epoch == START + 2
    live.send({"paper_ack": START + 2})
    assert venue.exchange.epoch == START + 4


@pytest.mark.parametrize("how", BYTES)
def test_bytes_that_are_no_frames(market: Any, how: str) -> None:
    venue = market(f"bad_bytes:how={how},at={START + 4}")
    socket = venue.trader()
    venue.advance(2)
    assert socket.lines[0].data == bad_bytes(how)
    heard = len(socket.take("tick"))
    venue.advance(2)
    # What only began a frame must not be ended by the next one.
    assert len(socket.take("tick")) == (0 if how in ("announced", "stalled") else heard)
