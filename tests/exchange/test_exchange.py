"""The core: what it refuses and how, when time moves, and that a script always gives the same bytes."""

from __future__ import annotations

from typing import Any

import pytest

from paper_exchange.markets.world import build_world
from paper_exchange.protocol.frames import Close
from support.cost import calls
from support.terms import QUOTE

ACCOUNT = "DOT90000001"
START = 1_772_409_600


# What is refused


@pytest.mark.parametrize("value", [[], "ping", 7, None, [{"ping": 1}]])
def test_anything_but_an_object_is_a_bad_request(venue: Any, value: Any) -> None:
    socket = venue().connect()
    socket.send(value)
    frame = socket.frames[0]
    assert (frame["msg_type"], frame["error"]["code"]) == ("error", "BadRequest")


@pytest.mark.parametrize("text", ["", "{", '{"ping":NaN}', '{"ping":1e999}', "\x00", "[" * 100_000])
def test_text_that_is_not_json_is_a_bad_request(venue: Any, text: str) -> None:
    market = venue()
    socket = market.connect()
    market.exchange.receive_text(socket.number, text)
    market.deliver()
    assert socket.frames[0]["error"]["code"] == "BadRequest"


def test_unknown_calls_and_unfit_names(venue: Any) -> None:
    socket = venue().connect()
    unknown = socket.ask({"walk_the_dog": 1, "req_id": 3})
    assert unknown["error"] == {"code": "UnrecognisedRequest", "message": "Unrecognised request"}
    assert (unknown["msg_type"], unknown["req_id"]) == ("error", 3)
    assert socket.ask({"ping": 1, "sp ace": 1})["error"]["code"] == "SanityCheckFailed"


def test_calls_of_an_account_need_one(venue: Any) -> None:
    socket = venue().connect()
    for request in ({"balance": 1}, {"portfolio": 1}, {"buy": "1", "price": 1}, {"transaction": 1, "subscribe": 1}):
        assert socket.ask(request)["error"] == {"code": "AuthorizationRequired", "message": "Please log in."}


def test_passthrough_and_req_id_come_back(venue: Any) -> None:
    socket = venue().connect()
    answer = socket.ask({"ping": 1, "req_id": 12, "passthrough": {"mine": [1]}})
    assert answer == {
        "echo_req": {"ping": 1, "req_id": 12, "passthrough": {"mine": [1]}},
        "msg_type": "ping",
        "req_id": 12,
        "ping": "pong",
    }


def test_budgets_end_in_rate_limit_and_refill_with_venue_time(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    answers = [socket.ask({"portfolio": 1}) for _ in range(31)]
    assert [("error" in a) for a in answers] == [False] * 30 + [True]
    assert answers[-1]["error"] == {
        "code": "RateLimit",
        "message": "You have reached the rate limit for portfolio.",
    }
    assert "error" in socket.ask({"profit_table": 1})
    market.advance_to(START + 60)
    assert "error" not in socket.ask({"portfolio": 1})


# Time


def test_time_stands_still_without_anybody_in_lockstep(venue: Any) -> None:
    market = venue(lockstep=True)
    socket = market.connect(ACCOUNT)
    socket.ask({"ticks": "R_100", "subscribe": 1})
    assert socket.ask({"time": 1})["time"] == START
    assert not socket.frames


def test_lockstep_releases_an_instant_for_an_acknowledgement(venue: Any) -> None:
    market = venue(lockstep=True)
    socket = market.connect(ACCOUNT)
    socket.ask({"ticks": "R_100", "subscribe": 1})
    joined = socket.ask({"paper_lockstep": 1, "req_id": 5})
    assert joined == {
        "echo_req": {"paper_lockstep": 1, "req_id": 5},
        "msg_type": "paper_lockstep",
        "req_id": 5,
        "paper_lockstep": 1,
    }
    assert socket.take() == [{"msg_type": "paper_instant", "paper_instant": {"epoch": START}}]
    for k in range(1, 4):
        socket.send({"paper_ack": START + 2 * (k - 1)})
        tick, instant = socket.take()
        assert tick["tick"]["epoch"] == START + 2 * k
        assert instant == {"msg_type": "paper_instant", "paper_instant": {"epoch": START + 2 * k}}


def test_the_slowest_socket_decides_and_a_closed_one_is_not_waited_for(venue: Any) -> None:
    market = venue(lockstep=True)
    fast, slow = market.connect(ACCOUNT), market.connect(ACCOUNT)
    for socket in (fast, slow):
        socket.ask({"paper_lockstep": 1})
    fast.send({"paper_ack": START})
    fast.send({"paper_ack": START})
    assert market.exchange.epoch == START
    slow.send({"paper_ack": START})
    assert market.exchange.epoch == START + 2
    fast.send({"paper_ack": START + 2})
    slow.close()
    assert market.exchange.epoch == START + 4
    fast.close()
    assert market.exchange.epoch == START + 4


def test_a_wrong_acknowledgement_moves_nothing(venue: Any) -> None:
    market = venue(lockstep=True)
    socket = market.connect(ACCOUNT)
    assert socket.ask({"paper_ack": START})["error"]["code"] == "InputValidationFailed"
    socket.ask({"paper_lockstep": 1})
    for wrong in (START - 2, START + 2, "now", None):
        socket.take()
        assert socket.ask({"paper_ack": wrong})["error"]["code"] == "InputValidationFailed"
    assert socket.ask({"paper_lockstep": 2})["error"]["code"] == "InputValidationFailed"
    assert market.exchange.epoch == START


@pytest.mark.parametrize("message", [{"paper_lockstep": 1, "req_id": 1}, {"paper_ack": START}])
def test_paper_messages_are_unknown_elsewhere(venue: Any, message: dict[str, Any]) -> None:
    paced = venue().connect(ACCOUNT)
    public = venue(lockstep=True).connect()
    for socket in (paced, public):
        assert socket.ask(message)["error"]["code"] == "UnrecognisedRequest"


def test_instants_follow_the_finest_subscribed_grid(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    assert market.advance() == START + 2
    socket.ask({"ticks": "1HZ100V", "subscribe": 1})
    assert [market.advance() for _ in range(3)] == [START + 3, START + 4, START + 5]
    stream = socket.ask({"ticks": "R_100", "subscribe": 1})["subscription"]["id"]
    assert [market.advance() for _ in range(2)] == [START + 6, START + 7]
    socket.ask({"forget_all": "ticks"})
    assert socket.ask({"forget": stream})["forget"] == 0
    assert market.advance() == START + 8


def test_an_open_contract_keeps_its_symbols_instants(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    quote = socket.ask({**QUOTE, "underlying_symbol": "1HZ100V"})
    socket.ask({"buy": quote["proposal"]["id"], "price": 10})
    assert [market.advance() for _ in range(6)] == [START + k for k in range(1, 7)]
    assert socket.ask({"portfolio": 1})["portfolio"]["contracts"] == []
    assert market.advance() == START + 8


# The end of time


def test_a_recording_ends_with_refunds_and_going_away(venue: Any, recorded: Any) -> None:
    ticks = {START + 2 * k: 640.0 + k for k in range(-5, 10)}
    market = venue(recorded("R_100", ticks, START))
    socket = market.connect(ACCOUNT)
    socket.ask({"ticks": "R_100", "subscribe": 1})
    for duration in (5, 10):
        quote = socket.ask({**QUOTE, "duration": duration})
        socket.ask({"buy": quote["proposal"]["id"], "price": 10})
    market.advance_to(START + 1_000)
    assert market.exchange.finished
    assert market.exchange.epoch == START + 18
    assert socket.closed is not None
    assert socket.closed.code == 1001
    contracts = list(market.exchange.accounts[ACCOUNT].contracts.values())
    assert [c.status for c in contracts] == ["won", "cancelled"]
    assert market.exchange.accounts[ACCOUNT].balance == 10_000 + contracts[0].price.payout - 10


def test_lockstep_at_the_end_closes_the_sockets(venue: Any, recorded: Any) -> None:
    market = venue(recorded("R_100", {START: 640.0, START + 2: 641.0}, START), lockstep=True)
    socket = market.connect(ACCOUNT)
    socket.ask({"paper_lockstep": 1})
    socket.send({"paper_ack": START})
    assert not market.exchange.finished
    socket.send({"paper_ack": START + 2})
    assert isinstance(socket.closed, Close)
    late = market.connect(ACCOUNT)
    assert late.ask({"time": 1})["time"] == START + 2


def test_paper_time_never_reaches_yesterday(venue: Any) -> None:
    today = START + 90.5 * 86_400
    market = venue(build_world(seed=1, today=today, history_days=1))
    market.exchange.epoch = market.exchange.world.end - 3
    market.advance_to(int(today))
    assert market.exchange.finished
    assert market.exchange.epoch < today // 86_400 * 86_400 - 86_400


# Determinism and speed


def script(market: Any) -> list[tuple[int, str]]:
    """A session with something of everything."""
    account, public = market.connect(ACCOUNT), market.connect()
    public.ask({"ticks": ["R_100", "1HZ10V"], "subscribe": 1, "req_id": 1})
    public.ask({"ticks_history": "R_50", "end": "latest", "count": 50, "style": "candles", "subscribe": 1})
    for request in ({"transaction": 1, "subscribe": 1}, {"balance": 1, "subscribe": 1}, {"proposal_open_contract": 1}):
        account.send(request)
    for k in range(20):
        quote = account.ask({**QUOTE, "contract_type": ("CALL", "PUT")[k % 2], "req_id": k})
        account.ask({"buy": quote["proposal"]["id"], "price": 10, "subscribe": 1})
        market.advance(9)
    account.ask({"statement": 1, "description": 1})
    account.ask({"profit_table": 1, "description": 1})
    return list(market.transcript)


def test_same_seed_and_script_give_the_same_bytes(venue: Any) -> None:
    first, again, other = (
        script(venue(build_world(seed=seed, today=1_795_000_000.0, history_days=1, planted=True), seed=seed))
        for seed in (5, 5, 6)
    )
    assert len(first) > 400
    assert first == again
    assert first != other


def test_lockstep_core_is_fast(venue: Any) -> None:
    market = venue(lockstep=True)
    exchange = market.exchange
    socket = market.connect(ACCOUNT)
    for request in ({"ticks": "R_100", "subscribe": 1}, {"paper_lockstep": 1}):
        socket.send(request)
    instants = 3_000

    def run() -> None:
        for _ in range(instants):
            exchange.receive_text(socket.number, f'{{"paper_ack":{exchange.epoch}}}')
            exchange.outbox.clear()

    # An instant takes 64 calls; benchmarks/exchange_core.py measures the time.
    assert calls(run) < 90 * instants
    assert exchange.epoch == START + 2 * instants
