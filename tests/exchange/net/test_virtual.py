"""The in-process driver."""

from __future__ import annotations

import time
from typing import Any

import pytest

from paper_exchange.faults.script import fault

START = 1_772_409_600


def test_frames_are_taken_by_kind(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    socket.send({"ticks": "R_100", "subscribe": 1})
    socket.send({"time": 1})
    assert market.advance() == START + 2
    assert [f["msg_type"] for f in socket.take("tick")] == ["tick", "tick"]
    assert [f["msg_type"] for f in socket.take()] == ["time"]
    assert socket.take() == []


def test_a_dropped_socket_loses_its_streams(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    socket.ask({"ticks": "1HZ10V", "subscribe": 1})
    socket.close()
    assert market.advance() == START + 2
    assert socket.frames == []


def test_no_answer_is_an_error(venue: Any) -> None:
    market = venue()
    market.exchange.script(fault("answer_held"))
    socket = market.connect("DOT90000001")
    request = {
        "contract_type": "PUT", "amount": 5, "basis": "stake", "currency": "USD", "duration": 5,
        "duration_unit": "t", "underlying_symbol": "R_10",
    }  # fmt: skip
    with pytest.raises(LookupError, match="no answer"):
        socket.ask({"buy": "1", "price": 5, "parameters": request})


def test_virtual_time_is_a_thousand_times_faster_than_the_wall(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    socket.ask({"ticks": "R_100", "subscribe": 1})
    begun = time.process_time()
    market.advance_to(START + 6_000)
    assert 6_000 / (time.process_time() - begun) > 1_000
    assert len(socket.frames) == 3_000
