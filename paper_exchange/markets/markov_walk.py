"""A Gaussian walk whose mean and standard deviation follow a two-state Markov chain: exact probabilities.

Steps are in standard deviations of a tick. Before each step the chain changes state with probability ``change``; the
step is then normal with the new state's mean and deviation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

FAR = 8.0
"""A side without a barrier is cut this many standard deviations of the whole walk away; beyond lies less than 1e-14."""


@dataclass(frozen=True, slots=True)
class MarkovWalk:
    """The walk's parameters.

    Attributes:
        means: mean of a step in each state.
        deviations: standard deviation of a step in each state, positive.
        change: probability that the state changes before a step, in [0, 1].
    """

    means: tuple[float, float]
    deviations: tuple[float, float]
    change: float

    def later(self, start: tuple[float, float], steps: int) -> tuple[float, float]:
        """State probabilities ``steps`` steps after ``start``."""
        kept = math.pow(1 - 2 * self.change, steps)
        middle, away = (start[0] + start[1]) / 2, (start[0] - start[1]) / 2
        return middle + away * kept, middle - away * kept

    def above(self, start: tuple[float, float], ticks: int, level: float) -> float:
        """Probability that the walk is above ``level`` after ``ticks`` steps.

        Given how many of the steps were made in state 1, the sum is normal; that number's law is a recursion.
        """
        # counts[s, k]: in state s after the steps so far, k of which were made in state 1.
        counts = np.zeros((2, ticks + 1))
        counts[0, 0], counts[1, 0] = start
        for _ in range(ticks):
            moved = (1 - self.change) * counts + self.change * counts[::-1]
            counts[0] = moved[0]
            counts[1, 1:], counts[1, 0] = moved[1, :-1], 0.0
        total = 0.0
        for wild, weight in enumerate(counts.sum(axis=0).tolist()):
            mean = (ticks - wild) * self.means[0] + wild * self.means[1]
            variance = (ticks - wild) * self.deviations[0] ** 2 + wild * self.deviations[1] ** 2
            total += weight * math.erfc((level - mean) / math.sqrt(2 * variance)) / 2
        return total

    def stays(self, start: tuple[float, float], ticks: int, low: float, high: float) -> float:
        """Probability that every one of ``ticks`` steps ends strictly between ``low`` < 0 and ``high`` > 0.

        A recursion of the density on Gauss-Legendre nodes, which is exact to rounding since the kernels are smooth.
        Either side may be infinite.
        """
        far = FAR * max(self.deviations) * math.sqrt(ticks) + ticks * max(map(abs, self.means))
        low, high = max(low, -far), min(high, far)
        nodes = math.ceil(5 * (high - low) / min(self.deviations)) + 16
        at, weights = np.polynomial.legendre.leggauss(nodes)
        at, weights = low + (high - low) * (at + 1) / 2, weights * (high - low) / 2
        first = self.later(start, 1)
        density = [first[s] * _normal(at - self.means[s], self.deviations[s]) for s in (0, 1)]
        kernels = [_normal(at[:, None] - at[None, :] - self.means[s], self.deviations[s]) * weights for s in (0, 1)]
        for _ in range(ticks - 1):
            moved = [(1 - self.change) * density[s] + self.change * density[1 - s] for s in (0, 1)]
            density = [kernels[s] @ moved[s] for s in (0, 1)]
        return float(weights @ (density[0] + density[1]))


def _normal(x: Vector, deviation: float) -> Vector:
    density: Vector = np.exp(-x * x / (2 * deviation * deviation)) / (deviation * math.sqrt(2 * math.pi))
    return density
