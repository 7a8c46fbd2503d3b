"""Error rates of the promotion gate and of the usual rule, over lifetimes of fifty retrained candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from xtitan_core.evidence.cash_account import CashAccount
from xtitan_core.evidence.gate import thresholds
from xtitan_core.randomness import stream

RATIO = 0.95
BREAK_EVEN = 1.0 / (1.0 + RATIO)
LIFETIMES, CANDIDATES, DAYS, TRADES_A_DAY = 1_000, 50, 30, 200
VALIDATION = 500


def lifetimes(win_rate: float, candidates: int, seed: int) -> dict[str, Any]:
    """Simulate lifetimes side by side; the gate looks once a day.

    Returns:
        Share of lifetimes in which anything was promoted (by the gate, by the usual rule), and the trades that the
        first promotion of each promoted lifetime took.
    """
    rng = stream(seed, "gate drill", win_rate)
    need = thresholds(1, CANDIDATES)
    lineage = CashAccount(shape=(LIFETIMES,))
    promoted_after = np.full(LIFETIMES, np.inf)
    usual = np.zeros(LIFETIMES, dtype=bool)
    trades = 0
    for _ in range(candidates):
        own = CashAccount(shape=(LIFETIMES,))
        usual |= rng.binomial(VALIDATION, win_rate, LIFETIMES) / VALIDATION > BREAK_EVEN
        for _ in range(DAYS):
            won = rng.random((TRADES_A_DAY, LIFETIMES)) < win_rate
            for outcome in won:
                for account in (lineage, own):
                    account.purchase(0, RATIO)
                    account.settle(0, outcome)
            trades += TRADES_A_DAY
            opens = ((lineage.bankrolls >= need.lineage) & (own.bankrolls >= need.own)) | (own.bankrolls >= need.alone)
            promoted_after[opens & np.isinf(promoted_after)] = trades
    done = np.isfinite(promoted_after)
    return {
        "gate": float(done.mean()),
        "usual_rule": float(usual.mean()),
        "mean_trades": float(promoted_after[done].mean()) if done.any() else None,
    }


def drill() -> dict[str, Any]:
    """Zero edge, the house edge, and a true edge."""
    figures = {
        "zero edge (p = break-even), 50 candidates": lifetimes(BREAK_EVEN, CANDIDATES, 1),
        "house edge on (p = .50), 50 candidates": lifetimes(0.50, CANDIDATES, 2),
        "true edge (p = .56), first candidate": lifetimes(0.56, 1, 3),
    }
    for name, row in figures.items():
        shares = f"gate promotes in {row['gate']:.1%} of lifetimes, the usual rule in {row['usual_rule']:.1%}"
        mean = row["mean_trades"]
        took = "" if mean is None else f"; first promotion after {mean:.0f} trades on average"
        print(f"   {name}: {shares}{took}")
    zero, house, edge = figures.values()
    slack = 3 * (0.05 * 0.95 / LIFETIMES) ** 0.5
    holds = zero["gate"] <= 0.05 + slack and house["gate"] <= 0.05 + slack
    holds &= edge["gate"] >= 0.99 and edge["mean_trades"] <= 2_000
    return {"holds": bool(holds), "lifetimes": LIFETIMES, "figures": figures}
