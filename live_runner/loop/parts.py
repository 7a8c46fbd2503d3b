"""The parts of one running runner, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from live_runner.buying.decider import Decider
from live_runner.buying.gate import Gate
from live_runner.config import Settings
from live_runner.guards.latch import KillLatch
from live_runner.journal.bookkeeping import Books
from live_runner.metrics import Metrics
from live_runner.models.keeper import RoleKeeper
from live_runner.reconcile.follow import Follower
from live_runner.trading.engine import Engine
from live_runner.trading.market import Market
from live_runner.venue.clock import VenueClock


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop works with; each part is described where it is defined."""

    settings: Settings
    clock: VenueClock
    market: Market
    engine: Engine
    keeper: RoleKeeper
    books: Books
    latch: KillLatch
    gate: Gate
    decider: Decider
    follower: Follower
    metrics: Metrics
