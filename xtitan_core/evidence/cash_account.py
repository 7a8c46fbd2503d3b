"""The statistic: the bankroll of a paper account that pays each stake at purchase and bets its *free cash*.

Null hypothesis: whatever happened before, no trade has a positive expected profit at its quoted payout. Under it the
account's wealth (cash plus the fair value of its open contracts) is a nonnegative supermartingale that starts at 1,
and its free cash is never larger. So P(free cash ever reaches 1/a) <= a: at every look, for any stopping rule, with
changing payouts and strategies, and with contracts that overlap, share a direction or are identical.

The stake is debited at purchase and credited at settlement. Multiplying outcomes into one product, without the debit,
gives the same number while contracts do not overlap and one that is wrong by a factor of ten when they do.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from xtitan_core.errors import XtitanError

Floats = npt.NDArray[np.float64]

EDGES = (0.01, 0.02, 0.04, 0.08, 0.16)
"""Edge levels (expected profit per unit of stake) mixed with equal weights. Mixing them costs 17 % more trades
than knowing the edge would."""

MAX_FRACTION = 0.5
"""No single stake exceeds half of the free cash."""


class EvidenceError(XtitanError, ValueError):
    """An event that does not fit an account: an unknown trade, a trade twice, a ratio that is not positive."""


class Outcome(StrEnum):
    """How a contract ended."""

    WON = "won"
    LOST = "lost"
    REFUNDED = "refunded"


class CashAccount:
    """Five paper accounts, one per edge level; the statistic is the mean of their free cash.

    Args:
        edges: edge levels, each in (0, 1).
        haircut: fraction taken off each payout ratio, so that shadow fills are judged worse than quoted.
        shape: leading shape of a batch of independent accounts fed with the same trade ids (simulation, grids of
            hypotheses); () is one account.
    """

    def __init__(self, edges: tuple[float, ...] = EDGES, *, haircut: float = 0.0, shape: tuple[int, ...] = ()) -> None:
        if not edges or not all(0.0 < e < 1.0 for e in edges):
            raise EvidenceError(f"edge levels must lie strictly between 0 and 1, got {edges}")
        if not 0.0 <= haircut < 1.0:
            raise EvidenceError(f"the haircut must lie in [0, 1), got {haircut}")
        self._edges = np.array(edges)
        self._haircut = haircut
        self._cash: Floats = np.ones((*shape, len(edges)))
        self._open: dict[Hashable, tuple[Floats, float | Floats]] = {}
        self._max_open = 0

    def purchase(self, trade_id: Hashable, ratio: float | Floats) -> None:
        """Debit the stake ``min(edge / ratio, 1/2) * free cash`` of each level.

        Args:
            trade_id: any key not open now.
            ratio: quoted net profit per unit of stake on a win, scalar or of the batch's shape.

        Raises:
            EvidenceError: when the trade is already open or the ratio is not positive and finite.
        """
        if trade_id in self._open:
            raise EvidenceError(f"trade {trade_id!r} was already purchased")
        net = np.asarray(ratio, dtype=np.float64) * (1.0 - self._haircut)
        if not (np.isfinite(net).all() and (net > 0.0).all()):
            raise EvidenceError(f"trade {trade_id!r}: payout ratio must be positive and finite, got {ratio}")
        stake = np.minimum(self._edges / net[..., None], MAX_FRACTION) * self._cash
        self._cash = self._cash - stake
        self._open[trade_id] = (stake, float(net) if net.ndim == 0 else net)
        self._max_open = max(self._max_open, len(self._open))

    def settle(self, trade_id: Hashable, outcome: Outcome | npt.NDArray[np.bool_]) -> None:
        """Credit what the contract paid: ``stake * (1 + ratio)``, nothing, or the stake itself.

        Args:
            trade_id: an open trade.
            outcome: how it ended; a boolean array of the batch's shape means won or lost per account.

        Raises:
            EvidenceError: when no such trade is open.
        """
        net = self._opened(trade_id)[1]
        if isinstance(outcome, np.ndarray):
            self.pay(trade_id, np.asarray(outcome * (1.0 + net), dtype=np.float64))
        else:
            self.pay(trade_id, {Outcome.WON: 1.0 + net, Outcome.LOST: 0.0, Outcome.REFUNDED: 1.0}[outcome])

    def pay(self, trade_id: Hashable, multiple: float | Floats) -> None:
        """Close a trade that returned ``multiple`` times its stake.

        Raises:
            EvidenceError: when no such trade is open.
        """
        stake = self._opened(trade_id)[0]
        del self._open[trade_id]
        self._cash = self._cash + stake * np.asarray(multiple, dtype=np.float64)[..., None]

    def _opened(self, trade_id: Hashable) -> tuple[Floats, float | Floats]:
        try:
            return self._open[trade_id]
        except KeyError:
            raise EvidenceError(f"trade {trade_id!r} is not open: never purchased, or settled twice") from None

    @property
    def bankrolls(self) -> Floats:
        """Mean free cash over the edge levels; the batch's shape. Open stakes count as zero."""
        mean: Floats = self._cash.mean(axis=-1)
        return mean

    @property
    def bankroll(self) -> float:
        """Mean free cash of a single account: the e-value."""
        return float(self.bankrolls)

    @property
    def open_trades(self) -> int:
        """Contracts purchased and not settled."""
        return len(self._open)

    @property
    def max_overlap(self) -> int:
        """Largest number of contracts ever open at once."""
        return self._max_open


def without_overlap(wins: int, losses: int, ratio: float, edges: tuple[float, ...] = EDGES) -> float:
    """The bankroll in closed form, for one constant payout and contracts that never overlap.

    ``mean over edges of (1 + e)^wins * (1 - e/ratio)^losses``: the textbook product e-process. Valid only without
    overlap; it is here to check :class:`CashAccount` and to plan sample sizes.
    """
    levels = np.array(edges)
    if (levels / ratio > MAX_FRACTION).any():
        raise EvidenceError("the closed form does not know the cap of half the free cash; use CashAccount")
    return float(np.exp(wins * np.log1p(levels) + losses * np.log1p(-levels / ratio)).mean())
