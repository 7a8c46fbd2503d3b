"""What the planted market is worth: the win rate of an oracle, in closed form.

PLANTED_100's log returns follow ``r[t+1] = phi*r[t] + sigma*sqrt(1-phi^2)*e[t]`` with Gaussian ``e``: every return has
variance sigma squared (the nominal volatility of the symbol), and the sign of the last return predicts the next ones.
An oracle that knows ``phi`` buys CALL after a positive last return and PUT after a negative one. No rule does better:
the process is Markov in its last return and symmetric.
"""

from __future__ import annotations

import math

DEFAULT_PHI = 0.75
"""63.8 % for five ticks bought one tick before the entry."""


def planted_oracle(phi: float, ticks: int, delay: int = 1) -> float:
    """Win rate of the oracle on a rise/fall contract counted in ticks.

    The contract bought after tick ``k`` enters at tick ``k+delay`` (1 when the purchase happens before the next tick)
    and exits ``ticks`` later, so it wins on the sign of ``R = r[k+delay+1] + ... + r[k+delay+ticks]``. Given ``r[k]``,
    R is normal with mean ``m*r[k]`` and residual standard deviation ``s`` (both in units of sigma), hence the win rate
    is ``1/2 + arctan(m/s)/pi``. Ties, which lose, are not counted: quotes rounded to a pip take away up to about half
    a point.

    Args:
        phi: autocorrelation of the returns, in (-1, 1).
        ticks: duration in ticks, at least 1.
        delay: ticks between the decision and the entry, at least 1.

    Raises:
        ValueError: for arguments outside those ranges.
    """
    if not -1 < phi < 1 or ticks < 1 or delay < 1:
        raise ValueError(f"phi must lie in (-1, 1), ticks and delay must be positive: got {phi}, {ticks}, {delay}")
    m = sum(phi ** (delay + j) for j in range(1, ticks + 1))
    variance = ticks + 2 * sum((ticks - lag) * phi**lag for lag in range(1, ticks))
    s = math.sqrt(variance - m * m)
    return 0.5 + math.atan(abs(m) / s) / math.pi
