"""What may interfere with a venue: nothing until a fault is asked for, and then the faults alone."""

from __future__ import annotations

from typing import Any

from paper_exchange.faults.injection import Injection
from paper_exchange.faults.script import fault
from paper_exchange.venue.hooks import Undisturbed
from support.terms import TERMS

BUY = {
    "buy": "1",
    "price": 10,
    "parameters": TERMS,
}


def test_a_venue_without_faults_is_undisturbed_until_one_is_asked_for(venue: Any) -> None:
    exchange = venue().exchange
    assert isinstance(exchange.hooks, Undisturbed)
    assert exchange.send == exchange.send_text == exchange.put
    exchange.script(fault("answer_lost"))
    assert isinstance(exchange.hooks, Injection)
    assert exchange.send == exchange.hooks.outgoing
    assert exchange.send_text == exchange.hooks.encoded


def test_faults_that_never_happen_change_nothing(venue: Any) -> None:
    transcripts = []
    for disturbed in (False, True):
        market = venue()
        if disturbed:
            market.exchange.script(fault("answer_lost", nth=1_000))
        socket = market.connect("DOT90000001")
        for request in ({"ticks": "R_100", "subscribe": 1}, {"transaction": 1, "subscribe": 1}, BUY):
            socket.send(request)
        market.advance(10)
        for request in ({"statement": 1}, {"portfolio": 1}, {"profit_table": 1}):
            socket.send(request)
        transcripts.append(market.transcript)
    assert transcripts[0] == transcripts[1]
    assert len(transcripts[0]) > 10
