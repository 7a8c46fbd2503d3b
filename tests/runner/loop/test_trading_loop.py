"""The loop served from its first frame to its last: the runner's own parts, and a fake venue in lockstep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from live_runner.assembly import Assembly, assemble
from live_runner.config import Settings
from live_runner.guards.latch import KillLatch
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.journal.writer import Journal
from live_runner.ledger import Ledger
from live_runner.models.keeper import RoleKeeper
from live_runner.models.source import model_source
from live_runner.models.store import ModelStore
from live_runner.trading.market import Spot
from live_runner.venue.clock import VenueClock
from live_runner.venue.fake import ACCOUNT, START, FakeConnection, FakeVenue
from support.records import shadow_trade
from support.release_folder import MODEL
from xtitan_core.bundle.manifest import DecisionRule
from xtitan_core.journal import (
    AnyRecord,
    DecisionRecord,
    HaltRecord,
    RoleRecord,
    SessionRecord,
    ShadowSettlementRecord,
    ShadowTradeRecord,
    TradeRecord,
    TradeSettlementRecord,
    read_journal,
)

TRADE = shadow_trade(epoch=START)


class Runner:
    """A runner on a state folder of its own, without models unless it is given some, and what it journals."""

    def __init__(
        self,
        venue: FakeVenue,
        folder: Path,
        *left_open: ShadowTradeRecord,
        keeper: RoleKeeper | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.ledger = Ledger.open(folder, ACCOUNT, now=venue.clock.now())
        self.journal = Journal(folder / "journal", segment_records=1_000, segment_seconds=100_000)
        self.journal.add(*left_open)
        self.latch = KillLatch.open(folder, self.ledger, venue.clock.now)
        self.parts: Assembly = assemble(
            Settings(symbol="R_100", slot_seconds=1_000_000, **settings),
            VenueClock(),
            keeper or RoleKeeper(None, None, "", "R_100"),
            Bookkeeping(self.ledger, self.journal),
            self.latch,
            venue.history,
        )

    async def serve(self, client: FakeConnection) -> bool:
        return await self.parts.loop.serve(client)

    async def serving(self, client: FakeConnection) -> asyncio.Task[bool]:
        """Serve in the background, and return once the connection is up."""
        task = asyncio.create_task(self.serve(client))
        while not self.parts.loop.serving and not task.done():
            await asyncio.sleep(0)
        return task

    def journaled(self) -> list[AnyRecord]:
        self.journal.seal()
        return [record for segment in read_journal(self.folder / "journal") for record in segment.records]

    def close(self) -> None:
        self.journal.close()
        self.ledger.close()


@pytest.fixture
def start(venue: FakeVenue, folder: Path) -> Iterator[Callable[..., Runner]]:
    """Starts a runner on the venue, whose market stands at START + 4 unless it already has ticks."""
    running: list[Runner] = []

    def start_(*left_open: ShadowTradeRecord, **settings: Any) -> Runner:
        if not venue.ticks:
            for epoch in (START + 2, START + 4):
                venue.tick(epoch, 50.0)
            venue.advance(4)
        running.append(Runner(venue, folder, *left_open, **settings))
        return running[-1]

    yield start_
    for runner in running:
        runner.close()


async def test_a_hole_that_history_cannot_fill_settles_nothing_on_the_wrong_ticks(
    venue: FakeVenue, start: Callable[..., Runner]
) -> None:
    """The fifth tick that we happened to see is not the fifth tick: reconnect, which reads history again."""
    runner, client = start(TRADE), venue.connect(lockstep=True)
    task = await runner.serving(client)
    venue.broken = {"ticks_history"}
    for epoch in range(START + 20, START + 40, 2):
        venue.tick(epoch, 60.0)
    assert await task is False
    assert client.closed.is_set()
    assert runner.parts.market.spot == Spot(START + 4, 50.0), "the next connection repairs from here"
    assert len(runner.parts.engine.shadow_trades) == 1
    assert [type(record) for record in runner.journaled()] == [ShadowTradeRecord, SessionRecord]


async def test_a_hole_that_history_fills_settles_on_the_ticks_that_were_missing(
    venue: FakeVenue, start: Callable[..., Runner]
) -> None:
    runner, client = start(TRADE), venue.connect(lockstep=True)
    task = await runner.serving(client)
    for epoch in range(START + 6, START + 14, 2):
        venue.ticks.append((epoch, 40.0))  # these never came on the stream
    venue.tick(START + 14, 60.0)
    client.end()
    assert await task is False
    (settled,) = [r for r in runner.journaled() if isinstance(r, ShadowSettlementRecord)]
    assert (settled.exit_epoch, settled.exit) == (START + 12, 40.0)
    assert runner.parts.market.gaps == 1


async def test_an_instant_is_acknowledged_after_everything_that_belongs_to_it(
    venue: FakeVenue, start: Callable[..., Runner]
) -> None:
    runner, client = start(TRADE), venue.connect(lockstep=True)
    task = await runner.serving(client)
    handled: list[tuple[int, int]] = []
    honest = client.ack_instant

    def ack(epoch: int) -> None:
        spot = runner.parts.market.spot
        assert spot is not None
        handled.append((spot.epoch, runner.ledger.cash.total_cents()))
        honest(epoch)

    client.ack_instant = ack  # type: ignore[method-assign]
    for k in (1, 2):
        venue.advance(2)
        venue.deposit(100)
        venue.tick(START + 4 + 2 * k, 50.0)
        venue.instant()
    client.end()
    await task
    assert handled == [(START + 6, 1_000_100), (START + 8, 1_000_200)]
    assert venue.acknowledged == [START + 6, START + 8]


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
async def test_no_value_in_a_frame_ends_the_loop(
    kind: str, body: object, venue: FakeVenue, start: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, client, closed_by = start(), venue.connect(lockstep=True), list[str]()
    task = await runner.serving(client)
    assert runner.parts.gate.armed
    gate = runner.parts.gate
    monkeypatch.setattr(gate, "disarm", lambda: closed_by.append("end" if client.closed.is_set() else "frame"))
    client.events.put_nowait({"msg_type": kind, kind: body})
    client.end()
    assert await task is False
    assert closed_by[0] == "frame", "the gate closes until the statement has been read"
    assert client.closed.is_set() is (kind == "paper_instant"), "an instant that cannot be read is never acknowledged"


@pytest.mark.parametrize("frame", [{"msg_type": []}, {"msg_type": {}, "error": 5}, {"error": {"code": [[]]}}, {}])
async def test_a_frame_of_no_known_kind_is_passed_over(
    frame: dict[str, Any], venue: FakeVenue, start: Callable[..., Runner]
) -> None:
    runner, client = start(), venue.connect(lockstep=True)
    task = await runner.serving(client)
    client.events.put_nowait(frame)
    venue.tick(START + 6, 51.0)
    client.cut()
    assert await task is False
    assert runner.parts.market.spot == Spot(START + 6, 51.0), "and the next one is handled"


async def test_a_contract_whose_own_story_cannot_be_read_is_settled_by_the_cash_rows_all_the_same(
    venue: FakeVenue, open_desk: Callable[..., Any], order: Callable[..., Any], start: Callable[..., Runner]
) -> None:
    earlier = open_desk()
    assert (await earlier.recover()).ready
    assert (await earlier.gate.purchase(earlier.client, order("d1"), 0.0)).receipt is not None
    earlier.close()
    runner, client = start(), venue.connect(generation=2, lockstep=True)
    client.answers["proposal_open_contract"] = lambda payload: payload | {"is_sold": "yes"}
    task = await runner.serving(client)
    assert runner.ledger.intents.open_contracts() != []
    venue.advance(13)
    client.cut()
    assert await task is False
    assert {"proposal_open_contract": 1, "contract_id": min(venue.bought())} in client.asked
    (trade,) = runner.ledger.intents.trades()
    assert trade.outcome in ("won", "lost")
    assert runner.ledger.cash.total_cents() == venue.balance
    assert not runner.latch.halted


async def test_a_tick_becomes_a_purchase_that_is_followed_settled_and_journaled(
    venue: FakeVenue, folder: Path, releases: Any, warm_stream: Callable[..., Any], start: Callable[..., Runner]
) -> None:
    spec = warm_stream().spec
    rule = DecisionRule(min_edge=0.0, slot_seconds=2, latency_seconds=0)
    releases.point("champion", releases.bundle(weight=8_000.0, spec=spec, decision=rule))
    store = ModelStore(folder / "models", [releases.private.public_key()])
    keeper = RoleKeeper(model_source(str(releases.folder), MODEL), store, MODEL, "R_100")
    for k, epoch in enumerate(range(START - 160 * 60, START + 602, 2)):
        venue.ticks.append((epoch, 640.0 + k % 2))
    venue.advance(600)
    runner, client = start(keeper=keeper), venue.connect(lockstep=True)
    task = await runner.serving(client)
    venue.advance(2)
    venue.tick(START + 602, 641.0)
    venue.instant()
    while not venue.acknowledged:
        await asyncio.sleep(0)
    assert len(venue.frames) == 1, "bought before the instant of its tick was acknowledged"
    venue.advance(13)
    client.end()
    assert await task is False
    (contract_id,) = venue.bought()
    assert {"proposal_open_contract": 1, "contract_id": contract_id} in client.asked
    kinds = [type(r) for r in runner.journaled() if not isinstance(r, SessionRecord | RoleRecord | HaltRecord)]
    assert kinds == [DecisionRecord, ShadowTradeRecord, TradeRecord, TradeSettlementRecord]
    assert runner.ledger.cash.total_cents() == venue.balance
