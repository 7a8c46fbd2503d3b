"""Puts one runner together: every object gets the few others it works with, and none gets them all."""

from __future__ import annotations

from dataclasses import dataclass

from live_runner.buying.decider import Buyer, Decider, Quoter
from live_runner.buying.gate import Gate
from live_runner.config import Settings
from live_runner.guards.latch import KillLatch
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.loop.cash import CashHandler
from live_runner.loop.contracts import ContractHandler
from live_runner.loop.entry import Entry
from live_runner.loop.feed import History, TickFeed
from live_runner.loop.goals import Goals
from live_runner.loop.reconciler import Reconciler
from live_runner.loop.ticks import TickHandler
from live_runner.loop.trading_loop import Handler, TradingLoop
from live_runner.loop.upkeep import ModelUpkeep, Upkeep
from live_runner.metrics import Metrics
from live_runner.models.keeper import RoleKeeper
from live_runner.trading.engine import Engine, EngineSettings
from live_runner.trading.market import Market
from live_runner.venue.clock import VenueClock
from xtitan_core.symbols import symbol


@dataclass(frozen=True, slots=True)
class Assembly:
    """What whoever started a runner reads or closes; no part of the runner is given this.

    Attributes:
        loop: serves connections.
        models: closed at the end.
        market, engine, gate, metrics: read for status and metrics.
    """

    loop: TradingLoop
    models: ModelUpkeep
    market: Market
    engine: Engine
    gate: Gate
    metrics: Metrics


def assemble(
    settings: Settings,
    clock: VenueClock,
    keeper: RoleKeeper,
    bookkeeping: Bookkeeping,
    latch: KillLatch,
    history: History,
) -> Assembly:
    """A runner that has not served a connection yet; it owns the shadow trades that the journal says are still open.

    Args:
        settings: checked settings.
        clock: follows each connection's time.
        keeper: the models.
        bookkeeping: open ledger and journal of the account.
        latch: halts.
        history: where missing ticks are read.

    Raises:
        UnknownSymbolError: the symbol is not in the catalogue.
    """
    listed, metrics, journal = symbol(settings.symbol), Metrics(), bookkeeping.journal
    market = Market(listed.name, listed.tick_seconds)
    engine = Engine(
        EngineSettings(
            symbol=settings.symbol,
            min_edge=settings.min_edge,
            latency_seconds=settings.latency_seconds,
            settle_every_slot=settings.settle_every_slot,
            max_tick_age_s=settings.limits.max_tick_age_s,
        )
    )
    engine.restore(list(journal.index.shadow.values()))
    timeout_s = settings.answer_timeout_wall_seconds
    gate = Gate(bookkeeping.ledger, latch, settings.limits, clock, answer_timeout_s=timeout_s)
    quoter = Quoter(settings, clock, engine, journal)
    buyer = Buyer(settings, clock, gate, bookkeeping, metrics)
    decider = Decider(clock, keeper.roles, engine, quoter, buyer, journal, metrics)

    feed = TickFeed(market, engine, journal, history)
    models = ModelUpkeep(settings, clock, keeper, feed, journal)
    contracts = ContractHandler(bookkeeping.ledger, latch)
    cash = CashHandler(gate, bookkeeping)
    ticks = TickHandler(clock, feed, models, decider, contracts, metrics)
    reconciler = Reconciler(clock, settings.limits, latch, gate, bookkeeping, contracts)
    handlers: dict[str, Handler] = {
        "tick": ticks.handle,
        "transaction": cash.handle,
        "proposal_open_contract": contracts.handle,
        "buy": cash.late_answer,
    }
    loop = TradingLoop(
        clock,
        decider,
        Entry(settings, clock, bookkeeping, reconciler, models, ticks, metrics),
        handlers,
        Upkeep(clock, latch, journal, models, reconciler),
        Goals(settings, engine, bookkeeping),
        stop_wait_s=settings.stop_wait_wall_seconds,
    )
    return Assembly(loop, models, market, engine, gate, metrics)
