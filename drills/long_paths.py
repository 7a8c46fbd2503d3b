"""Upper bounds of the chance to win on paths of ten thousand ticks and more.

A path that stays inside at every tick also stays inside at every hundredth tick and at the first ten thousand, and
those chances are quick to compute. A path that touches at a tick also touches in continuous time, for which there is a
formula. Either way a barrier moves by less than ``0.6 / sqrt(looks)`` of the path's standard deviation, which is worth
less than any commission.
"""

from __future__ import annotations

import math
from functools import cache

from drills.rounded_law import Law
from xtitan_core.contracts import ContractType
from xtitan_core.prices.closed_form import stay_inside_probability, touch_probability

SPARSE_LOOKS = 6_000
"""How many looks of a longer path are followed."""

CLOSE_LOOKS = 10_000
"""How many looks from the start are followed one by one."""

_WITHIN = (-0.4, -0.2, 0.0, 0.2, 0.4)
"""Where inside the pip of the first quote the unrounded price may lie, in pips."""


@cache
def sparse(law: Law, every: int) -> Law:
    """The law of every ``every``-th tick. It is cached, because it keeps the tables it has computed."""
    return Law(law.sigma * math.sqrt(every))


def at_most(kind: ContractType, law: Law, quote: int, looks: int, levels: tuple[int, ...]) -> float:
    """Upper bound of the probability of winning a touch or stay contract.

    Args:
        quote: the quote that the ``looks`` ticks follow, in pips.
        looks: ticks that count.
        levels: barriers in pips, the upper one first.
    """
    first = levels[0]
    if kind in (ContractType.NOTOUCH, ContractType.RANGE):
        every = -(-looks // SPARSE_LOOKS)
        seldom, followed = sparse(law, every), looks // every
        if kind is ContractType.RANGE:
            return seldom.stays_between(quote, first, levels[1], followed)
        # A barrier one pip away is nearly always reached before the first sparse look, so the start is followed too.
        chances = [
            (one.stays_below if first > quote else one.stays_above)(quote, first, (count,))[count]
            for one, count in ((seldom, followed), (law, min(looks, CLOSE_LOOKS)))
        ]
        return min(chances)
    sigma, total = law.sigma * math.sqrt(looks), 0.0
    for place in _WITHIN:
        if kind is ContractType.UPORDOWN:
            up, down = math.log((first - 0.5) / (quote + place)), math.log((quote + place) / (levels[1] + 0.5))
            total += 1 - stay_inside_probability(up, down, sigma)
        elif first > quote:
            total += touch_probability(math.log((first - 0.5) / (quote + place)), sigma, above=True)
        else:
            total += touch_probability(math.log((quote + place) / (first + 0.5)), sigma, above=False)
    return total / len(_WITHIN)
