"""One runner's money path on a state folder, with the shipped fake venue in front of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from live_runner.buying.gate import Gate
from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import Limits
from live_runner.ledger import Ledger, Order
from live_runner.reconcile.recovery import recover
from live_runner.reconcile.report import RecoveryReport
from live_runner.venue.fake import ACCOUNT, FakeConnection, FakeVenue
from xtitan_core.contracts import Contract, ContractType, DurationUnit

LIMITS = Limits(max_buys_per_minute=100, max_open_contracts=3, max_day_loss_cents=50_000)


class Desk:
    """One runner's money path on a state folder: opened, connected and recovered like the real one."""

    def __init__(self, venue: FakeVenue, folder: Path, limits: Limits = LIMITS) -> None:
        self.venue, self.limits = venue, limits
        self.generation = 0
        self.ledger = Ledger.open(folder, ACCOUNT, now=venue.clock.now())
        self.latch = KillLatch.open(folder, self.ledger, venue.clock.now)
        self.gate = Gate(self.ledger, self.latch, limits, venue.clock, answer_timeout_s=0.05)
        self.client = self.connect()

    def connect(self) -> FakeConnection:
        self.gate.disarm()
        self.generation += 1
        self.client = self.venue.connect(self.generation)
        return self.client

    async def recover(self) -> RecoveryReport:
        report = await recover(self.client, self.ledger, self.latch, self.limits, self.venue.clock.now())
        self.gate.arm(report)
        return report

    def close(self) -> None:
        self.ledger.close()


def make_order(decision_id: str, **changes: Any) -> Order:
    terms: dict[str, Any] = {
        "decision_id": decision_id,
        "bundle_id": "b" * 64,
        "model_name": "rise-fall",
        "symbol": "R_100",
        "contract": Contract(ContractType.CALL, 5, DurationUnit.TICKS),
        "currency": "USD",
        "stake_cents": 1_000,
        "probability": 0.6,
        "min_edge": 0.02,
        "expected_ratio": 0.953,
    }
    return Order(**(terms | changes))


@pytest.fixture
def order() -> Callable[..., Order]:
    """A good order; keyword arguments change it."""
    return make_order


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder in memory where the machine has one: these tests are about logic, not about the disk."""
    if not os.path.isdir("/dev/shm"):
        yield tmp_path
        return
    path = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="xtitan-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
def new_venue() -> type[FakeVenue]:
    return FakeVenue


@pytest.fixture
def open_desk(venue: FakeVenue, folder: Path) -> Iterator[Callable[..., Desk]]:
    """Opens a runner's money path; a second call is a restart. Closed at the end."""
    desks: list[Desk] = []

    def open_(limits: Limits = LIMITS, of: FakeVenue | None = None, at: Path | None = None) -> Desk:
        desks.append(Desk(of or venue, at or folder, limits))
        return desks[-1]

    yield open_
    for desk in desks:
        with contextlib.suppress(Exception):
            desk.close()


@pytest.fixture
async def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A runner that has recovered and may buy."""
    desk = open_desk()
    report = await desk.recover()
    assert report.ready, report.waiting
    return desk
