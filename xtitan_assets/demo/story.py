"""The two courses of the demo: a market that must be refused, and one whose edge must be found and traded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xtitan_assets.demo.results import (
    MarketResult,
    RunnerResult,
    decisions_by_reason,
    forced_path,
    judge_runner,
)
from xtitan_assets.demo.world import World


@dataclass(frozen=True)
class Plan:
    """How long to shadow and how much to trade.

    Attributes:
        slots: shadow slots of one run of the runner on a market that should be refused.
        days: market days after which the gate closes a candidate there (``gate.max_days``).
        chunk: shadow slots between two evaluations of the gate on a market that should be promoted.
        evaluations: most evaluations before the gate's answer counts as no.
        trades: contracts to buy and settle before the kill.
        after: contracts to settle after the restart.
    """

    slots: int = 8_000
    days: float = 1.25
    chunk: int = 500
    evaluations: int = 6
    trades: int = 100
    after: int = 15


def train(world: World) -> None:
    """Open the exchange and run the real pipeline against its socket, up to a registered challenger."""
    world.open_exchange()
    world.show(f"{world.name:>8} · exchange at {world.url} ({world.market}), {world.days} days of history")
    world.pipeline("retrain")
    slots = world.report("backtest")["every_slot"]
    world.show(
        f"{world.name:>8} · registered {world.model_name}: {world.report('train')['candidate']} model, "
        f"backtest win rate {slots['win_rate']:.1%} over {slots['trades']} slots"
    )


def shadow(world: World, slots: int, *, every_slot: bool) -> dict[str, Any]:
    """One shadow run of the runner, then one evaluation of the gate."""
    options = ["--stop-after-slots", str(slots), *(["--settle-every-slot"] if every_slot else [])]
    world.run_runner(*options)
    world.pipeline("shadow")
    evaluation = world.report("shadow")
    world.show(
        f"{world.name:>8} · look: {evaluation['trades']} shadow trades, {evaluation['wins']} won, "
        f"bankroll {evaluation['bankroll']:.3g} of {evaluation['threshold']:.0f} -> {evaluation['verdict']}"
    )
    return evaluation


def as_market(
    world: World, evaluation: dict[str, Any], *, market: str, expected: bool, promoted: bool, oracle: float | None
) -> MarketResult:
    """The gate's last evaluation and the offline report as one result."""
    records = world.journal()
    reasons = decisions_by_reason(records)
    return MarketResult(
        name=world.name,
        symbol=world.symbol,
        market=market,
        expected=expected,
        promoted=promoted,
        candidate=str(world.report("train")["candidate"]),
        slots=sum(reasons.values()),
        trades=int(evaluation["trades"]),
        wins=int(evaluation["wins"]),
        bankroll=float(evaluation["bankroll"]),
        threshold=float(evaluation["threshold"]),
        break_even=float(evaluation["break_even"]),
        edge_upper=float(evaluation["edge_upper"]),
        oracle=oracle,
        bankroll_path=[(int(n), float(e)) for n, e in evaluation["path"]],
        forced_path=forced_path(records, float(evaluation["haircut"])),
        reasons=reasons,
        reliability=world.reliability("CALL", "PUT"),
        why=str(evaluation["why"]),
    )


def refuse(world: World, plan: Plan, market: str) -> MarketResult:
    """Shadow a market without an edge until the gate decides, and print the largest edge still possible."""
    world.settings.append(f"gate.max_days={plan.days}")
    train(world)
    evaluation: dict[str, Any] = {}
    for _ in range(plan.evaluations):
        evaluation = shadow(world, plan.slots, every_slot=True)
        if evaluation["verdict"] != "continue":
            break
    promoted = evaluation["verdict"] == "promote"
    return as_market(world, evaluation, market=market, expected=False, promoted=promoted, oracle=None)


def promote(world: World, plan: Plan, market: str, oracle: float) -> MarketResult:
    """Shadow a market with an edge in chunks until the gate promotes."""
    train(world)
    evaluation: dict[str, Any] = {}
    for _ in range(plan.evaluations):
        evaluation = shadow(world, plan.chunk, every_slot=False)
        if evaluation["verdict"] == "promote":
            world.pipeline("promote", "--why", "the gate's verdict in the demo")
            break
    promoted = evaluation["verdict"] == "promote"
    return as_market(world, evaluation, market=market, expected=True, promoted=promoted, oracle=oracle)


def trade(world: World, plan: Plan) -> RunnerResult:
    """Trade the champion, kill -9 between a buy and its answer, start again, and compare ledger and exchange."""
    world.show(f"{world.name:>8} · trading the champion on the account")
    held = world.kill_between_send_and_answer(plan.trades)
    world.show(f"{world.name:>8} · kill -9 after contract {held['contract_id']} was booked and before its answer")
    world.run_runner("--stop-after-trades", str(plan.after))
    records = world.journal()
    result = judge_runner(world.name, records, world.truth(), world.runner_status(), int(held["contract_id"]))
    world.show(
        f"{world.name:>8} · recovered: {result.contracts} contracts, {result.wins} won, "
        f"ledger {result.ledger_total}, exchange {result.exchange_balance}"
    )
    return result
