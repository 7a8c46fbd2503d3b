"""Detects that a promoted edge has gone: the e-SR detector (Shin, Ramdas, Rinaldo: E-detectors).

While every trade still earns at least ``floor`` on average, whatever the dependence, the mean time to a false alarm
is at least ``threshold`` trades (optional stopping of M_t - t). Two levels are used on one champion:
*de-risk* (floor = the promoted edge) and *demote* (floor = half of it).
"""

from __future__ import annotations

import numpy as np

from xtitan_core.evidence.cash_account import EvidenceError, Outcome

ALTERNATIVES = (-0.064, -0.025, 0.0, 0.02375)
"""Edges after the change; at a payout ratio of .95 they are win rates of .48, .50, break-even and .525."""

EDGE_THRESHOLD = 200_000.0
"""One false alarm in 1,000 days of 200 trades, or fewer."""


class EdgeDetector:
    """Shiryaev-Roberts sums of likelihood ratios, one per alternative below the floor.

    Feed it settled trades that did not overlap, in order.

    Args:
        floor: smallest expected profit per unit of stake that is still fine.
        threshold: alarm level, in trades of mean time to a false alarm.
        alternatives: edges to detect; those at or above the floor are ignored.
    """

    def __init__(
        self, floor: float, *, threshold: float = EDGE_THRESHOLD, alternatives: tuple[float, ...] = ALTERNATIVES
    ) -> None:
        self._floor = floor
        self._threshold = threshold
        self._edges = np.array([e for e in alternatives if e < floor])
        if not len(self._edges) or self._edges.min() <= -1.0 or threshold <= 1.0:
            raise EvidenceError(f"needs an alternative in (-1, {floor}) and a threshold above 1, got {alternatives}")
        self._sums = np.zeros(len(self._edges))
        self._alarm = False

    def settled(self, ratio: float, outcome: Outcome) -> bool:
        """Add one trade; True when the alarm is on. A refund says nothing and changes nothing.

        Args:
            ratio: net profit per unit of stake on a win, at which it was bought.

        Raises:
            EvidenceError: when the floor is not below the ratio: no win rate could reach it.
        """
        if not self._floor < ratio:
            raise EvidenceError(f"a floor of {self._floor} cannot be earned at a payout ratio of {ratio}")
        if outcome is not Outcome.REFUNDED:
            if outcome is Outcome.WON:
                likelihood = (1.0 + self._edges) / (1.0 + self._floor)
            else:
                likelihood = (ratio - self._edges) / (ratio - self._floor)
            self._sums = (self._sums + 1.0) * likelihood
            self._alarm |= self.statistic >= self._threshold
        return self._alarm

    @property
    def statistic(self) -> float:
        """Mean of the sums; compare with the threshold."""
        return float(self._sums.mean())

    @property
    def alarm(self) -> bool:
        """True from the first crossing on."""
        return self._alarm
