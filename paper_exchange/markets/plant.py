"""The edges of the planted symbols: how strong they are, and until when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from paper_exchange.errors import SetupError
from xtitan_core.clock import DAY

DEFAULT_PHI = 0.75
"""Momentum: an oracle wins 63.8 % of five-tick contracts bought one tick before the entry."""

DEFAULT_CONTRAST = 0.8
"""Volatility regimes: variances of 0.2 and 1.8 times the nominal one, standard deviations 1 : 3."""

DEFAULT_DRIFT = 0.15
"""Drift regimes: 0.15 standard deviations a tick."""

DEFAULT_MEMORY = 0.3
"""Digits: three in ten repeat."""


@dataclass(frozen=True, slots=True)
class Plant:
    """Parameters of the planted symbols.

    The strength multiplies every parameter: 1 for good by default, 0 from ``until`` on, halved every ``half_life``
    days after ``since``. Ticks before ``since`` have the whole edge, so a model may learn what then fades.

    Attributes:
        phi: autocorrelation of PLANTED_100's log returns.
        contrast: PLANTED_VOL_100's variances are ``1 - contrast`` and ``1 + contrast`` times the nominal one.
        drift: PLANTED_DRIFT_100's drift in standard deviations of a tick.
        memory: probability that PLANTED_DIGIT_100's last digit stays.
        until: first epoch without an edge, None for never.
        half_life: days in which the edges halve, None for never.
        since: epoch from which ``half_life`` counts.

    Raises:
        SetupError: for a parameter that is not possible.
    """

    phi: float = DEFAULT_PHI
    contrast: float = DEFAULT_CONTRAST
    drift: float = DEFAULT_DRIFT
    memory: float = DEFAULT_MEMORY
    until: int | None = None
    half_life: float | None = None
    since: int = 0

    def __post_init__(self) -> None:
        if not -1 < self.phi < 1:
            raise SetupError(f"an autocorrelation of {self.phi} is not possible; choose --planted-phi between -1 and 1")
        for name in ("contrast", "drift", "memory"):
            if not 0 <= getattr(self, name) < 1:
                raise SetupError(f"a {name} of {getattr(self, name)} is not possible; choose one in [0, 1)")
        if self.half_life is not None and not (math.isfinite(self.half_life) and self.half_life > 0):
            raise SetupError(
                f"a half-life of {self.half_life} days is not possible; choose a positive --edge-half-life"
            )

    def strength(self, epoch: int) -> float:
        """What is left of the edges at ``epoch``, in [0, 1]."""
        if self.until is not None and epoch >= self.until:
            return 0.0
        if self.half_life is None or epoch <= self.since:
            return 1.0
        return math.pow(0.5, (epoch - self.since) / (self.half_life * DAY))

    def strengths(self, begin: int, count: int, step: int) -> list[float] | None:
        """The strength at ``count`` ticks from ``begin`` on, ``step`` seconds apart; None when all are 1."""
        last = begin + (count - 1) * step
        if (self.until is None or last < self.until) and (self.half_life is None or last <= self.since):
            return None
        return [self.strength(epoch) for epoch in range(begin, last + 1, step)]
