"""A running runner in figures: the summary, the gauges and the health of the metrics port. All of it only reads."""

from __future__ import annotations

import json
from typing import Any

from live_runner.buying.gate import Gate
from live_runner.config import Settings
from live_runner.guards.latch import KillLatch
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.ledger import Ledger
from live_runner.loop.trading_loop import TradingLoop
from live_runner.metrics import Metrics
from live_runner.models.roles import ModelRoles
from live_runner.ops.status import ledger_figures, role_figures
from live_runner.trading.engine import Engine
from live_runner.trading.market import Market
from xtitan_core.clock import Clock, monotonic


class RunSummary:
    """Counts since the start, money in cents by the ledger, and what is loaded."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        loop: TradingLoop,
        engine: Engine,
        bookkeeping: Bookkeeping,
        gate: Gate,
        latch: KillLatch,
        roles: ModelRoles,
    ) -> None:
        self._settings, self._clock, self._loop, self._engine = settings, clock, loop, engine
        self._bookkeeping, self._gate, self._latch, self._roles = bookkeeping, gate, latch, roles
        self._started = monotonic()

    def figures(self) -> dict[str, Any]:
        """All of it as JSON values; ``running`` is False, as at the end."""
        tally, trades, now = self._engine.tally, self._bookkeeping.tally, self._clock.now()
        balance = self._loop.balance_cents
        figures = ledger_figures(self._bookkeeping.ledger, now)
        total = figures["ledger_total_cents"]  # None before the first recovery
        return {
            "running": False,
            "environment": self._settings.environment,
            "symbol": self._settings.symbol,
            "venue": self._settings.venue_url,
            "epoch": int(now),
            "stop_reason": self._loop.stop_reason,
            "halted": self._latch.halted,
            "halt_reason": self._latch.reason if self._latch.halted else "",
            "armed": self._gate.armed,
            "slots": tally.slots,
            "quotes": tally.quotes,
            "decisions": dict(tally.decisions),
            "missed": dict(tally.missed),
            "shadow_open": len(self._engine.shadow_trades),
            "shadow_counted": tally.shadow_counted,
            "shadow_counted_won": tally.shadow_counted_won,
            "shadow_uncounted": tally.shadow_uncounted,
            "shadow_uncounted_won": tally.shadow_uncounted_won,
            "trades_opened": trades.opened,
            "trades_settled": trades.settled,
            "trades_won": trades.won,
            "trades_profit_cents": trades.profit_cents,
            **figures,
            "balance_cents": balance,
            "balance_agrees": None if None in (balance, total) else balance == total,
            "models": role_figures(self._roles),
            "journal_sequence": self._bookkeeping.journal.index.sequence,
            "seconds": round(monotonic() - self._started, 3),
        }


class Gauges:
    """Brings the gauges of the metrics port up to date."""

    def __init__(
        self,
        metrics: Metrics,
        clock: Clock,
        market: Market,
        engine: Engine,
        ledger: Ledger,
        latch: KillLatch,
        roles: ModelRoles,
    ) -> None:
        self._metrics, self._clock, self._market, self._engine = metrics, clock, market, engine
        self._ledger, self._latch, self._roles = ledger, latch, roles

    def refresh(self) -> None:
        """Set every gauge to what is true now."""
        metrics = self._metrics
        metrics.tick_age.set(self._market.age(self._clock.now()))
        metrics.open_contracts.set(len(self._ledger.intents.open_contracts()))
        metrics.unresolved.set(len(self._ledger.intents.unresolved()))
        metrics.halted.set(self._latch.halted)
        metrics.shadow_open.set(len(self._engine.shadow_trades))
        metrics.models.clear()
        for role, model in self._roles.loaded():
            metrics.models.labels(role, model.bundle_id, model.version).set(1)


def health(loop: TradingLoop, latch: KillLatch) -> dict[str, Any]:
    """Body of ``/healthz``; ``ok`` is False while disconnected or halted."""
    connected, halted = loop.connected, latch.halted
    return {"ok": connected and not halted, "connected": connected, "halted": halted}


def summary_text(summary: dict[str, Any]) -> str:
    """The final summary for a person, a handful of lines."""
    money = f"{summary['ledger_total_cents'] / 100:.2f}" if summary["ledger_total_cents"] is not None else "unknown"
    lines = [
        f"stopped: {summary['stop_reason'] or 'connection ended'} after {summary['seconds']:.1f} s",
        f"slots {summary['slots']}, decisions {json.dumps(summary['decisions'])}, missed {json.dumps(summary['missed'])}",
        f"shadow: {summary['shadow_counted']} counted ({summary['shadow_counted_won']} won), "
        f"{summary['shadow_uncounted']} uncounted ({summary['shadow_uncounted_won']} won)",
        f"trades: {summary['trades_opened']} bought, {summary['trades_settled']} settled, "
        f"{summary['trades_won']} won, profit {summary['trades_profit_cents'] / 100:+.2f}",
        f"ledger total {money}"
        + {None: "", True: " = account balance", False: " DIFFERS from the account balance"}[summary["balance_agrees"]],
    ]
    if summary["halted"]:
        lines.append(f"HALTED: {summary['halt_reason']}")
    return "\n".join(lines)
