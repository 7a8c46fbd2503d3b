"""The true odds of a fixed-payout contract on rounded quotes, computed without the code that prices contracts.

The logarithm of an unrounded price makes independent normal steps. Quotes, and settlement, are that price rounded to a
pip. A tick moves the price by several pips, so the unrounded price is taken to be uniform within the pip of a quote.
Levels and quotes are whole pips here: "reaches 64,010" means "the unrounded price is at or above 64,009.5".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

_WITHIN, _WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(5))
"""Places within the pip of the first quote, and their weights."""

_KERNEL = 8.5
"""Tick standard deviations beyond which a step is ignored (probability 1e-17)."""

COARSE_FROM, COARSEST_FROM = 60, 20_000
"""Looks from which a coarser grid is used: the grid's error is a smaller part of a longer path."""


@dataclass(frozen=True)
class Law:
    """One tick's log return.

    Attributes:
        sigma: standard deviation of its normal part.
        jump_rate: probability of a jump in a tick.
        jump_sigma: standard deviation of a jump's log size, normal.
    """

    sigma: float
    jump_rate: float = 0.0
    jump_sigma: float = 0.0
    _tables: dict[object, Floats] = field(default_factory=dict, compare=False, repr=False)

    @property
    def drift(self) -> float:
        """Mean of one tick's log return: the price is a martingale."""
        return -(self.sigma**2) / 2 - math.log1p(self.jump_rate * math.expm1(self.jump_sigma**2 / 2))

    def above(self, quote: int, threshold: float, ticks: int) -> float:
        """Probability that the unrounded price lies above ``threshold`` (in pips) after ``ticks`` from ``quote``."""
        if threshold <= 0:
            return 1.0
        return sum(
            chance * float(_WEIGHTS @ _cdf((np.log((quote + _WITHIN) / threshold) + ticks * self.drift) / spread))
            for spread, chance in self._spreads(ticks)
        )

    def _spreads(self, ticks: int) -> Iterable[tuple[float, float]]:
        """(standard deviation of the log return, probability) by number of jumps."""
        for jumps, chance in self._jumps(ticks):
            yield math.sqrt(ticks * self.sigma**2 + jumps * self.jump_sigma**2), chance

    def _jumps(self, ticks: int) -> Iterable[tuple[int, float]]:
        if not self.jump_rate:
            return [(0, 1.0)]
        q, found, k = self.jump_rate, [], 0
        log_chance = ticks * math.log1p(-q)
        mode = ticks * q
        while k <= ticks:
            if log_chance > -45:
                found.append((k, math.exp(log_chance)))
            elif k > mode:
                break
            log_chance += math.log((ticks - k) * q / ((k + 1) * (1 - q))) if k < ticks else 0.0
            k += 1
        return found

    def last_digits(self, quote: int, ticks: int) -> Floats:
        """Probability of each last digit after ``ticks`` from ``quote``, shape (10,)."""
        key = ("digits", quote, ticks)
        if key not in self._tables:
            digits = np.zeros(10)
            for spread, chance in self._spreads(ticks):
                if (
                    spread * quote > 100
                ):  # wider than 100 pips: the digits are equally likely to within a float's precision
                    digits += chance / 10
                    continue
                reach = math.ceil(9 * spread * quote) + 10
                pips = np.arange(max(1, quote - reach), quote + reach + 1)
                edges = np.append(pips - 0.5, pips[-1] + 0.5)
                moved = (np.log((quote + _WITHIN)[:, None] / edges[None, :]) + ticks * self.drift) / spread
                above = _WEIGHTS @ _cdf(moved.ravel()).reshape(moved.shape)
                digits += chance * np.bincount(pips % 10, weights=above[:-1] - above[1:], minlength=10)
            self._tables[key] = digits
        return self._tables[key]

    def stays_below(self, quote: int, level: int, looks: Iterable[int]) -> dict[int, float]:
        """Probability that no quote reaches ``level`` above, for each number of looks."""
        return self._one_sided(np.log((level - 0.5) / (quote + _WITHIN)), -self.drift, tuple(looks))

    def stays_above(self, quote: int, level: int, looks: Iterable[int]) -> dict[int, float]:
        """Probability that no quote reaches ``level`` below, for each number of looks."""
        return self._one_sided(np.log((quote + _WITHIN) / (level + 0.5)), self.drift, tuple(looks))

    def stays_between(self, quote: int, upper: int, lower: int, looks: int) -> float:
        """Probability that no quote reaches either level."""
        width = math.log((upper - 0.5) / (lower + 0.5)) / self.sigma
        places = np.log((quote + _WITHIN) / (lower + 0.5)) / self.sigma
        if width <= 0 or places[0] <= 0 or places[-1] >= width:
            return 0.0
        drift = self.drift / self.sigma
        found = []
        for step in _grids(looks):
            cells = max(8, math.ceil(width / step))
            h = width / cells
            alive = _survival((looks - 1,), cells, h, drift, open_end=False)[looks - 1]
            found.append(float(_WEIGHTS @ _one_more_look(alive, h, drift, places, open_end=False)))
        return _extrapolated(found)

    def _one_sided(self, distances: Floats, drift: float, looks: tuple[int, ...]) -> dict[int, float]:
        """``distances``: from the barrier, in logarithms; ``drift``: away from it."""
        places, mean = distances / self.sigma, drift / self.sigma
        found: dict[int, float] = {}
        for n in looks:
            if places[0] <= 0 or places[-1] <= 0:
                found[n] = 0.0
                continue
            estimates = []
            for h in _grids(n):
                alive = self._table(n - 1, h, mean, looks)
                estimates.append(float(_WEIGHTS @ _one_more_look(alive, h, mean, places, open_end=True)))
            found[n] = _extrapolated(estimates)
        return found

    def _table(self, count: int, h: float, mean: float, looks: tuple[int, ...]) -> Floats:
        key = (count, h, mean)
        if key not in self._tables:
            wanted = [n - 1 for n in looks if h in _grids(n)]
            cells = math.ceil((6.5 * math.sqrt(max(wanted) + 1) + _KERNEL) / h)
            for k, alive in _survival(wanted, cells, h, mean, open_end=True).items():
                self._tables[k, h, mean] = alive
        return self._tables[key]


def _grids(looks: int) -> tuple[float, ...]:
    if looks < COARSE_FROM:
        return (1 / 16, 1 / 32)
    return (1 / 8,) if looks < COARSEST_FROM else (1 / 2,)


def _extrapolated(estimates: list[float]) -> float:
    """Richardson extrapolation: the midpoint rule's error is proportional to the square of the step."""
    return estimates[0] if len(estimates) == 1 else (4 * estimates[1] - estimates[0]) / 3


def _survival(counts: Iterable[int], cells: int, h: float, drift: float, *, open_end: bool) -> dict[int, Floats]:
    """Probability of surviving ``count`` more looks from the middle of each cell, for each count.

    One look is a correlation with the normal density. Outside the cells survival is 0, except beyond an open end, where
    it is 1.
    """
    reach = math.ceil(_KERNEL / h)
    size = _transform_length(cells + 2 * reach)
    offsets = np.arange(-reach, reach + 1)
    kernel = np.zeros(size)
    kernel[offsets % size] = _density(offsets * h - drift) * h
    transform = np.conj(np.fft.rfft(kernel))
    space = np.zeros(size)
    inside = slice(reach, reach + cells)
    space[inside] = 1.0
    if open_end:
        space[reach + cells : 2 * reach + cells] = 1.0
    kept: dict[int, Floats] = {}
    wanted = set(counts)
    for k in range(max(wanted) + 1):
        if k in wanted:
            kept[k] = space[inside].copy()
        space[inside] = np.fft.irfft(np.fft.rfft(space) * transform, size)[inside]
    return kept


@cache
def _transform_length(least: int) -> int:
    """The smallest length of at least ``least`` with no prime factor above 5: what a Fourier transform is quickest at."""
    length = least
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1


def _one_more_look(alive: Floats, h: float, drift: float, places: Floats, *, open_end: bool) -> Floats:
    cells = (np.arange(len(alive)) + 0.5) * h
    survived = _density(cells[None, :] - places[:, None] - drift) @ alive * h
    return survived + _cdf(places + drift - len(alive) * h) if open_end else survived


def _density(x: Floats) -> Floats:
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _cdf(x: Floats) -> Floats:
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x.tolist()])
