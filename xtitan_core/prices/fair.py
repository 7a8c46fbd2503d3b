"""The win probability the house prices with.

Quotes are rounded to a pip, so a level on the pip grid is reached half a pip before the unrounded price gets there.
The house charges for that half pip where equality wins and gives no credit for it where equality loses (recorded: an
R_100 one-tick CALL at c = .0201 pays 19.23, not the 19.70 that ties would justify). A contract taken back is priced
at the level as it stands, and not above what it is worth.

On a market that moves by a few pips a tick, quotes tell something about where in its pip the unrounded price lies:
after a rise it is more often in the lower half. A buyer who tracks this could win twice the commission, so there the
house assumes the worst case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from xtitan_core.contracts import (
    DIGITS,
    ENDS,
    HIGHER_LOWER,
    RISE_FALL,
    STAYS,
    WINS_ON_EQUALITY,
    Contract,
    ContractType,
    wins,
)
from xtitan_core.prices.closed_form import (
    DIGITS_FORGET_BEYOND_PIPS,
    digit_probability,
    end_above_probability,
    jump_end_above_probability,
    last_digit_moves,
    rise_fall_probability,
    stay_inside_probability,
)
from xtitan_core.prices.discrete import EXACT_BELOW_TICKS, barrier_shift, stay_probability
from xtitan_core.prices.quotes import PriceError

Monitoring = Literal["discrete", "continuous"]
Levels = Literal["charged", "plain", "true", "kept"]

POSITION_SHOWN = 0.25
"""How far from the middle of its pip the price can be seen to lie, in pips, times a tick's deviation in pips: a move of
``d`` deviations ``s`` tilts the price's density in its pip by ``d/s``, which moves the mean by ``d/s/12``; ``d`` is
3."""

_UPWARD = frozenset({ContractType.CALL, ContractType.CALLE, ContractType.HIGHER})
_OUTSIDE = frozenset({ContractType.UPORDOWN, ContractType.EXPIRYMISS, ContractType.EXPIRYMISSE, ContractType.ONETOUCH})


def steps_from_spot(contract: Contract, *, start: int, last_tick: int, tick_seconds: int) -> int:
    """Ticks that a contract bought at ``start`` is monitored for, counted so that ``fair_probability`` may start from
    the last quote before the purchase.

    Relative barriers move with the entry tick, so only the ticks after the entry count. An absolute level stays
    where it is while the price moves on to the entry tick, and that tick is observed: it counts too.

    Args:
        contract: relative or absolute; digits are not priced by their ticks.
        start: purchase second.
        last_tick: epoch of the last quote at or before ``start``.
        tick_seconds: seconds between ticks; ticks are expected at ``last_tick`` plus its multiples.
    """
    if contract.in_ticks:
        return contract.duration + contract.absolute
    upto_end = (start + contract.seconds - last_tick) // tick_seconds
    before_entry = (start - last_tick) // tick_seconds  # ticks that should have come before the purchase: normally 0
    return max(0, upto_end - before_entry - (not contract.absolute))


def fair_probability(
    contract_type: ContractType,
    *,
    sigma_tick: float,
    ticks: float,
    upper: float | None = None,
    lower: float | None = None,
    spot: float,
    pip: float,
    digit: int | None = None,
    monitoring: Monitoring = "discrete",
    levels: Levels = "charged",
    jumps_per_tick: float = 0.0,
    jump_sigma: float = 0.0,
) -> float:
    """Win probability of a contract.

    A digit contract is priced in tenths, unless the price has fallen so low that the next last digit depends on this
    one: then the likelier digits are charged for.

    Args:
        contract_type: any type.
        sigma_tick: standard deviation of one tick's log return.
        ticks: ticks still to come that count (see ``steps_from_spot``). It may be a fraction where only the end
            counts, and from ``EXACT_BELOW_TICKS`` on.
        upper, lower: levels. HIGHER and LOWER take ``upper``; a touch contract the one on its barrier's side; CALL,
            PUT, CALLE and PUTE none for a contract not yet bought, their entry quote as ``upper`` afterwards.
        spot: the last quote (the entry quote for relative barriers).
        pip: the price increment.
        digit: the predicted last digit.
        monitoring: "continuous" only to simulate a house that prices as if it watched between ticks.
        levels: "charged" moves a level half a pip towards winning where equality wins and leaves it elsewhere (what
            the house asks with); "plain" leaves all as they stand; "true" puts them where rounding puts them; "kept"
            is less than true where quotes show the price's place in its pip, and "charged" is more.
        jumps_per_tick, jump_sigma: expected jumps in a tick, and the standard deviation of one's log size.

    Raises:
        PriceError: when a level is missing, or a path contract has jumps or a fraction of fewer than 60 ticks.
    """
    if contract_type in DIGITS:
        return _digits(contract_type, digit, spot / pip, sigma_tick, max(ticks, 0.0), levels)
    end = _End(spot, sigma_tick * math.sqrt(max(ticks, 0.0)), jumps_per_tick * ticks, jump_sigma)
    shown = _shown(spot / pip * sigma_tick) if pip else 0.0
    if contract_type in RISE_FALL and upper is None:
        if levels in ("charged", "plain") and not jumps_per_tick:
            return _at_the_money(contract_type, end.sigma, spot, pip, 0.5 + shown if levels == "charged" else 0.0)
        upper = spot
    half = _towards_winning(contract_type, levels, shown) * pip
    if contract_type in RISE_FALL | HIGHER_LOWER:
        if upper is None:
            raise PriceError(f"{contract_type} needs its barrier")
        return end.above(upper - half) if contract_type in _UPWARD else 1.0 - end.above(upper + half)
    low, high = _range(contract_type, lower, upper, half)
    if contract_type in ENDS:
        inside = max(0.0, end.above(low) - end.above(high))
    elif jumps_per_tick:
        raise PriceError(f"{contract_type} is not priced on a market with jumps")
    else:
        inside = _stay(high / spot, low / spot, sigma_tick, ticks, monitoring)
    return 1.0 - inside if contract_type in _OUTSIDE else inside


def bid_probability(
    contract_type: ContractType,
    *,
    sigma_tick: float,
    ticks: float,
    upper: float | None = None,
    lower: float | None = None,
    spot: float,
    pip: float,
    commission: float,
    monitoring: Monitoring = "discrete",
    jumps_per_tick: float = 0.0,
    jump_sigma: float = 0.0,
) -> float:
    """The probability behind a bid: levels as they stand, without credit for ties.

    Near its end a contract that loses on equality is worth less than that. The bid is capped so that half of the
    commission is kept whatever ties are worth. Arguments as in ``fair_probability``.
    """
    plain, true = (
        fair_probability(
            contract_type,
            sigma_tick=sigma_tick,
            ticks=ticks,
            upper=upper,
            lower=lower,
            spot=spot,
            pip=pip,
            monitoring=monitoring,
            levels=levels,
            jumps_per_tick=jumps_per_tick,
            jump_sigma=jump_sigma,
        )
        for levels in ("plain", "kept")
    )
    return min(plain, true + commission / 2)


@dataclass(frozen=True, slots=True)
class _End:
    """Where the price stands at the contract's end.

    Attributes:
        spot: the price it starts from.
        sigma: standard deviation of the whole log return, jumps left out.
        jumps: expected jumps until then; jump_sigma: standard deviation of one's log size.
    """

    spot: float
    sigma: float
    jumps: float
    jump_sigma: float

    def above(self, level: float) -> float:
        """Probability of ending above a level."""
        distance = math.log(level / self.spot) if level > 0 else -math.inf
        if not self.jumps:
            return end_above_probability(distance, self.sigma)
        return jump_end_above_probability(distance, self.sigma, jumps=self.jumps, jump_sigma=self.jump_sigma)


def _range(contract_type: ContractType, lower: float | None, upper: float | None, half: float) -> tuple[float, float]:
    """The levels of a contract on a range or a path, moved by ``half`` towards winning; a missing one is out of reach.

    Raises:
        PriceError: when a level is missing.
    """
    if (upper is not None) + (lower is not None) < (2 if contract_type in ENDS | STAYS else 1):
        raise PriceError(f"{contract_type} needs its barriers")
    outwards = -half if contract_type in _OUTSIDE else half
    return 0.0 if lower is None else lower - outwards, math.inf if upper is None else upper + outwards


def _shown(spread: float) -> float:
    """How far from the middle of its pip quotes can show a price to be, in pips; moves are ``spread`` pips a tick."""
    if spread > DIGITS_FORGET_BEYOND_PIPS:
        return 0.0
    return min(0.5, POSITION_SHOWN / spread) if spread > 0 else 0.5


def _digits(
    contract_type: ContractType, digit: int | None, quote: float, sigma_tick: float, ticks: float, levels: Levels
) -> float:
    """Probability of a digit contract from a quote of so many pips."""
    even = digit_probability(contract_type, digit)
    spread = quote * sigma_tick * math.sqrt(ticks)
    if levels == "plain" or spread > DIGITS_FORGET_BEYOND_PIPS:
        return even
    now = round(quote)
    chances = last_digit_moves(spread)
    true = sum(chances[(k - now) % 10] for k in range(10) if bool(wins(contract_type, 0, 0, last=k, digit=digit)))
    if levels == "true":
        return true
    # A price known to lie elsewhere in its pip moves no digit's chance by more than the move's density there.
    known = _shown(quote * sigma_tick) / (spread * math.sqrt(2 * math.pi))
    return max(0.0, true - known) if levels == "kept" else min(1.0, max(even, true + known))


def _towards_winning(contract_type: ContractType, levels: Levels, shown: float) -> float:
    """How many pips a level moves towards winning; negative for away from it."""
    if levels == "plain":
        return 0.0
    if levels == "charged":
        return 0.5 + shown if contract_type in WINS_ON_EQUALITY else 0.0
    where = 0.5 if contract_type in WINS_ON_EQUALITY else -0.5
    return where - shown if levels == "kept" else where


def _at_the_money(contract_type: ContractType, sigma: float, spot: float, pip: float, tie_share: float) -> float:
    p = rise_fall_probability(sigma, rise=contract_type in _UPWARD)
    if contract_type in WINS_ON_EQUALITY and tie_share:
        # Density of the move at zero times one pip (both ends of the move are rounded); half of it is already in p.
        p += min(1.0, pip / (spot * sigma * math.sqrt(2 * math.pi))) * tie_share if sigma > 0 else 0.5
    return min(p, 1.0)


def _stay(high: float, low: float, sigma_tick: float, ticks: float, monitoring: Monitoring) -> float:
    """Probability that every look finds the price strictly between two levels, both as multiples of the spot."""
    up = math.log(high) if high > 0 else -math.inf
    down = -math.log(low) if low > 0 else math.inf
    sigma = sigma_tick * math.sqrt(max(ticks, 0.0))
    if up <= 0 or down <= 0:
        return 0.0
    if monitoring == "continuous":
        return stay_inside_probability(up, down, sigma)
    if ticks >= EXACT_BELOW_TICKS:
        seen_up = up + sigma_tick * barrier_shift(up / sigma_tick)
        seen_down = down + sigma_tick * barrier_shift(down / sigma_tick)
        return stay_inside_probability(seen_up, seen_down, sigma)
    if ticks != int(ticks):
        raise PriceError(f"a contract on its path is monitored a whole number of ticks, got {ticks}")
    return stay_probability(int(ticks), up / sigma_tick, down / sigma_tick, -sigma_tick / 2)
