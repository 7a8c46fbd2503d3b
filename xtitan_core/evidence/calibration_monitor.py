"""Are the predicted probabilities still true? An e-process against "every prediction is calibrated".

Mixture of wealths that bet on too high, too low, over- and under-confident predictions. Alarm at 1,000: a calibrated
model ever reaches it with probability at most 1/1,000, however often one looks.
"""

from __future__ import annotations

import numpy as np

from xtitan_core.evidence.cash_account import EvidenceError

LEVELS = (0.05, 0.1, 0.2, 0.4)
CALIBRATION_THRESHOLD = 1_000.0


class CalibrationMonitor:
    """Feed it settled predictions in order; predictions whose contracts overlap must be left out by the caller."""

    def __init__(self, threshold: float = CALIBRATION_THRESHOLD) -> None:
        bets = np.array([*LEVELS, *(-level for level in LEVELS)])
        self._log_wealth = np.zeros((2, len(bets)))
        self._bets = bets
        self._threshold = threshold
        self._alarm = False

    def settled(self, probability: float, break_even: float, won: bool) -> bool:
        """Add one prediction; True when the alarm is on.

        Args:
            probability: calibrated win probability, as predicted.
            break_even: win rate of zero expected value at the quote: confidence is the distance from it.

        Raises:
            EvidenceError: when a number is not a probability.
        """
        if not (0.0 <= probability <= 1.0 and 0.0 < break_even < 1.0):
            raise EvidenceError(f"not probabilities: {probability}, {break_even}")
        surprise = float(won) - probability
        direction = np.sign(probability - break_even)
        self._log_wealth[0] += np.log1p(self._bets * surprise)
        self._log_wealth[1] += np.log1p(self._bets * direction * surprise)
        self._alarm |= self.evidence >= self._threshold
        return self._alarm

    @property
    def evidence(self) -> float:
        """Mean wealth: evidence against calibration, infinite when beyond floating point."""
        top = float(self._log_wealth.max())
        with np.errstate(over="ignore"):
            return float(np.exp(top) * np.exp(self._log_wealth - top).mean())

    @property
    def alarm(self) -> bool:
        """True from the first crossing on."""
        return self._alarm
