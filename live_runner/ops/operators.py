"""What operators ask of a running runner: status, halt, resume, rollback, metrics and the final summary."""

from __future__ import annotations

import json
from typing import Any

from live_runner.guards.latch import LatchError
from live_runner.loop.parts import Parts
from live_runner.loop.trading_loop import TradingLoop
from live_runner.models.errors import ModelError
from live_runner.ops.control import ControlError
from live_runner.ops.status import ledger_figures, role_figures
from xtitan_core.clock import monotonic


class Operators:
    """The answers. They only flip state that the trading loop reads afresh before each decision and each purchase."""

    def __init__(self, parts: Parts, loop: TradingLoop) -> None:
        self.p, self._loop = parts, loop
        self._started = monotonic()

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the control socket.

        Raises:
            ControlError: the request is refused; one line.
        """
        p, command = self.p, request.get("command")
        reason = str(request.get("reason", "")).strip()
        if command == "status":
            return self.summary() | {"running": True}
        if command == "halt":
            p.latch.halt(reason or "halted by the operator", "operator")
            return {"halted": True, "reason": p.latch.reason}
        if command == "resume":
            try:
                p.latch.resume(reason, "operator")
            except LatchError as error:
                raise ControlError(str(error)) from None
            return {"halted": False, "reason": p.latch.reason}
        if command == "rollback":
            try:
                records = p.keeper.rollback(int(p.clock.now()), reason or "operator")
            except ModelError as error:
                raise ControlError(str(error)) from None
            p.books.journal.add(*records)
            return {"champion": role_figures(p.keeper.roles)["champion"]}
        raise ControlError(f"unknown command {str(command)[:40]!r}; use status, halt, resume or rollback")

    def summary(self) -> dict[str, Any]:
        """Counts since the start, money in cents by the ledger, and what is loaded."""
        parts = self.p
        tally, trades, now = parts.engine.tally, parts.books.tally, parts.clock.now()
        balance = self._loop.balance_cents
        figures = ledger_figures(parts.books.ledger, now)
        total = figures["ledger_total_cents"]  # None before the first recovery
        return {
            "running": False,
            "environment": parts.settings.environment,
            "symbol": parts.settings.symbol,
            "venue": parts.settings.venue,
            "epoch": int(now),
            "stop_reason": self._loop.stop_reason,
            "halted": parts.latch.halted,
            "halt_reason": parts.latch.reason if parts.latch.halted else "",
            "armed": parts.gate.armed,
            "slots": tally.slots,
            "quotes": tally.quotes,
            "decisions": dict(tally.decisions),
            "missed": dict(tally.missed),
            "shadow_open": len(parts.engine.book),
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
            "models": role_figures(parts.keeper.roles),
            "journal_sequence": parts.books.journal.index.sequence,
            "seconds": round(monotonic() - self._started, 3),
        }

    def refresh(self) -> None:
        """Bring the gauges up to date."""
        p, metrics = self.p, self.p.metrics
        metrics.tick_age.set(p.market.age(p.clock.now()))
        metrics.open_contracts.set(len(p.books.ledger.open_contracts()))
        metrics.unresolved.set(len(p.books.ledger.unresolved()))
        metrics.halted.set(p.latch.halted)
        metrics.shadow_open.set(len(p.engine.book))
        metrics.models.clear()
        for role, model in p.keeper.roles.loaded():
            metrics.models.labels(role, model.bundle_id, model.version).set(1)

    def health(self) -> dict[str, Any]:
        """Body of ``/healthz``; ``ok`` is False while disconnected or halted."""
        connected, halted = self._loop.connected, self.p.latch.halted
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
