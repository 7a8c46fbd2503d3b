"""The loop's frames one by one: real market, engine and metrics; only the venue is a stand-in."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

import live_runner.loop.trading_loop
from live_runner.buying.gate import Gate
from live_runner.loop.parts import Parts
from live_runner.loop.trading_loop import TradingLoop
from live_runner.metrics import Metrics
from live_runner.reconcile.follow import Follower
from live_runner.trading.engine import Engine, EngineSettings
from live_runner.trading.market import Market, Spot
from live_runner.venue.clock import VenueClock
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import RequestTimeout
from xtitan_core.journal import ShadowTradeRecord

TRADE = ShadowTradeRecord(
    epoch=100,
    trade_id="t",
    decision_id="d",
    bundle_id="b",
    model_name="m",
    symbol="R_100",
    contract_type="CALL",
    duration=5,
    duration_unit="t",
    ask_cents=1_000,
    payout_cents=1_950,
    probability=0.6,
    counted=True,
)


class Connection:
    """A connection that can be closed, and whose answers are all alike."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        self.closed, self.answer = asyncio.Event(), answer or {}
        self.events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def close(self) -> None:
        self.closed.set()

    async def subscribe(self, _: Any) -> dict[str, Any]:
        return self.answer


def trading_loop() -> TradingLoop:
    """A loop whose market stands at 104 with one shadow trade open since 100; what is journaled lies in a list."""
    engine = Engine(EngineSettings("R_100", 0.0, 0, False, 5.0))
    engine.restore([TRADE])
    market = Market("R_100", 2)
    for epoch in (102, 104):
        market.push(epoch, 50.0)
        engine.tick(epoch, 50.0)
    settings = SimpleNamespace(symbol="R_100", stop_after_shadow=None, stop_after_trades=None, stop_after_slots=None)
    journal: list[Any] = []
    parts = SimpleNamespace(
        settings=settings,
        clock=VenueClock(),
        market=market,
        engine=engine,
        books=SimpleNamespace(journal=SimpleNamespace(add=lambda *r: journal.extend(r)), tally=None, written=journal),
        decider=SimpleNamespace(due=lambda _: False, miss=lambda epoch, why: journal.append((epoch, why))),
        metrics=Metrics(),
        follower=Follower(),
        keeper=SimpleNamespace(expire=lambda _: []),
    )
    loop = TradingLoop(cast(Parts, parts))
    loop.upkeep.check_limits = lambda: None  # type: ignore[method-assign]
    return loop


def tick(epoch: int, quote: float) -> dict[str, Any]:
    return {"msg_type": "tick", "tick": {"symbol": "R_100", "epoch": epoch, "quote": quote, "pip_size": 2}}


async def test_a_hole_that_history_cannot_fill_settles_nothing_on_the_wrong_ticks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fifth tick that we happened to see is not the fifth tick: reconnect, which reads history again."""

    async def no_history(*_: Any) -> Any:
        raise RequestTimeout("no answer to ticks_history within 60 s")

    monkeypatch.setattr(live_runner.loop.trading_loop, "replay", no_history)
    loop, client = trading_loop(), Connection()
    for epoch in range(120, 140, 2):
        await loop._tick(cast(DerivClient, client), tick(epoch, 60.0))
    assert client.closed.is_set()
    assert loop.p.market.spot == Spot(104, 50.0), "the next connection repairs from here"
    assert len(loop.p.engine.book) == 1
    assert loop.p.books.written == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["tick", "transaction", "proposal_open_contract", "paper_instant"])
@pytest.mark.parametrize(
    "body",
    [
        {"epoch": 10**400, "symbol": "R_100", "quote": 10**400, "pip_size": 2, "contract_id": 2**63, "action": "buy"},
        {
            "epoch": -1,
            "symbol": "R_100",
            "quote": 10**400,
            "pip_size": 2,
            "contract_id": 2**64,
            "transaction_id": 2**63,
        },
        [[[[]]]],
        None,
    ],
)
async def test_no_value_in_a_frame_ends_the_loop(kind: str, body: object) -> None:
    loop, client, disarmed = trading_loop(), Connection(), list[bool]()
    loop.p.gate = cast(Gate, SimpleNamespace(disarm=lambda: disarmed.append(True)))  # type: ignore[misc]
    client.events.put_nowait({"msg_type": kind, kind: body})
    client.events.put_nowait(None)
    assert await loop._run(cast(DerivClient, client)) is False
    assert disarmed == [True]
    assert client.closed.is_set() is (kind == "paper_instant"), "an instant that cannot be read is never acknowledged"


@pytest.mark.parametrize("frame", [{"msg_type": []}, {"msg_type": {}, "error": 5}, {"error": {"code": [[]]}}, {}])
async def test_a_frame_of_no_known_kind_is_passed_over(frame: dict[str, Any]) -> None:
    loop, client = trading_loop(), Connection()
    client.events.put_nowait(frame)
    client.events.put_nowait(None)
    assert await loop._run(cast(DerivClient, client)) is False


async def test_a_contract_whose_own_story_cannot_be_read_is_settled_by_the_cash_rows_all_the_same() -> None:
    loop = trading_loop()
    client = Connection({"proposal_open_contract": {"contract_id": 7, "is_sold": "yes"}})
    await loop._follow(cast(DerivClient, client), 7, 1)
    assert 7 in loop.p.follower
