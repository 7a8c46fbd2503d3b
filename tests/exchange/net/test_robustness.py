"""Short runs of the drills ``malformed`` and ``many_clients``; ``make drill`` runs them at full length."""

from __future__ import annotations

import json

import pytest

from drills.malformed import in_process, over_a_socket
from drills.malformed_frames import CALLS, KINDS, VALID, frames
from drills.many_clients import Client, listen
from paper_exchange.protocol.decoding import decode_request
from paper_exchange.protocol.requests import REQUESTS
from paper_exchange.protocol.schema import validate
from xtitan_core.randomness import stream


def test_the_samples_the_frames_are_spoilt_from_are_good() -> None:
    assert set(VALID) == set(REQUESTS) == set(CALLS)
    for call, request in VALID.items():
        assert decode_request(json.dumps(request)) == request
        validate(REQUESTS[call], request)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_seeded_and_varied(kind: object) -> None:
    assert callable(kind)
    one, same, other = stream(1, "a"), stream(1, "a"), stream(1, "b")
    drawn = [kind(one) for _ in range(50)]
    assert drawn == [kind(same) for _ in range(50)]
    assert drawn != [kind(other) for _ in range(50)]
    assert len(set(drawn)) > 5


def test_frames_are_reproducible() -> None:
    assert list(frames(3, 200)) == list(frames(3, 200))


def test_malformed_frames_change_nothing_in_process() -> None:
    figures = in_process(14_000, 7_000)
    assert figures["holds"], figures


async def test_malformed_frames_change_nothing_over_a_socket() -> None:
    figures = await over_a_socket(4_200, 1_400)
    assert figures["holds"], figures


def test_a_lost_tick_would_be_counted() -> None:
    assert Client([(5, 1.0, 0.0), (6, 1.0, 0.0), (8, 1.0, 0.0)]).lost() == 1
    assert Client([(5, 1.0, 0.0), (6, 1.0, 0.0), (6, 1.0, 0.0)]).lost() == 1
    assert Client([(5, 1.0, 0.0), (6, 1.0, 0.0), (7, 1.0, 0.0)]).lost() == 0


async def test_fifty_clients_lose_no_tick() -> None:
    figures = await listen(clients=50, rate=50, ticks=60)
    assert figures["holds"], figures
