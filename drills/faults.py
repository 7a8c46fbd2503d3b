"""Buying and recovery against an exchange that commits seeded random faults: is anything bought twice or lost?

Gate, ledger, recovery and client are the runner's own; the server is the real one. Sockets are in memory and time is
virtual. 150 lives are run unless XTITAN_FAULT_LIVES says otherwise. After each life the exchange's log of what it
booked is compared with the ledger. A violation is a quote that was bought twice, a purchase that the ledger does not
have to the cent although the runner trades on, or an exception that would have ended the program.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from live_runner.buying.gate import Gate
from live_runner.buying.purchase import Outcome
from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import Limits
from live_runner.ledger import IntentState, Ledger, LedgerFaultError, Order
from live_runner.reconcile.recovery import recover
from live_runner.reconcile.statement import cash_row
from paper_exchange.exchange import Exchange
from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.injection import Faults
from paper_exchange.faults.seeded import Mix
from paper_exchange.markets.world import build_world
from paper_exchange.net.in_memory import InMemoryVenue, open_exchange, run
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.deriv import requests
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import DerivClientError, FrameError
from xtitan_core.deriv.protocol import Tick
from xtitan_core.deriv.records import Transaction
from xtitan_core.deriv.rest import RestClient
from xtitan_core.deriv.verbs import TRADING

ACCOUNT = "DOT90000001"
TODAY = 1_795_000_000.0
LIMITS = Limits(max_buys_per_minute=100, max_day_loss_cents=500_000)
EVERY, PURCHASES = 14, 40
RECOVER_EVERY, SILENCE, PATIENCE = 5.0, 30.0, 900.0
ORDERS = ("received", "booked", "refused")


@dataclass(slots=True)
class Life:
    """What became of one runner.

    Attributes:
        outcomes: of its attempts to buy.
        fired: faults by name.
        booked: purchases the exchange booked.
        halted: why the runner halted, empty when it did not.
        quarantined: True when a purchase could not be told from somebody else's; nothing more is bought then.
        crashes: exceptions that would have ended the program; each is a violation, too.
        violations: what contradicts the claims above.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    booked: int = 0
    connections: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    halted: str = ""
    quarantined: bool = False
    violations: list[str] = field(default_factory=list)


class LoopClock:
    """Venue time: the event loop's clock, counted from the exchange's start."""

    def __init__(self, epoch: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._offset = epoch - self._loop.time()

    def now(self) -> float:
        return self._loop.time() + self._offset


class Runner:
    """Gate, ledger and recovery as the program wires them: one connection after another, one purchase every 14 s."""

    def __init__(self, folder: Path, clock: LoopClock, life: Life) -> None:
        self._folder, self._clock, self.life = folder, clock, life
        self._generation = 0
        self._rest = RestClient(InMemoryVenue.url, "paper", "drill")
        self._recovered_at = float("-inf")
        self._tried = 0
        self._start()

    def _start(self) -> None:
        self.ledger = Ledger.open(self._folder, ACCOUNT, now=self._clock.now())
        self.latch = KillLatch.open(self._folder, self.ledger, self._clock.now)
        self.gate = Gate(self.ledger, self.latch, LIMITS, self._clock)

    async def close(self) -> None:
        await self._rest.aclose()
        self.ledger.close()

    async def trade(self, purchases: int, until: float) -> None:
        """Connect again and again until so many purchases were tried and nothing is open, or time is up."""
        while self._clock.now() < until and not self.latch.halted:
            try:
                grant = await self._rest.otp(ACCOUNT)
                self._generation += 1
                client = await DerivClient.connect(grant.url, TRADING, generation=self._generation, budgets=None)
            except DerivClientError:
                await asyncio.sleep(5)
                continue
            self.life.connections += 1
            try:
                if await self._serve(client, purchases, until):
                    return
            except (DerivClientError, FrameError):
                pass
            except LedgerFaultError as fault:
                self.life.halted = str(fault)
                return
            except Exception as error:
                # The program would end, a RecoveryError with one line, anything else with a traceback. It is the same
                # account of the same exchange throughout, so either is a defect.
                self.life.crashes[_kind(f"{type(error).__name__}: {error}")] += 1
                self._restart()
            finally:
                self.gate.disarm()
                await client.close()
            await asyncio.sleep(1)

    def _restart(self) -> None:
        """The program's supervisor starts it again."""
        self.ledger.close()
        self._start()

    async def _serve(self, client: DerivClient, purchases: int, until: float) -> bool:
        await client.subscribe(requests.transaction())
        await self._recover(client)
        await client.subscribe(requests.ticks("R_100"))
        while self._clock.now() < until and not self.latch.halted:
            try:
                frame = await asyncio.wait_for(client.events.get(), SILENCE)
            except TimeoutError:
                return False
            if frame is None:
                return False
            if not await self._handle(client, frame, purchases):
                return False
            if not self.gate.armed and self._clock.now() - self._recovered_at >= RECOVER_EVERY:
                await self._recover(client)
            done = (
                self._tried >= purchases
                and not self.ledger.intents.open_contracts()
                and not self.ledger.intents.unresolved()
            )
            if done and self.gate.armed:
                return True
        return False

    async def _handle(self, client: DerivClient, frame: dict[str, Any], purchases: int) -> bool:
        """One frame; False when the connection is to be given up."""
        try:
            kind = frame.get("msg_type")
            if kind == "transaction":
                row = Transaction.from_frame(frame)
                if row is not None:
                    self.gate.book(cash_row(row))
            elif kind == "buy":
                self.gate.disarm()
            elif kind == "tick":
                tick = Tick.from_frame(frame)
                if self._tried < purchases and tick.epoch % EVERY == 0:
                    return await self._buy(client, tick)
        except FrameError:
            self.gate.disarm()
        return True

    async def _buy(self, client: DerivClient, tick: Tick) -> bool:
        contract = Contract(ContractType.CALL, 5, DurationUnit.TICKS)
        wanted = Order(f"decision-{tick.epoch}", "b" * 64, "m", "R_100", contract, "USD", 1_000, 0.6, 0.02, 0.954)
        purchase = await self.gate.purchase(client, wanted, self._clock.now() - tick.epoch)
        self.life.outcomes[purchase.outcome.value] += 1
        self._tried += 1
        return purchase.outcome is not Outcome.UNKNOWN

    async def _recover(self, client: DerivClient) -> None:
        report = await recover(client, self.ledger, self.latch, LIMITS, self._clock.now())
        self._recovered_at = self._clock.now()
        self.gate.arm(report)


def audit(exchange: Exchange, ledger: Ledger, halted: bool) -> list[str]:
    """What in the ledger contradicts the exchange's log of what happened."""
    log = [e for e in exchange.events.log if e["kind"] in ORDERS]
    bought: Counter[str] = Counter()
    contracts: set[int] = set()
    for before, event in zip([None, *log], log, strict=False):
        if event["kind"] == "booked" and event["account_id"] == ACCOUNT:
            contracts.add(event["contract_id"])
            # Our purchases name a quote. A fault's foreign purchases bring their own terms, and their "of" is "1".
            if before is not None and before["kind"] == "received" and before["of"] != "1":
                bought[str(before["of"])] += 1
    intents = list(ledger.intents.all())
    wrong = [f"quote {quote} was bought {n} times" for quote, n in bought.items() if n > 1]
    sent = {str(i.proposal_id): i for i in intents if i.sent_at is not None}
    if len(sent) != sum(i.sent_at is not None for i in intents):
        wrong.append("two intents share a quote")
    ours = [i.contract_id for i in ledger.intents.trades()]
    if len(ours) != len(set(ours)):
        wrong.append("a contract belongs to two intents")
    if set(ours) - contracts:
        wrong.append("the ledger has a purchase that never was")
    if halted or any(i.state is IntentState.QUARANTINED for i in intents):
        return wrong  # halted or quarantined: nothing more is bought until a person resumes
    if contracts - set(ours):
        wrong.append(f"{len(contracts - set(ours))} purchases are not in the ledger, and the runner trades on")
    account = exchange.accounts[ACCOUNT]
    if ledger.cash.total_cents() != int(account.balance * 100):
        wrong.append(f"the ledger has {ledger.cash.total_cents()} cents, the account {int(account.balance * 100)}")
    if any(i.state is IntentState.LATE_BOUND for i in intents):
        wrong.append("a purchase was ruled out that happened, and the runner trades on")
    if ledger.intents.unresolved() or ledger.intents.open_contracts():
        wrong.append(f"unresolved long after the last fault: {[i.state.value for i in ledger.intents.unresolved()]}")
    return wrong


def live(seed: int, rate: float, folder: Path, only: list[FaultName] | None = None) -> Life:
    """One runner from its first connection until everything is settled, or it halts.

    Args:
        seed: decides market and faults.
        rate: of faults on each occasion.
        folder: for its ledger; empty.
        only: the faults of the mix; by default all but what others do to the account.
    """
    world = build_world(seed=seed, today=TODAY, history_days=1)
    faults = Faults(mix=Mix(seed, rate, only))
    exchange = Exchange(world, [Account(ACCOUNT, 0.012)], Settings(seed, lockstep=False, budget_factor=1_000), faults)
    life = Life()

    async def script() -> None:
        # The client's time-outs are wall time; here the loop's clock stands for the wall.
        timer = asyncio.get_running_loop().time
        with mock.patch("xtitan_core.deriv.client.monotonic", timer):
            async with open_exchange(exchange):
                clock = LoopClock(exchange.epoch)
                runner = Runner(folder, clock, life)
                await runner.trade(PURCHASES, clock.now() + PURCHASES * EVERY * 3)
                faults.end()
                await runner.trade(0, clock.now() + PATIENCE)
                life.halted = life.halted or (str(runner.latch.reason) if runner.latch.halted else "")
                life.quarantined = any(i.state is IntentState.QUARANTINED for i in runner.ledger.intents.unresolved())
                life.violations = audit(exchange, runner.ledger, bool(life.halted))
                life.violations += [f"the program ended {n} times: {why}" for why, n in life.crashes.items()]
                await runner.close()

    run(script())
    life.fired.update(str(fault["fault"]) for fault in faults.fired)
    life.booked = sum(e["kind"] == "booked" for e in exchange.events.log)
    return life


def _kind(reason: str) -> str:
    """A reason without what is particular to one life."""
    return re.sub(r"\d+", "N", reason)[:80]


def drill() -> dict[str, Any]:
    """Lives under random faults at three rates; every fifth also has what others do to the account."""
    lives = int(os.environ.get("XTITAN_FAULT_LIVES", "150"))
    total, halts, wrong, quarantined = Life(), Counter[str](), list[str](), 0
    with tempfile.TemporaryDirectory() as home:
        for seed in range(lives):
            rate = (0.01, 0.03, 0.08)[seed % 3]
            only = None if seed % 5 else list(FaultName)
            folder = Path(home) / str(seed)
            folder.mkdir()
            life = live(seed, rate, folder, only)
            total.outcomes += life.outcomes
            total.fired += life.fired
            total.booked += life.booked
            total.connections += life.connections
            total.crashes += life.crashes
            if life.halted:
                halts[_kind(life.halted)] += 1
            quarantined += life.quarantined and not life.halted
            wrong += [f"seed {seed}, rate {rate}: {text}" for text in life.violations]
    tried = sum(total.outcomes.values())
    fired = f"{sum(total.fired.values())} faults of {len(total.fired)} kinds"
    print(f"   {lives} lives, {total.connections} connections, {fired}")
    print(f"   {tried} attempts: {dict(total.outcomes)}; {total.booked} purchases booked by the exchange")
    print(f"   {halts.total()} lives halted: {dict(halts)}; {quarantined} quarantined")
    print(f"   {total.crashes.total()} crashes: {dict(total.crashes)}")
    for text in wrong:
        print(f"   VIOLATION {text}")
    return {
        "holds": not wrong,
        "lives": lives,
        "connections": total.connections,
        "attempts": dict(total.outcomes),
        "booked": total.booked,
        "faults": dict(sorted(total.fired.items())),
        "halts": dict(halts),
        "quarantined": quarantined,
        "crashes": dict(total.crashes),
        "violations": wrong,
    }
