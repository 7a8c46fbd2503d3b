"""A Gaussian walk whose mean and standard deviation follow a two-state Markov chain: exact probabilities.

Steps are in standard deviations of a tick. Before each step the chain changes state with probability ``change``; the
step is then normal with the new state's mean and deviation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

FAR = 8.0
"""A side without a barrier is cut this many standard deviations of the whole walk away; beyond lies less than 1e-14."""

REACH = 9.0
"""Standard deviations that a step is followed for: a longer one has a density of 1e-18 of the middle's."""

BLOCK = 64
"""Nodes whose steps are worked out together: few enough that most of what is out of reach is left out."""


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
        at, weights = _nodes(math.ceil(5 * (high - low) / min(self.deviations)) + 16)
        at, weights = low + (high - low) * (at + 1) / 2, weights * (high - low) / 2
        first = self.later(start, 1)
        density = [first[s] * _normal(at - self.means[s], self.deviations[s]) for s in (0, 1)]
        kernels = [self._kernel(s, at, weights) for s in (0, 1)] if ticks > 1 else []
        for _ in range(ticks - 1):
            moved = [(1 - self.change) * density[s] + self.change * density[1 - s] for s in (0, 1)]
            density = [np.concatenate([k @ moved[s][near] for near, k in kernels[s]]) for s in (0, 1)]
        return float(weights @ (density[0] + density[1]))

    def _kernel(self, state: int, at: Vector, weights: Vector) -> list[tuple[slice, Vector]]:
        """Density of a step from each node to each, by blocks of nodes: which ones a block is reached from, and it."""
        reach = REACH * self.deviations[state] + abs(self.means[state])
        blocks = []
        for rows in np.split(at, range(BLOCK, len(at), BLOCK)):
            begin, end = np.searchsorted(at, (rows[0] - reach, rows[-1] + reach))
            near = slice(int(begin), int(end))
            step = rows[:, None] - at[None, near] - self.means[state]
            blocks.append((near, _normal(step, self.deviations[state]) * weights[near]))
        return blocks


@lru_cache(64)
def _nodes(count: int) -> tuple[Vector, Vector]:
    """Nodes and weights of Gauss-Legendre, both of shape (count,), on [-1, 1].

    Newton's method on the Legendre polynomial: numpy's ``leggauss`` looks for the eigenvalues of a full matrix, which
    takes seconds for the thousand nodes of a long walk.
    """
    k = np.arange(1, count + 1)
    at = np.cos(np.pi * (count - k + 0.75) / (count + 0.5)) * (1 - (count - 1) / (8 * count**3))
    while True:
        before, value = np.ones(count), at
        for j in range(2, count + 1):
            before, value = value, ((2 * j - 1) * at * value - (j - 1) * before) / j
        slope = count * (at * value - before) / (at * at - 1)
        step = value / slope
        at = at - step
        if np.abs(step).max() < 1e-14:
            return at, 2 / ((1 - at * at) * slope * slope)


def _normal(x: Vector, deviation: float) -> Vector:
    density: Vector = np.exp(-x * x / (2 * deviation * deviation)) / (deviation * math.sqrt(2 * math.pi))
    return density
