"""Barriers that are looked at once a tick: a price stays inside them more often than when it is watched all the time.

Everything here is in units of one tick's standard deviation: each tick adds a normal step with standard deviation one
and mean ``drift`` (a martingale's is ``-sigma_tick / 2``).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from xtitan_core.prices.closed_form import normal_cdf

EXACT_BELOW_TICKS = 60
"""From this many ticks on, the closed form with shifted barriers is used (Broadie, Glasserman and Kou)."""

BGK_SHIFT = 0.5825971579390107
"""-zeta(1/2) / sqrt(2 pi): how far, in tick standard deviations, watching only at ticks moves a barrier away."""

_SHIFT_SETTLES = 12.0
"""Distance of a barrier in tick standard deviations beyond which the shift is ``BGK_SHIFT`` (to 1e-13)."""

_REACH = 7.0
"""Standard deviations of the whole path beyond which a barrier is as good as absent (2e-12)."""

_Floats = npt.NDArray[np.float64]


def stay_probability(ticks: int, up: float, down: float, drift: float) -> float:
    """Probability that each of ``ticks`` normal steps ends strictly inside ``(-down, up)``.

    The density of the paths still inside is carried from tick to tick by Gauss-Legendre quadrature: exact to 1e-9,
    because the normal kernel is smooth over the whole interval.

    Args:
        ticks: number of looks after the start; none is always inside.
        up, down: distances of the barriers in tick standard deviations, infinite where there is none.
        drift: mean of one step.

    Returns:
        The probability; 0 when a barrier lies at the start or behind it.
    """
    if up <= 0 or down <= 0:
        return 0.0
    reach = _REACH * math.sqrt(max(ticks, 1)) + abs(drift) * ticks
    return _stay(ticks, round(min(up, reach), 9), round(min(down, reach), 9), drift)


@lru_cache(maxsize=65_536)
def _stay(ticks: int, up: float, down: float, drift: float) -> float:
    if ticks <= 0:
        return 1.0
    if ticks == 1:
        return normal_cdf(up - drift) - normal_cdf(-down - drift)
    width = up + down
    unit_nodes, unit_weights = _legendre(_node_count(width))
    nodes = (unit_nodes + 1) * (width / 2) - down
    weights = unit_weights * (width / 2 / math.sqrt(2 * math.pi))
    # The last step in closed form, the first from the single start point; what is left are ticks - 2 products.
    alive = np.array([normal_cdf(up - x - drift) - normal_cdf(-down - x - drift) for x in nodes.tolist()])
    if ticks > 2:
        step = np.exp(-0.5 * (nodes[None, :] - nodes[:, None] - drift) ** 2) * weights
        for _ in range(ticks - 2):
            alive = step @ alive
    return min(1.0, float((np.exp(-0.5 * (nodes - drift) ** 2) * weights) @ alive))


def barrier_shift(distance: float) -> float:
    """How far watching only at ticks moves a barrier away that lies ``distance`` tick standard deviations off.

    It is ``BGK_SHIFT`` for any barrier more than a few ticks' moves away. Close to the start it grows, to sqrt(1/2) at
    it: there the constant understates the chance to stay by a point of probability at sixty ticks, more than a
    commission. The distance plus its shift is harmonic for a Gaussian walk killed at the barrier.
    """
    if distance >= _SHIFT_SETTLES:
        return BGK_SHIFT
    nodes, weights, excess = _shift_table()
    kernel = np.exp(-0.5 * (nodes - distance) ** 2) * weights
    return BGK_SHIFT + float(kernel @ excess) + _shift_source(max(distance, 0.0))


@lru_cache(maxsize=1)
def _shift_table() -> tuple[_Floats, _Floats, _Floats]:
    """The excess g of the shift over its limit solves g = K g + source, K the normal kernel on the positive half."""
    unit_nodes, unit_weights = _legendre(_node_count(_SHIFT_SETTLES))
    nodes = (unit_nodes + 1) * (_SHIFT_SETTLES / 2)
    weights = unit_weights * (_SHIFT_SETTLES / 2 / math.sqrt(2 * math.pi))
    kernel = np.exp(-0.5 * (nodes[None, :] - nodes[:, None]) ** 2) * weights
    source = np.array([_shift_source(x) for x in nodes.tolist()])
    return nodes, weights, np.linalg.solve(np.eye(len(nodes)) - kernel, source)


def _shift_source(x: float) -> float:
    """What one step of the walk adds to ``x + BGK_SHIFT``: E[(x + Z + shift) 1(x + Z > 0)] less ``x + shift``."""
    return math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) - (x + BGK_SHIFT) * normal_cdf(-x)


def _node_count(width: float) -> int:
    return 16 + 4 * math.ceil(width * 0.4)


@lru_cache(maxsize=256)
def _legendre(count: int) -> tuple[_Floats, _Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights
