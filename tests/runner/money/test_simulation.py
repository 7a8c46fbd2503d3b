"""Thousands of faults and crashes against the venue's truth, and every guard broken once to see the checks catch it.

A run is one runner's life: purchases, lost answers, late executions, wrong errors, disconnects, and a crash before or
after any commit and any request. Afterwards the venue's truth and the ledger are compared.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import live_runner.buying.gate
import live_runner.ledger.account
import live_runner.reconcile.recovery
import live_runner.reconcile.resolution
from live_runner.buying.gate import Gate
from live_runner.buying.purchase import GateReason, Outcome, Purchase
from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import LimitBreach
from live_runner.ledger import IntentState, Ledger, Order
from live_runner.ledger.intents import IntentTable
from live_runner.ledger.storage import Storage
from live_runner.reconcile import binding
from live_runner.reconcile.report import RecoveryError
from live_runner.reconcile.statement import cash_row
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.deriv.records import StatementRow
from xtitan_core.randomness import stream

FATES: list[tuple[float, tuple[bool, int, str]]] = [
    (0.70, (True, 0, "ok")),
    (0.07, (True, 0, "lost")),
    (0.06, (False, 0, "lost")),
    (0.05, (True, 40, "lost")),
    (0.04, (True, 0, "Timeout")),
    (0.03, (False, 0, "InternalServerError")),
    (0.03, (False, 0, "PriceMoved")),
    (0.02, (True, 0, "bad")),
]


class Crash(BaseException):
    """kill -9: nothing after it runs."""


@dataclass
class Life:
    """One simulated life and what was wrong with it."""

    violations: list[str] = field(default_factory=list)
    crashes: int = 0
    purchases: int = 0
    trace: list[object] = field(default_factory=list)


class CrashPoints:
    """Counts every commit and request and crashes at the chosen ones."""

    def __init__(self, random: np.random.Generator, rate: float) -> None:
        self.random, self.rate, self.on = random, rate, True

    def point(self) -> None:
        if self.on and self.random.random() < self.rate:
            raise Crash


def tap(desk: Any, crashes: CrashPoints, life: Life) -> None:
    """Put crash points around every commit and request of a desk, and watch its sends."""
    storage: Storage = desk.ledger._storage
    honest_write = storage.write

    @contextlib.contextmanager
    def write() -> Iterator[Any]:
        crashes.point()
        with honest_write() as db:
            yield db
        crashes.point()

    storage.write = write  # type: ignore[method-assign]
    client, venue = desk.client, desk.venue
    honest_request, honest_buy = client.request, client.start_buy

    async def request(payload: dict[str, Any], timeout: float = 10.0) -> dict[str, Any]:
        crashes.point()
        frame = await honest_request(payload, timeout)
        crashes.point()
        return dict(frame)

    def start_buy(proposal_id: str, price_cents: int) -> Any:
        crashes.point()
        sent = [
            i for i in desk.ledger.intents.unresolved() if i.state is IntentState.SENT and i.proposal_id == proposal_id
        ]
        if not sent:
            life.violations.append("a frame without its SENT row")
        if len(venue.open) + len(venue._later) + 1 > desk.limits.max_open_contracts:
            life.violations.append("more contracts than allowed")
        if desk.latch.halted:
            life.violations.append("a frame after the halt")
        answer = honest_buy(proposal_id, price_cents)
        crashes.point()
        return answer

    client.request, client.start_buy = request, start_buy


async def live(seed: int, venue: Any, open_desk: Callable[[], Any], steps: int, crash_rate: float = 0.02) -> Life:
    """Simulate one life.

    Args:
        seed: decides everything.
        venue: the truth.
        open_desk: starts the runner (again) on the same state folder.
        steps: actions before the final settling.
    """
    random, life = stream(seed, "life"), Life()
    crashes = CrashPoints(stream(seed, "crashes"), crash_rate)
    shares = np.cumsum([share for share, _ in FATES])
    venue.fates = lambda r: FATES[int(np.searchsorted(shares, r.random()))][1]
    venue.lag = int(random.integers(3))
    inbox: list[dict[str, Any]] = []
    venue.on_row = inbox.append
    desk: Any = None

    def up() -> Any:
        inbox.clear()  # the stream of a new connection starts now
        fresh = open_desk()
        tap(fresh, crashes, life)
        return fresh

    for k in range(steps):
        try:
            desk = desk or up()
            if desk.client.closed.is_set() or (not desk.gate.armed and random.random() < 0.3):
                desk.connect()
                inbox.clear()
                tap_again(desk, crashes, life)
            if not desk.gate.armed:
                await desk.recover()
            for row in inbox:
                desk.gate.book(cash_row(StatementRow.from_row(row | {"shortcode": None, "payout": None})))
            inbox.clear()
            if random.random() < 0.6:
                side = ContractType.CALL if random.random() < 0.5 else ContractType.PUT
                contract = Contract(side, 5, DurationUnit.TICKS)
                wanted = Order(f"{seed}-{k}", "b" * 64, "m", "R_100", contract, "USD", 1_000, 0.6, 0.02, 0.953)
                purchase = await desk.gate.purchase(desk.client, wanted, 0.0)
                life.purchases += purchase.outcome is Outcome.BOUGHT
                life.trace.append((k, purchase.outcome.value, purchase.reason))
            else:
                venue.advance(int(random.integers(1, 15)))
            if random.random() < 0.03:
                desk.client.cut()
        except Crash:
            life.crashes += 1
            life.trace.append((k, "crash"))
            desk = _dead(desk)
    crashes.on = False
    desk = desk or up()
    if desk.client.closed.is_set():
        desk.connect()
    report = await desk.recover()
    for _ in range(120):
        if report.ready and not desk.ledger.intents.open_contracts():
            break
        desk.connect()
        venue.advance(5)
        report = await desk.recover()
    life.violations += audit(desk, venue, report)
    life.trace.append((venue.balance, sorted(venue.bought())))
    desk.close()
    return life


def tap_again(desk: Any, crashes: CrashPoints, life: Life) -> None:
    """A reconnect of the same process: only the client is new."""
    write = desk.ledger._storage.write
    tap(desk, crashes, life)
    desk.ledger._storage.write = write


def _dead(desk: Any) -> None:
    """What the kernel does after kill -9: close the files without a word."""
    if desk is not None:
        desk.ledger._storage.close()


def audit(desk: Any, venue: Any, report: Any) -> list[str]:
    """I1 to I6 at rest, by the venue's truth."""
    ledger: Ledger = desk.ledger
    ours = [i.contract_id for i in ledger.intents.trades()]
    wrong = []
    if not report.ready:
        wrong.append(f"never settled: {report.waiting}")
    if desk.latch.halted:
        wrong.append(f"halted: {desk.latch.reason}")
    if len(ours) != len(set(ours)) or set(ours) != venue.bought():
        wrong.append(f"contracts differ: {len(ours)} here, {len(venue.bought())} bought")
    if ledger.cash.total_cents() != venue.balance:
        wrong.append(f"drift of {ledger.cash.total_cents() - venue.balance} cents")
    if len(venue.frames) != len(set(venue.frames)):
        wrong.append("a proposal was sent twice")
    if len(venue.bought()) > len([i for i in ledger.intents.all() if i.sent_at is not None]):
        wrong.append("more purchases than intents")
    if {i.contract_id for i in ledger.intents.open_contracts()} != set(venue.open):
        wrong.append("open contracts differ")
    if any(i.state is IntentState.LATE_BOUND for i in ledger.intents.all()):
        wrong.append("a purchase was ruled out that happened")
    return wrong


@pytest.fixture
def run_life(new_venue: Any, open_desk: Callable[..., Any], folder: Path) -> Callable[..., Life]:
    """Runs one life on its own state folder."""

    async def run(seed: int, steps: int = 60, crash_rate: float = 0.02) -> Life:
        venue, home = new_venue(seed), folder / f"life-{seed}"
        shutil.rmtree(home, ignore_errors=True)
        return await live(seed, venue, lambda: open_desk(of=venue, at=home), steps, crash_rate)

    return run


async def test_no_purchase_is_lost_doubled_or_misbound_in_any_life(run_life: Callable[..., Any]) -> None:
    total = Life()
    for seed in range(40):
        life = await run_life(seed)
        assert life.violations == [], f"seed {seed}: {life.violations}"
        total.crashes += life.crashes
        total.purchases += life.purchases
    assert total.crashes > 150, "the crash points were reached"
    assert total.purchases > 100, "the runner was not merely cautious"


async def test_the_same_seed_lives_the_same_life(run_life: Callable[..., Any]) -> None:
    for seed in (3, 4):
        assert (await run_life(seed)).trace == (await run_life(seed)).trace


async def test_without_faults_only_the_limit_on_open_contracts_refuses(
    run_life: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not over-cautious: a calm venue and no crash leave nothing to wait for but the settlement of what is open."""
    monkeypatch.setattr(f"{__name__}.FATES", [(1.0, (True, 0, "ok"))])
    life = await run_life(1, crash_rate=0.0)
    assert life.violations == []
    refused = {reason for _, outcome, *rest in life.trace[:-1] if outcome != "bought" for reason in rest}
    assert refused <= {LimitBreach.OPEN_CONTRACTS, GateReason.NOT_RECOVERED}
    assert life.purchases > 15


# ---- sabotage: each guard broken once; the same checks must notice within a few lives


def send_before_sent(patch: pytest.MonkeyPatch) -> None:
    def commit(self: Gate, client: Any, order: Order, intent_id: int, quote: Any, *_: Any) -> Any:
        answer = client.start_buy(quote.proposal_id, order.stake_cents)
        self._ledger.intents.mark_sent(
            intent_id,
            proposal_id=quote.proposal_id,
            generation=client.generation,
            ask_cents=quote.ask_cents,
            payout_cents=quote.payout_cents,
            now=self._clock.now(),
        )
        return answer

    patch.setattr(Gate, "_commit_and_send", commit)


def retry_when_unknown(patch: pytest.MonkeyPatch) -> None:
    honest = Gate._outcome

    async def outcome(self: Gate, answer: Any, intent_id: int, order: Order, quote: Any, edge: Any) -> Any:
        purchase = await honest(self, answer, intent_id, order, quote, edge)
        with contextlib.suppress(Exception):
            if purchase.outcome is Outcome.UNKNOWN:
                client = self.__dict__["last_client"]
                again = await client.request(
                    {"proposal": 1, "amount": order.stake_cents / 100, "contract_type": order.contract.contract_type}
                )
                await client.start_buy(again["proposal"]["id"], order.stake_cents)
        return purchase

    honest_purchase = Gate._purchase

    async def purchase(self: Gate, client: Any, order: Order, tick_age: float) -> Any:
        self.__dict__["last_client"] = client
        return await honest_purchase(self, client, order, tick_age)

    patch.setattr(Gate, "_outcome", outcome)
    patch.setattr(Gate, "_purchase", purchase)


def any_error_is_a_refusal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        live_runner.buying.gate, "FINAL_REFUSALS", frozenset({"Timeout", "InternalServerError", "PriceMoved"})
    )


def rule_out_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(binding, "ABSENCE_S", 0.0)
    patch.setattr(binding, "CLEAN_READS", 1)


def no_tombstones(patch: pytest.MonkeyPatch) -> None:
    rule_out_at_once(patch)
    patch.setattr(IntentTable, "tombstones", lambda *_: [])


def forget_what_was_sent_at_restart(patch: pytest.MonkeyPatch) -> None:
    def close(ledger: Ledger, now: float, found: Any) -> None:
        for intent in ledger.intents.prepared():
            ledger.intents.abandon(intent.intent_id, "restart", now)
        for intent in ledger.intents.unresolved():
            if intent.state is IntentState.SENT:
                ledger.intents.unknown(intent.intent_id, "restart", now)
                ledger.intents.not_bought(intent.intent_id, "surely not", now)

    patch.setattr(live_runner.reconcile.recovery, "close_earlier_runs", close)


def abandon_when_the_answer_is_lost(patch: pytest.MonkeyPatch) -> None:
    def unknown(self: Gate, intent_id: int, reason: str, quote: Any, edge: Any = None) -> Any:
        intent = self._ledger.intents.rejected(intent_id, reason, self._clock.now())
        return Purchase(Outcome.REJECTED, reason, intent, quote, edge)

    patch.setattr(Gate, "_unknown", unknown)


def unknown_stakes_are_not_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(live_runner.ledger.account, "_RESERVED", "state = 'open' AND 0")


def the_gate_ignores_the_latch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(KillLatch, "poll", lambda self: False)
    patch.setattr(Ledger, "record_halt", lambda *_: None)
    honest = Gate.purchase

    async def purchase(self: Gate, *arguments: Any) -> Any:
        result = await honest(self, *arguments)
        self._latch.halt("a person pressed the button", "test")
        return result

    patch.setattr(Gate, "purchase", purchase)


def bind_to_any_row(patch: pytest.MonkeyPatch) -> None:
    """Bind an unknown intent to whatever purchase was booked last, ours or not."""

    def judge(intent: Any, unbound: Any, **_: Any) -> Any:
        rows = list(unbound)
        return (
            binding.Verdict(binding.Proof.NOT_BOUGHT, "no row yet")
            if not rows
            else binding.Verdict(binding.Proof.BOUND, "some row", rows[-1])
        )

    patch.setattr(live_runner.reconcile.resolution, "judge", judge)


def skip_the_statement(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> list[Any]:
        return []

    patch.setattr(live_runner.reconcile.recovery, "read_statement", nothing)


SABOTAGES = [
    send_before_sent,
    retry_when_unknown,
    any_error_is_a_refusal,
    rule_out_at_once,
    no_tombstones,
    forget_what_was_sent_at_restart,
    abandon_when_the_answer_is_lost,
    unknown_stakes_are_not_open,
    the_gate_ignores_the_latch,
    bind_to_any_row,
    skip_the_statement,
]


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda s: s.__name__)
async def test_a_broken_guard_is_noticed(sabotage: Callable[[pytest.MonkeyPatch], None], run_life: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        sabotage(patch)
        for seed in range(40):
            with contextlib.suppress(RecoveryError):
                if (await run_life(seed)).violations:
                    return
    pytest.fail("forty lives with this guard broken, and nothing was noticed")
