"""One socket against a scriptable venue: matching, order, the single way to buy, and every way a connection ends."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from xtitan_core.deriv import client as client_module
from xtitan_core.deriv.budgets import Budgets
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import (
    BudgetExhausted,
    ConnectionLost,
    DerivError,
    NotConnected,
    NotSent,
    RequestTimeout,
    VenueError,
    VerbRefused,
)
from xtitan_core.deriv.verbs import READ_ONLY, TRADING

PROPOSAL_ID = "6eef4ff9-4884-456e-afcd-50be7cd5afdd"
Frames = Callable[..., str]


async def until(condition: Callable[[], bool]) -> None:
    """Wait, at most two seconds, for something another task does."""
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen within two seconds")


async def drained(client: DerivClient) -> list[dict[str, Any]]:
    """Every event up to the end of the connection."""
    frames = []
    while (frame := await asyncio.wait_for(client.events.get(), 2)) is not None:
        frames.append(frame)
    return frames


async def test_answers_find_their_requests_in_whatever_order_they_come(venue: Any, frame_for: Frames) -> None:
    held: list[dict[str, Any]] = []

    async def reversed_pairs(socket: Any, request: dict[str, Any]) -> None:
        held.append(request)
        if len(held) == 2:
            for earlier in reversed(held):
                await socket.send(frame_for(earlier, "ticks_history", earlier["ticks_history"]))

    venue.handler = reversed_pairs
    client = await DerivClient.connect(venue.url, READ_ONLY)
    first, second = await asyncio.gather(
        client.request({"ticks_history": "R_10", "end": "latest"}),
        client.request({"ticks_history": "R_25", "end": "latest"}),
    )
    assert (first["ticks_history"], second["ticks_history"]) == ("R_10", "R_25")
    assert client.events.empty()
    await client.close()


async def test_the_first_frame_of_a_stream_is_the_answer_and_the_rest_are_events_in_order(
    venue: Any, frame_for: Frames
) -> None:
    async def stream(socket: Any, request: dict[str, Any]) -> None:
        for n in range(50):
            await socket.send(frame_for(request, "tick", {"epoch": n}, subscription={"id": "S"}))
            await socket.send(json.dumps({"msg_type": "paper_instant", "paper_instant": {"epoch": n}}))
        await socket.close()

    venue.handler = stream
    client = await DerivClient.connect(venue.url, READ_ONLY)
    first = await client.subscribe({"ticks": "R_100"})
    assert venue.received[0]["subscribe"] == 1
    assert first["tick"]["epoch"] == 0
    kinds = [(f["msg_type"], (f.get("tick") or f.get("paper_instant"))["epoch"]) for f in await drained(client)]
    expected = [(kind, n) for n in range(50) for kind in ("tick", "paper_instant")][1:]
    assert kinds == expected


async def test_frames_split_into_fragments_arrive_whole_and_in_order(venue: Any) -> None:
    async def fragments(socket: Any, request: dict[str, Any]) -> None:
        text = json.dumps({"msg_type": "x", "n": 0, "word": "größe"})
        await socket.send(text[i : i + 7] for i in range(0, len(text), 7))
        await socket.send(json.dumps({"msg_type": "x", "n": 1}))
        await socket.close()

    venue.handler = fragments
    client = await DerivClient.connect(venue.url, READ_ONLY)
    client.ack_instant(0)
    frames = await drained(client)
    assert [f["n"] for f in frames] == [0, 1]
    assert frames[0]["word"] == "größe"


async def test_frames_that_come_with_the_handshake_are_not_lost(venue: Any) -> None:
    async def greet(socket: Any) -> None:
        await socket.send('{"msg_type":"hello"}')

    venue.greet = greet
    client = await DerivClient.connect(venue.url, READ_ONLY)
    assert (await asyncio.wait_for(client.events.get(), 2)) == {"msg_type": "hello"}
    await client.close()


async def test_an_error_frame_raises_at_its_request_only(venue: Any, frame_for: Frames) -> None:
    async def refuse_time(socket: Any, request: dict[str, Any]) -> None:
        if "time" in request:
            error = {"code": "RateLimit", "message": "You have reached the rate limit for time."}
            await socket.send(
                json.dumps({"echo_req": request, "req_id": request["req_id"], "msg_type": "time", "error": error})
            )
        else:
            await socket.send(frame_for(request, "ping", "pong"))

    venue.handler = refuse_time
    client = await DerivClient.connect(venue.url, READ_ONLY)
    with pytest.raises(DerivError, match="rate limit") as caught:
        await client.request({"time": 1})
    assert caught.value.code == "RateLimit"
    assert (await client.request({"ping": 1}))["ping"] == "pong"
    await client.close()


async def test_a_read_that_comes_too_late_is_dropped_and_not_taken_for_a_stream(venue: Any, frame_for: Frames) -> None:
    held: list[str] = []

    async def late(socket: Any, request: dict[str, Any]) -> None:
        if "time" in request:
            held.append(frame_for(request, "time", 1))
        else:
            for frame in [*held, frame_for(request, "ping", "pong")]:
                await socket.send(frame)

    venue.handler = late
    client = await DerivClient.connect(venue.url, READ_ONLY)
    with pytest.raises(RequestTimeout, match="time"):
        await client.request({"time": 1}, timeout=0.05)
    await client.request({"ping": 1})
    assert client.events.empty()
    await client.close()


async def test_request_ids_never_repeat_across_generations(venue: Any, frame_for: Frames) -> None:
    async def pong(socket: Any, request: dict[str, Any]) -> None:
        await socket.send(frame_for(request, "ping", "pong"))

    venue.handler = pong
    for generation in (1, 2, 3):
        client = await DerivClient.connect(venue.url, READ_ONLY, generation=generation)
        for _ in range(3):
            await client.request({"ping": 1})
        await client.close()
    ids = [r["req_id"] for r in venue.received]
    assert len(set(ids)) == len(ids) == 9


# ---- buying


async def test_a_purchase_is_written_once_before_anything_else_can_run(venue: Any, frame_for: Frames) -> None:
    async def book(socket: Any, request: dict[str, Any]) -> None:
        if "buy" in request:
            await socket.send(frame_for(request, "buy", {"contract_id": 7}))

    venue.handler = book
    client = await DerivClient.connect(venue.url, TRADING)
    client.ack_instant(1)
    future = client.start_buy(PROPOSAL_ID, 35)
    client.ack_instant(2)  # all three without an await: they must leave in this order
    assert (await future)["buy"] == {"contract_id": 7}
    await until(lambda: len(venue.received) == 3)
    assert venue.received[0] == {"paper_ack": 1}
    assert venue.received[1] == {"buy": PROPOSAL_ID, "price": 0.35, "req_id": 1}
    assert venue.received[2] == {"paper_ack": 2}
    await client.close()


async def test_a_quote_is_used_for_one_purchase_at_most(venue: Any) -> None:
    client = await DerivClient.connect(venue.url, TRADING)
    future = client.start_buy(PROPOSAL_ID, 35)
    with pytest.raises(NotSent, match="already used"):
        client.start_buy(PROPOSAL_ID, 35)
    await client.close()
    assert sum("buy" in r for r in venue.received) == 1
    with pytest.raises(ConnectionLost):
        await future


@pytest.mark.parametrize(
    ("proposal_id", "price"), [("1", 35), ("", 35), (PROPOSAL_ID + "\n", 35), (PROPOSAL_ID, 0), (PROPOSAL_ID, -5)]
)
async def test_a_purchase_without_a_quote_or_a_price_is_never_written(venue: Any, proposal_id: str, price: int) -> None:
    client = await DerivClient.connect(venue.url, TRADING)
    with pytest.raises(ValueError, match=r"proposal id|price"):
        client.start_buy(proposal_id, price)
    await client.close()
    assert venue.received == []


async def test_a_read_only_connection_cannot_buy_by_any_door(venue: Any) -> None:
    client = await DerivClient.connect(venue.url, READ_ONLY)
    with pytest.raises(VerbRefused):
        client.start_buy(PROPOSAL_ID, 35)
    for payload in ({"buy": PROPOSAL_ID, "price": 1}, {"ticks": "R_100", "buy": PROPOSAL_ID}, {"sell": 1, "price": 0}):
        with pytest.raises(VerbRefused):
            await client.request(payload)
    await client.close()
    assert venue.received == []


async def test_even_a_trading_connection_buys_through_one_door_only(venue: Any) -> None:
    client = await DerivClient.connect(venue.url, TRADING)
    with pytest.raises(VerbRefused, match="start_buy"):
        await client.request({"buy": PROPOSAL_ID, "price": 1})
    await client.close()
    assert venue.received == []


async def test_the_answer_to_a_purchase_given_up_on_is_kept_as_evidence(venue: Any, frame_for: Frames) -> None:
    requests: list[tuple[Any, dict[str, Any]]] = []

    async def hold(socket: Any, request: dict[str, Any]) -> None:
        requests.append((socket, request))

    venue.handler = hold
    client = await DerivClient.connect(venue.url, TRADING)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.start_buy(PROPOSAL_ID, 35), 0.05)
    await until(lambda: bool(requests))
    socket, request = requests[0]
    await socket.send(frame_for(request, "buy", {"contract_id": 7}))
    event = await asyncio.wait_for(client.events.get(), 2)
    assert event is not None
    assert event["buy"] == {"contract_id": 7}
    await client.close()


async def test_a_purchase_on_a_closed_socket_is_proof_that_nothing_was_sent(venue: Any) -> None:
    client = await DerivClient.connect(venue.url, TRADING)
    await client.close()
    with pytest.raises(NotSent):
        client.start_buy(PROPOSAL_ID, 35)
    with pytest.raises(NotConnected):
        client.ack_instant(2)
    with pytest.raises(ConnectionLost):
        await client.request({"ping": 1})
    assert venue.received == []


# ---- budgets


async def test_requests_wait_for_the_budget_and_a_purchase_over_it_is_refused_unsent(
    venue: Any, frame_for: Frames
) -> None:
    async def pong(socket: Any, request: dict[str, Any]) -> None:
        if "ping" in request:
            await socket.send(frame_for(request, "ping", "pong"))

    venue.handler = pong
    client = await DerivClient.connect(venue.url, TRADING, budgets=Budgets(share=0.05))  # 5 requests a second
    started = asyncio.get_running_loop().time()
    for _ in range(6):
        await client.request({"ping": 1})
    assert asyncio.get_running_loop().time() - started == pytest.approx(1.0, abs=0.1)
    for _ in range(4):
        await client.request({"ping": 1})
    assert len(venue.received) == 10  # four fit the running second with the sixth
    with pytest.raises(BudgetExhausted):
        client.start_buy(PROPOSAL_ID, 35)
    with pytest.raises(BudgetExhausted):
        await client.request({"ping": 1}, timeout=0.2)
    await client.close()
    assert len(venue.received) == 10


# ---- endings


@pytest.mark.parametrize(
    ("how", "reason"),
    [("clean", "code 1001"), ("drop", "no close frame"), ("not json", "not JSON"), ("a list", "not an object"),
     ("binary", "not text"), ("nan", "NaN"), ("too big", "code 1009"), ("endless number", "not JSON"),
     ("deep", "nested deeper")],
)  # fmt: skip
async def test_however_the_connection_ends_everyone_who_waits_is_told_once(venue: Any, how: str, reason: str) -> None:
    async def end(socket: Any, request: dict[str, Any]) -> None:
        if "buy" not in request:
            return
        match how:
            case "clean":
                await socket.close(1001)
            case "drop":
                socket.transport.abort()
            case "not json":
                await socket.send("<html>")
            case "a list":
                await socket.send("[1]")
            case "binary":
                await socket.send(b"{}")
            case "nan":
                await socket.send('{"msg_type":"tick","tick":{"quote":NaN}}')
            case "endless number":
                await socket.send('{"msg_type":"tick","tick":' + "9" * 5_000 + "}")
            case "deep":
                await socket.send('{"msg_type":"tick","tick":' + "[" * 500 + "]" * 500 + "}")
            case "too big":
                await socket.send(json.dumps({"msg_type": "x", "x": "y" * client_module.TRADING_FRAME_BYTES}))

    venue.handler = end
    client = await DerivClient.connect(venue.url, TRADING)
    waiting = asyncio.ensure_future(client.request({"time": 1}))
    await asyncio.sleep(0)
    bought = client.start_buy(PROPOSAL_ID, 35)
    for pending in (waiting, bought):
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(pending, 3)
    assert client.closed.is_set()
    assert reason in client.close_reason
    assert await drained(client) == []
    assert client.events.empty(), "the end is announced once"
    await client.close()


async def test_a_half_dead_connection_is_noticed_by_the_missing_pong(venue: Any) -> None:
    client = await DerivClient.connect(venue.url, READ_ONLY, keepalive=0.2)
    await until(lambda: bool(venue.sockets))
    venue.sockets[0].transport.pause_reading()  # bytes still flow to us, none are read from us
    await asyncio.wait_for(client.closed.wait(), 5)
    assert "keepalive" in client.close_reason
    assert await drained(client) == []


async def test_a_consumer_that_never_reads_is_cut_off_instead_of_filling_memory(
    venue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "EVENT_LIMIT", 100)

    async def flood(socket: Any, request: dict[str, Any]) -> None:
        for n in range(1_000):
            await socket.send(json.dumps({"msg_type": "tick", "n": n}))

    venue.handler = flood
    client = await DerivClient.connect(venue.url, READ_ONLY)
    client.ack_instant(0)
    await asyncio.wait_for(client.closed.wait(), 5)
    assert "stalled" in client.close_reason
    assert [f["n"] for f in await drained(client)] == list(range(100))


async def test_an_unreachable_venue_is_one_clear_line() -> None:
    with pytest.raises(VenueError, match=r"cannot open ws://127\.0\.0\.1:1/x") as caught:
        await DerivClient.connect("ws://127.0.0.1:1/x?otp=CANARY-OTP", READ_ONLY)
    assert caught.value.transient
    assert "\n" not in str(caught.value)


async def test_a_redirect_is_not_followed_with_the_one_time_password(rest_venue: Any, venue: Any) -> None:
    rest_venue.respond = lambda *_: (302, "")
    rest_venue.location = venue.url
    with pytest.raises(VenueError, match="HTTP 302") as caught:
        await DerivClient.connect(
            f"ws://127.0.0.1:{rest_venue.port}/trading/v1/options/ws/demo?otp=CANARY-OTP", READ_ONLY
        )
    assert caught.value.code == "Refused"
    assert venue.sockets == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/?otp=CANARY-OTP", "ws://", "CANARY-OTP"])
async def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(VenueError) as caught:
        await DerivClient.connect(url, READ_ONLY)
    assert caught.value.code == "BadAddress"
    assert "CANARY" not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert caught.value.__suppress_context__


async def test_the_one_time_password_is_in_no_log_even_at_debug(venue: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("xtitan").setLevel(logging.DEBUG)
    client = await DerivClient.connect(venue.url, READ_ONLY)
    client.ack_instant(1)
    await client.close()
    ours = [r for r in caplog.records if r.name.startswith(("xtitan", "websockets.client"))]
    assert not [r for r in ours if "CANARY-OTP" in r.getMessage()]
