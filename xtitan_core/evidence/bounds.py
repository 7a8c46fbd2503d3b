"""Bounds that hold at every look: for the win rate in closed form, for the edge by betting against it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from xtitan_core.evidence.cash_account import CashAccount, EvidenceError, Floats, Outcome

_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence sequence at its current look."""

    low: float
    high: float


def _log_mixture(wins: float, losses: float) -> float:
    """log of the Krichevsky-Trofimov (Beta(1/2, 1/2)) mixture probability of one win/loss sequence."""
    return math.lgamma(wins + 0.5) + math.lgamma(losses + 0.5) - math.lgamma(wins + losses + 1.0) - math.log(math.pi)


def win_rate_interval(wins: int, losses: int, alpha: float = 0.05, *, overlap: int = 1) -> Interval:
    """Anytime interval for a constant win probability: all p whose KT-mixture bankroll stays below ``1/alpha``.

    With m contracts open at once every m-th trade makes a stream without overlap, and the mean of the m streams'
    bankrolls may be compared with ``1/alpha``. That mean is at least the bankroll of ``1/m`` of all counts, because the
    mixture is log-convex in them, so those are used: m copies of one bet weigh as much as one. At an observed 54 % the
    lower end is .4822 after 1,000 trades, .5127 after 5,000, .5257 after 20,000.

    Args:
        wins, losses: settled trades.
        alpha: error probability over all looks.
        overlap: most contracts ever open at once; they settle in the order they were bought.

    Raises:
        EvidenceError: for negative counts, an overlap below 1, or alpha outside (0, 1).
    """
    if wins < 0 or losses < 0 or overlap < 1 or not 0.0 < alpha < 1.0:
        raise EvidenceError(
            f"needs counts >= 0, overlap >= 1 and alpha in (0, 1), got {wins}, {losses}, {overlap}, {alpha}"
        )
    if wins + losses == 0:
        return Interval(0.0, 1.0)
    won, lost = wins / overlap, losses / overlap
    limit = _log_mixture(won, lost) + math.log(alpha)

    def excluded(p: float) -> bool:
        likelihood = (won * math.log(p) if won else 0.0) + (lost * math.log1p(-p) if lost else 0.0)
        return likelihood < limit

    centre = won / (won + lost)
    low = _edge_of(excluded, 0.0, centre) if wins else 0.0
    high = _edge_of(excluded, 1.0, centre) if losses else 1.0
    return Interval(low, high)


def _edge_of(excluded: Callable[[float], bool], outside: float, inside: float) -> float:
    """Bisect between an excluded end and an accepted centre; returns the excluded side, which is conservative."""
    for _ in range(60):
        middle = 0.5 * (outside + inside)
        if excluded(middle):
            outside = middle
        else:
            inside = middle
    return outside


def edge_at(win_rate: float, ratio: float) -> float:
    """Expected profit per unit of stake: ``p * (1 + ratio) - 1``."""
    return win_rate * (1.0 + ratio) - 1.0


class EdgeCeiling:
    """The largest edge still possible: an anytime upper bound for the expected profit per unit of stake.

    For each level e of a grid it bets *against* "no trade earns less than e on average, given what came before", by
    buying the mirrored contract, which pays when ours loses: price ``ratio - e``, worth ``1 + ratio`` on a loss,
    ``ratio`` on a refund, nothing on a win. It is the same cash account, so the same proof holds: nothing is assumed
    about overlap or changing payouts. A level stays excluded once its account has reached ``1/alpha``.

    The bound is meant for an edge that does not change. When the edge varies, the bound holds for its smallest value;
    it says nothing about the best hours or about other decision rules.

    Args:
        alpha: error probability over the whole future.
        step: spacing of the grid; the bound is rounded up to it.
        highest: top of the grid; the bound before any evidence. While that level is not excluded, the largest payout
            ratio bought is the bound if it is more.
    """

    def __init__(self, alpha: float = 0.05, *, step: float = 0.001, lowest: float = -0.2, highest: float = 0.6) -> None:
        if not 0.0 < alpha < 1.0 or step <= 0.0 or not lowest < highest:
            raise EvidenceError(f"needs alpha in (0, 1) and a rising grid, got {alpha}, {step}, {lowest}, {highest}")
        self._grid = np.linspace(lowest, highest, round((highest - lowest) / step) + 1)
        self._account = CashAccount(shape=self._grid.shape)
        self._peak = np.ones(self._grid.shape)
        self._largest_ratio = 0.0
        self._refund: dict[Hashable, Floats] = {}
        self._limit = 1.0 / alpha

    def purchase(self, trade_id: Hashable, ratio: float) -> None:
        """Buy the mirrored contract in every account.

        Raises:
            EvidenceError: as :meth:`CashAccount.purchase`.
        """
        # Nothing earns more than `ratio`, so higher levels are tested as "always wins", at a price just above zero.
        price = np.maximum(ratio - self._grid, _TINY)
        self._account.purchase(trade_id, (1.0 + ratio) / price - 1.0)
        self._refund[trade_id] = ratio / price
        self._largest_ratio = max(self._largest_ratio, ratio)

    def settle(self, trade_id: Hashable, outcome: Outcome) -> None:
        """Credit the mirrored contract.

        Raises:
            EvidenceError: when no such trade is open.
        """
        refund = self._refund.pop(trade_id, None)
        if outcome is Outcome.REFUNDED and refund is not None:
            self._account.pay(trade_id, refund)
        else:
            self._account.settle(trade_id, Outcome.LOST if outcome is Outcome.WON else Outcome.WON)
        np.maximum(self._peak, self._account.bankrolls, out=self._peak)

    @property
    def value(self) -> float:
        """Smallest grid level from which every higher level is excluded.

        When none is: ``highest``, or the largest payout ratio bought if that is more.
        """
        alive = np.flatnonzero(self._peak < self._limit)
        if not len(alive):
            return float(self._grid[0])
        above = int(alive[-1]) + 1
        return float(self._grid[above]) if above < len(self._grid) else max(float(self._grid[-1]), self._largest_ratio)
