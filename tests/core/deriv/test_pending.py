"""An answer goes to the request that asked for it, and to nobody else."""

from __future__ import annotations

import asyncio

import pytest

from xtitan_core.deriv import pending
from xtitan_core.deriv.errors import ConnectionLost, DerivError
from xtitan_core.deriv.pending import PendingRequests


async def test_an_answer_reaches_its_waiter() -> None:
    requests = PendingRequests(generation=3)
    (first, one), (second, two) = requests.expect(), requests.expect()
    assert (first, second) == (3_000_001, 3_000_002)
    assert requests.take({"req_id": second, "msg_type": "ping"})
    assert not one.done()
    assert (await two)["msg_type"] == "ping"


async def test_an_error_frame_is_raised_where_its_answer_is_awaited() -> None:
    requests = PendingRequests(0)
    req_id, answer = requests.expect()
    assert requests.take({"req_id": req_id, "msg_type": "buy", "error": {"code": "RateLimit", "message": "slow"}})
    with pytest.raises(DerivError, match="RateLimit"):
        await answer


@pytest.mark.parametrize("req_id", [None, "1", 1.0, True, 77])
async def test_what_answers_no_request_is_not_taken(req_id: object) -> None:
    requests = PendingRequests(0)
    _, answer = requests.expect()
    assert not requests.take({"req_id": req_id})
    assert not answer.done()


async def test_a_request_is_answered_once() -> None:
    requests = PendingRequests(0)
    req_id, _ = requests.expect()
    assert requests.take({"req_id": req_id})
    assert not requests.take({"req_id": req_id}), "the second one is a stream's"


async def test_a_late_answer_is_dropped_after_giving_up_and_kept_after_forgetting() -> None:
    requests = PendingRequests(0)
    (given_up, _), (forgotten, _) = requests.expect(), requests.expect()
    requests.give_up(given_up)
    requests.forget(forgotten)
    assert requests.take({"req_id": given_up})
    assert not requests.take({"req_id": given_up})
    assert not requests.take({"req_id": forgotten})


async def test_a_cancelled_waiter_leaves_the_frame_to_others() -> None:
    requests = PendingRequests(0)
    req_id, answer = requests.expect()
    answer.cancel()
    assert not requests.take({"req_id": req_id})


async def test_only_so_many_late_answers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "LATE_ANSWERS", 2)
    requests = PendingRequests(0)
    ids = [requests.expect()[0] for _ in range(3)]
    for req_id in ids:
        requests.give_up(req_id)
        requests.give_up(req_id)
    assert [requests.take({"req_id": req_id}) for req_id in ids] == [False, True, True]


async def test_the_end_tells_everyone_who_waits() -> None:
    requests = PendingRequests(0)
    (_, one), (_, two) = requests.expect(), requests.expect()
    two.cancel()
    requests.end("code 1000")
    with pytest.raises(ConnectionLost, match=r"before the answer came \(code 1000\)"):
        await one
    await asyncio.sleep(0)
    requests.end("again, with nobody waiting")
