"""The gate: one frame per intent, after a durable SENT, and only a clear no counts as a no."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import live_runner.buying.gate
from live_runner.buying.gate import FINAL_REFUSALS, Gate
from live_runner.buying.purchase import GateReason, Outcome
from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import LimitBreach, Limits
from live_runner.ledger import IntentState, LedgerFaultError, Order

REPOSITORY = Path(live_runner.buying.gate.__file__).parents[2]
ROOMY = Limits(max_buys_per_minute=100, max_open_contracts=3, max_day_loss_cents=50_000)


async def buy(desk: Any, order: Order, tick_age: float = 0.0) -> Any:
    return await desk.gate.purchase(desk.client, order, tick_age)


async def test_a_good_order_is_bought_once_and_durably(desk: Any, order: Callable[..., Order]) -> None:
    durable = []
    desk.client.before_send = lambda quote: durable.append(
        [(i.state, i.proposal_id) for i in desk.ledger.intents.unresolved()] == [(IntentState.SENT, quote)]
    )
    purchase = await buy(desk, order("d1"))
    assert (purchase.outcome, purchase.reason) == (Outcome.BOUGHT, GateReason.ANSWERED)
    assert durable == [True], "the frame left after its SENT row was committed"
    assert purchase.intent.state is IntentState.OPEN
    assert purchase.edge == pytest.approx(0.6 * 1.953 - 1)
    assert len(desk.venue.frames) == 1


async def test_the_gate_is_closed_until_the_connection_was_recovered(
    open_desk: Callable[..., Any], order: Callable[..., Order]
) -> None:
    desk = open_desk()
    assert (await buy(desk, order("d1"))).reason == GateReason.NOT_RECOVERED
    await desk.recover()
    desk.client = desk.venue.connect(generation=99)
    assert (await buy(desk, order("d1"))).reason == GateReason.NOT_RECOVERED, "not the connection that was recovered"
    assert desk.venue.frames == []


@pytest.mark.parametrize("reply", ["lost", "bad", "InternalServerError", "CallError", "Timeout", "SomethingNew"])
@pytest.mark.parametrize("booked", [True, False])
async def test_whatever_is_not_a_clear_answer_is_unknown_and_blocks(
    desk: Any, order: Callable[..., Order], reply: str, booked: bool
) -> None:
    desk.venue.fates = lambda _: (booked, 0, reply)
    purchase = await buy(desk, order("d1"))
    assert purchase.outcome is Outcome.UNKNOWN
    assert not desk.gate.armed
    assert len(desk.venue.frames) == 1
    desk.connect()
    assert desk.gate.arm(await desk.recover()) == booked, "the statement settles what happened, or not yet"
    if not booked:
        assert (await buy(desk, order("d2"))).outcome is Outcome.BLOCKED
        assert len(desk.venue.frames) == 1


async def test_an_answer_that_never_comes_is_unknown(desk: Any, order: Callable[..., Order]) -> None:
    desk.client.start_buy = lambda *_: asyncio.get_running_loop().create_future()
    purchase = await buy(desk, order("d1"))
    assert (purchase.outcome, purchase.reason) == (Outcome.UNKNOWN, GateReason.NO_ANSWER)


async def test_a_cancelled_purchase_is_unknown(desk: Any, order: Callable[..., Order]) -> None:
    desk.client.start_buy = lambda *_: asyncio.get_running_loop().create_future()
    task = asyncio.create_task(buy(desk, order("d1")))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [i.state for i in desk.ledger.intents.unresolved()] == [IntentState.UNKNOWN]


@pytest.mark.parametrize("code", sorted(FINAL_REFUSALS))
async def test_a_listed_refusal_is_final_once_a_later_statement_confirms_it(
    desk: Any, order: Callable[..., Order], code: str
) -> None:
    desk.venue.fates = lambda _: (False, 0, code)
    purchase = await buy(desk, order("d1"))
    assert (purchase.outcome, purchase.reason) == (Outcome.REJECTED, code)
    assert desk.ledger.exposure_cents() == 1_000, "reserved until confirmed"
    assert not (await desk.recover()).ready
    desk.venue.advance(5)
    assert (await desk.recover()).ready
    assert desk.ledger.exposure_cents() == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"probability": 0.515}, "no_edge"),
        ({"min_edge": 0.9}, "no_edge"),
        ({"expected_ratio": 0.955}, GateReason.RATIO_MOVED),
        ({"expected_ratio": 0.951}, GateReason.RATIO_MOVED),
    ],
)
async def test_a_quote_worse_than_decided_is_abandoned(
    desk: Any, order: Callable[..., Order], changes: dict[str, Any], reason: str
) -> None:
    purchase = await buy(desk, order("d1", **changes))
    assert (purchase.outcome, purchase.reason) == (Outcome.ABANDONED, reason)
    assert purchase.intent.state is IntentState.ABANDONED
    assert desk.venue.frames == []


async def test_a_quote_that_is_refused_or_lost_is_abandoned(desk: Any, order: Callable[..., Order]) -> None:
    desk.venue.broken = {"proposal"}
    assert (await buy(desk, order("d1"))).reason == "quote_refused:RateLimit"
    desk.client.answers["proposal"] = lambda _: {"id": "q", "ask_price": float("nan")}
    desk.venue.broken = set()
    assert (await buy(desk, order("d2"))).reason == GateReason.QUOTE_INVALID
    assert desk.venue.frames == []
    assert desk.gate.armed, "nothing was sent, nothing is in doubt"


async def test_time_that_passes_while_the_quote_is_on_its_way_counts(desk: Any, order: Callable[..., Order]) -> None:
    quick = desk.client.answers["proposal"]

    def slow(seconds: float) -> Callable[[dict[str, Any]], Any]:
        def answer(payload: dict[str, Any]) -> Any:
            desk.venue.clock.set(desk.venue.clock.now() + seconds)
            return quick(payload)

        return answer

    desk.client.answers["proposal"] = slow(1.5)
    assert (await buy(desk, order("d1"))).reason == GateReason.SLOW_ANSWER
    desk.client.answers["proposal"] = slow(0.9)
    assert (await buy(desk, order("d2"), tick_age=4.5)).reason == LimitBreach.STALE_TICK
    assert (await buy(desk, order("d3"), tick_age=0.0)).outcome is Outcome.BOUGHT


async def test_a_quote_or_tick_that_aged_during_the_commit_is_not_sent(
    desk: Any, order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = desk.ledger.intents.mark_sent

    def slow_disk(*arguments: Any, **named: Any) -> Any:
        intent = real(*arguments, **named)
        desk.venue.clock.set(desk.venue.clock.now() + 3.0)
        return intent

    monkeypatch.setattr(desk.ledger.intents, "mark_sent", slow_disk)
    purchase = await buy(desk, order("d1"))
    assert (purchase.outcome, purchase.reason) == (Outcome.REJECTED, GateReason.QUOTE_STALE)
    assert desk.venue.frames == []
    assert desk.ledger.exposure_cents() == 1_000, "marked as sent, so kept reserved until a statement confirms"


async def test_halting_or_stopping_while_the_quote_is_on_its_way_stops_the_buy(
    desk: Any, order: Callable[..., Order]
) -> None:
    quick = desk.client.answers["proposal"]

    def then(act: Callable[[], None]) -> None:
        def answer(payload: dict[str, Any]) -> Any:
            act()
            return quick(payload)

        desk.client.answers["proposal"] = answer

    then(lambda: KillLatch.request_halt(desk.latch.folder, "now"))
    assert (await buy(desk, order("d1"))).reason == GateReason.HALTED
    desk.latch.resume("test", "test")
    then(desk.gate.stop)
    assert (await buy(desk, order("d2"))).reason == GateReason.STOPPING
    assert (await buy(desk, order("d3"))).outcome is Outcome.BLOCKED
    assert desk.venue.frames == []


async def test_one_purchase_at_a_time(desk: Any, order: Callable[..., Order]) -> None:
    both = await asyncio.gather(buy(desk, order("d1")), buy(desk, order("d2")))
    assert sorted(p.reason for p in both) == [GateReason.ANSWERED, GateReason.IN_FLIGHT]
    assert len(desk.venue.frames) == 1


async def test_a_decision_is_bought_once_even_after_a_restart(
    desk: Any, open_desk: Callable[..., Any], order: Callable[..., Order]
) -> None:
    await buy(desk, order("d1"))
    desk.close()
    again = open_desk()
    await again.recover()
    assert (await buy(again, order("d1"))).reason == GateReason.TRIED_BEFORE
    assert len(again.venue.frames) == 1


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_open_contracts": 1}, LimitBreach.OPEN_CONTRACTS),
        ({"max_exposure_cents": 1_999}, LimitBreach.EXPOSURE),
        ({"max_buys_per_minute": 1}, LimitBreach.RATE),
        ({"max_day_loss_cents": 1_999}, LimitBreach.DAY_LOSS_RESERVED),
    ],
)
async def test_limits_hold_across_a_restart(
    open_desk: Callable[..., Any], order: Callable[..., Order], limits: dict[str, int], reason: str
) -> None:
    tight = ROOMY.model_copy(update=limits)
    desk = open_desk(tight)
    await desk.recover()
    assert (await buy(desk, order("d1"))).outcome is Outcome.BOUGHT
    desk.close()
    again = open_desk(tight)
    await again.recover()
    purchase = await buy(again, order("d2"))
    assert (purchase.outcome, purchase.reason) == (Outcome.BLOCKED, reason)


async def test_a_reached_day_loss_stops_the_day_even_if_a_later_win_would_make_room(
    open_desk: Callable[..., Any], order: Callable[..., Order]
) -> None:
    desk = open_desk(ROOMY.model_copy(update={"max_day_loss_cents": 1_500}))
    await desk.recover()
    results = iter([0.9, 0.1])  # a loss, then a win
    desk.venue.random = type("Fate", (), {"random": lambda self: next(results)})()
    await buy(desk, order("d1", stake_cents=1_000))
    desk.venue.advance(13)
    await desk.recover()
    small = await buy(desk, order("d2", stake_cents=400))
    assert small.outcome is Outcome.BOUGHT
    assert (await buy(desk, order("d3", stake_cents=600))).reason == LimitBreach.DAY_LOSS
    desk.venue.advance(13)
    await desk.recover()
    assert desk.ledger.day_loss_cents(1_772_409_600) < 1_000, "the second one won"
    assert (await buy(desk, order("d4", stake_cents=100))).reason == LimitBreach.DAY_STOPPED
    desk.venue.advance(86_400)
    await desk.recover()
    assert (await buy(desk, order("d5", stake_cents=1_000))).outcome is Outcome.BOUGHT


async def test_a_fill_worse_than_the_quote_is_booked_and_halts(desk: Any, order: Callable[..., Order]) -> None:
    honest = desk.client.answers["buy"]
    desk.client.answers["buy"] = lambda row: honest(row) | {"payout": 19.52}
    purchase = await buy(desk, order("d1"))
    assert purchase.outcome is Outcome.BOUGHT
    assert desk.latch.halted
    assert "quoted 1000 and 1953" in desk.latch.reason


async def test_a_foreign_purchase_on_the_stream_closes_the_gate_at_once(desk: Any, order: Callable[..., Order]) -> None:
    from live_runner.reconcile.statement import cash_row
    from xtitan_core.deriv.records import StatementRow

    row = cash_row(StatementRow.from_row(desk.venue.book("PUT", 500, 976)))
    assert desk.gate.book(row)
    assert not desk.gate.armed
    report = await desk.recover()
    assert report.halted is not None
    assert "not ours" in report.halted
    assert (await buy(desk, order("d1"))).reason == GateReason.HALTED


async def test_a_failing_ledger_halts_and_raises(desk: Any, order: Callable[..., Order]) -> None:
    desk.ledger._storage._db.execute("PRAGMA max_page_count = 1")

    async def fill_the_disk() -> None:
        for k in range(2_000):
            await buy(desk, order(f"d{k}", probability=0.1))

    with pytest.raises(LedgerFaultError):
        await fill_the_disk()
    assert desk.latch.halted
    assert desk.venue.frames == []


def test_the_key_buy_is_built_in_one_module_only() -> None:
    """A purchase frame is a mapping with the key ``buy``; nobody but the client makes one.

    A handler of frames is registered under that key, and the fake venue answers under it.
    """
    makers = set()
    for package in ("live_runner", "xtitan_core"):
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                keys = node.keys if isinstance(node, ast.Dict) else []
                if any(isinstance(k, ast.Constant) and k.value == "buy" for k in keys):
                    makers.add(path.relative_to(REPOSITORY).as_posix())
    assert makers - {"xtitan_core/deriv/client.py"} <= {
        "live_runner/assembly.py",
        "live_runner/venue/fake.py",
    }, makers


def test_nothing_awaits_between_the_last_check_and_the_send() -> None:
    tree = ast.parse(Path(live_runner.buying.gate.__file__).read_text())
    functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    commit = functions["_commit_and_send"]
    assert isinstance(commit, ast.FunctionDef), "an ordinary function cannot be interrupted by another task"
    calls = [n.func.attr for n in ast.walk(commit) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    assert calls.count("start_buy") == 1
    lines = {
        name: [n.lineno for n in ast.walk(commit) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == name]
        for name in ("mark_sent", "_last_check", "start_buy")
    }
    assert lines["mark_sent"][0] < lines["_last_check"][-1] < lines["start_buy"][0]
    everywhere = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "start_buy"]
    assert len(everywhere) == 1
    assert isinstance(Gate.__dict__["_last_check"], type(lambda: None))
    assert not isinstance(functions["_last_check"], ast.AsyncFunctionDef)
