"""What the planted edges are worth: the win rate of an oracle for each contract family, enumerated or in closed form.

The oracle knows a symbol's law and its state: the last return, the regime, the last digit. It decides at a tick, buys a
contract that enters ``delay`` ticks later, and only at the instants whose state favours it. No rule does better: given
the state, the past holds no more information about the future. Any other rule has to infer a regime from prices, so
there the figure is a bound; returns and digits can be read off the quotes.

Not counted are ties, and that a quote rounded to a pip is up to half a pip away: at PLANTED_100's start this takes up
to about half a point from a rise/fall rate. A fading edge is taken as it stands when the oracle decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from paper_exchange.errors import ExchangeError
from paper_exchange.markets.markov_walk import MarkovWalk
from paper_exchange.markets.plant import Plant
from paper_exchange.markets.regimes import DRIFT_TICKS, VOLATILITY_TICKS
from xtitan_core.contracts import (
    DIGITS,
    ENDS,
    HIGHER_LOWER,
    PREDICTIONS,
    RISE_FALL,
    STAYS,
    TOUCH,
    ContractType,
)
from xtitan_core.symbols import PLANTED_DIGIT, PLANTED_DRIFT, PLANTED_SYMBOL, PLANTED_VOLATILITY

MAX_TICKS = 300
"""Longest contract enumerated, ten minutes."""

_FAMILIES = {
    PLANTED_SYMBOL: RISE_FALL,
    PLANTED_VOLATILITY: TOUCH | STAYS | ENDS,
    PLANTED_DRIFT: RISE_FALL | HIGHER_LOWER | TOUCH,
    PLANTED_DIGIT: DIGITS,
}
_LOSING = {ContractType.NOTOUCH, ContractType.RANGE}
_OUTSIDE = {ContractType.EXPIRYMISS, ContractType.EXPIRYMISSE}
_CHOSEN = {ContractType.DIGITMATCH: 0.1, ContractType.DIGITDIFF: 0.9}
_FALL = {ContractType.PUT, ContractType.PUTE, ContractType.LOWER}


class OracleError(ExchangeError, ValueError):
    """A contract that does not exist, or on which the symbol has no edge."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """What the best possible rule wins with one contract.

    Attributes:
        win_rate: share of the contracts it buys that win.
        share: share of all instants at which it buys.
        priced: the probability a house without its knowledge prices the contract with.
    """

    win_rate: float
    share: float
    priced: float


def oracle(
    symbol: str,
    contract_type: ContractType,
    ticks: int,
    plant: Plant | None = None,
    *,
    barrier: float | None = None,
    barrier2: float | None = None,
    digit: int | None = None,
    delay: int = 1,
    strength: float = 1.0,
) -> Oracle:
    """The oracle of one contract on a planted symbol.

    Args:
        symbol: name of the planted symbol.
        contract_type: of a family the symbol has an edge in.
        ticks: duration in ticks.
        plant: its parameters.
        barrier: distance from the entry in tick standard deviations; the upper one where there are two.
        barrier2: the lower one, negative.
        digit: prediction of a digit contract; left out of DIGITMATCH and DIGITDIFF, the oracle chooses.
        delay: ticks from decision to entry.
        strength: what is left of the edge, see :meth:`Plant.strength`.

    Raises:
        OracleError: for a contract that does not exist, or on which the symbol has no edge.
    """
    plant = plant or Plant()
    if symbol not in _FAMILIES:
        raise OracleError(f"{symbol!r} has no planted edge; choose one of {', '.join(_FAMILIES)}")
    if contract_type not in _FAMILIES[symbol]:
        offered = ", ".join(sorted(_FAMILIES[symbol]))
        raise OracleError(f"{symbol} has no edge in {contract_type}; choose one of {offered}")
    if not 1 <= ticks <= MAX_TICKS or delay < 1:
        raise OracleError(f"ticks must lie in 1 to {MAX_TICKS} and delay be positive: got {ticks} and {delay}")
    if symbol == PLANTED_DIGIT and (barrier, barrier2) != (None, None):
        raise OracleError(f"{contract_type} takes no barrier")
    if symbol != PLANTED_DIGIT and digit is not None:
        raise OracleError(f"{contract_type} takes no digit")
    if symbol == PLANTED_SYMBOL:
        _barriers(contract_type, barrier, barrier2)
        return Oracle(momentum_win_rate(plant.phi * strength, ticks, delay), 0.5, 0.5)
    if symbol == PLANTED_DIGIT:
        return _digits(contract_type, plant.memory * strength, delay + ticks - 1, digit)
    if symbol == PLANTED_VOLATILITY:
        contrast = plant.contrast * strength
        walk = MarkovWalk((0.0, 0.0), (math.sqrt(1 - contrast), math.sqrt(1 + contrast)), 1 / VOLATILITY_TICKS)
    else:
        drift = plant.drift * strength
        deviation = math.sqrt(1 - drift * drift)
        walk = MarkovWalk((-drift, drift), (deviation, deviation), 1 / DRIFT_TICKS)
    high, low = _barriers(contract_type, barrier, barrier2)
    rates = [
        _win(walk, walk.later(state, delay), contract_type, ticks, high, low) for state in ((1.0, 0.0), (0.0, 1.0))
    ]
    nominal = MarkovWalk((0.0, 0.0), (1.0, 1.0), 0.0)
    return Oracle(max(rates), 0.5, _win(nominal, (1.0, 0.0), contract_type, ticks, high, low))


def momentum_win_rate(phi: float, ticks: int, delay: int = 1) -> float:
    """Win rate of the oracle on a rise/fall contract counted in ticks, when log returns follow an AR(1).

    The contract bought after tick ``k`` enters at tick ``k+delay`` (1 when the purchase happens before the next tick)
    and exits ``ticks`` later, so it wins on the sign of ``R = r[k+delay+1] + ... + r[k+delay+ticks]``. Given ``r[k]``,
    R is normal with mean ``m*r[k]`` and residual standard deviation ``s`` (both in units of sigma), hence the win rate
    is ``1/2 + arctan(m/s)/pi``.

    Args:
        phi: autocorrelation of the returns, in (-1, 1).
        ticks: duration in ticks, at least 1.
        delay: ticks between the decision and the entry, at least 1.

    Raises:
        OracleError: for arguments outside those ranges.
    """
    if not -1 < phi < 1 or ticks < 1 or delay < 1:
        raise OracleError(f"phi must lie in (-1, 1), ticks and delay must be positive: got {phi}, {ticks}, {delay}")
    m = sum(phi ** (delay + j) for j in range(1, ticks + 1))
    variance = ticks + 2 * sum((ticks - lag) * phi**lag for lag in range(1, ticks))
    s = math.sqrt(variance - m * m)
    return 0.5 + math.atan(abs(m) / s) / math.pi


def _digits(contract_type: ContractType, memory: float, steps: int, digit: int | None) -> Oracle:
    """Each digit is the one ``steps`` ticks before with probability ``memory**steps`` and uniform else."""
    if contract_type not in PREDICTIONS:
        if digit is not None:
            raise OracleError(f"{contract_type} takes no digit")
        priced = share = 0.5
    elif digit is None and contract_type in _CHOSEN:
        priced, share = _CHOSEN[contract_type], 1.0
    elif digit is None or digit not in PREDICTIONS[contract_type]:
        possible = PREDICTIONS[contract_type]
        raise OracleError(f"{contract_type} takes a digit from {possible[0]} to {possible[-1]}, not {digit}")
    else:
        winning = {
            ContractType.DIGITMATCH: 1,
            ContractType.DIGITDIFF: 9,
            ContractType.DIGITOVER: 9 - digit,
            ContractType.DIGITUNDER: digit,
        }
        priced = share = winning[contract_type] / 10
    return Oracle(priced + memory**steps * (1 - priced), share, priced)


def _barriers(kind: ContractType, barrier: float | None, barrier2: float | None) -> tuple[float, float]:
    """Upper and lower level in tick standard deviations from the entry; infinite where there is none."""
    given = [value for value in (barrier, barrier2) if value is not None]
    if not all(map(math.isfinite, given)):
        raise OracleError(f"barriers must be finite, not {given}")
    wanted = 0 if kind in RISE_FALL else 1 if kind in TOUCH | HIGHER_LOWER else 2
    if len(given) != wanted or (wanted == 1 and barrier is None):
        raise OracleError(f"{kind} takes {wanted} barriers (in tick standard deviations), not {len(given)}")
    if kind in RISE_FALL | HIGHER_LOWER:
        return barrier or 0.0, -math.inf
    if kind in TOUCH:
        if not barrier:
            raise OracleError(f"{kind} needs a barrier away from the entry")
        return (barrier, -math.inf) if barrier > 0 else (math.inf, barrier)
    high, low = given
    if not low < 0 < high:
        raise OracleError(f"{kind} needs a barrier above the entry and a barrier2 below it, not {high} and {low}")
    return high, low


def _win(
    walk: MarkovWalk, start: tuple[float, float], kind: ContractType, ticks: int, high: float, low: float
) -> float:
    if kind in RISE_FALL | HIGHER_LOWER:
        above = walk.above(start, ticks, high)
        return 1 - above if kind in _FALL else above
    if kind in ENDS:
        inside = walk.above(start, ticks, low) - walk.above(start, ticks, high)
        return 1 - inside if kind in _OUTSIDE else inside
    stays = walk.stays(start, ticks, low, high)
    return stays if kind in _LOSING else 1 - stays
