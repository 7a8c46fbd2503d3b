"""What a rise/fall contract costs and what it is worth while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from paper_exchange.errors import CallError
from paper_exchange.money import text
from paper_exchange.terms import Terms
from xtitan_core.contracts import ContractType
from xtitan_core.prices import PriceError, ask_for_payout, normal_cdf, payout_for_stake, rise_fall_probability
from xtitan_core.symbols import SECONDS_PER_YEAR, Symbol

MIN_STAKE = Decimal("0.35")
MAX_PAYOUT = Decimal("10000.00")


@dataclass(frozen=True, slots=True)
class Price:
    """Ask and payout in the account's currency, and the fair probability behind them."""

    ask: Decimal
    payout: Decimal
    probability: float


def probability(terms: Terms, spot: float, now: int) -> float:
    """Fair win probability at the money, over the contract's whole life.

    CALL and PUT carry no credit for ties, as recorded quotes do. CALLE and PUTE win ties, so they are priced with
    them: at the pip sizes of Deriv a free tie would be worth more than the commission.
    """
    sigma = terms.symbol.volatility * math.sqrt(terms.life_seconds(now) / SECONDS_PER_YEAR)
    p = rise_fall_probability(sigma, rise=terms.rise)
    if terms.contract.contract_type in (ContractType.CALLE, ContractType.PUTE):
        # Density of the move at zero times one pip (both ends of the move are rounded); half of it is already in p.
        p += min(1.0, float(terms.symbol.pip) / (spot * sigma * math.sqrt(2 * math.pi))) / 2
    return min(p, 1.0)


def quote(terms: Terms, spot: float, now: int, commission: float) -> Price:
    """Price a contract for an account.

    Raises:
        CallError: StakeLimits, PayoutLimits or ContractBuyValidationError when it cannot be offered.
    """
    p = probability(terms, spot, now)
    if terms.basis == "stake" and terms.amount < MIN_STAKE:
        raise _stake_limit(terms.amount)
    try:
        if terms.basis == "stake":
            ask, payout = terms.amount, payout_for_stake(terms.amount, p, commission)
        else:
            ask, payout = ask_for_payout(terms.amount, p, commission), terms.amount
    except PriceError:
        raise CallError("ContractBuyValidationError", "This contract offers no return.") from None
    if ask < MIN_STAKE:
        raise _stake_limit(ask)
    if payout <= ask:
        raise CallError("ContractBuyValidationError", "This contract offers no return.")
    if payout > MAX_PAYOUT:
        raise CallError(
            "PayoutLimits",
            f"Minimum stake of {text(MIN_STAKE)} and maximum payout of {text(MAX_PAYOUT)}. "
            f"Current payout is {text(payout)}.",
            {"field": "amount"},
        )
    return Price(ask, payout, p)


def _stake_limit(stake: Decimal) -> CallError:
    return (
        CallError("StakeLimits", f"Please enter a stake amount that's at least {text(MIN_STAKE)}.", {"field": "amount"})
        if stake.is_finite()
        else CallError("StakeLimits", "Please enter a valid stake amount.", {"field": "amount"})
    )


def bid(
    symbol: Symbol, *, rise: bool, payout: Decimal, commission: float, spot: float, barrier: float, left: float
) -> Decimal:
    """What an open contract is worth: ``payout * (p - commission)``, never negative.

    Args:
        left: seconds to its end.
    """
    sigma = symbol.volatility * math.sqrt(max(left, 0.0) / SECONDS_PER_YEAR)
    if sigma > 0:
        d2 = math.log(spot / barrier) / sigma - sigma / 2
        p = normal_cdf(d2 if rise else -d2)
    else:
        p = 1.0 if (spot > barrier if rise else spot < barrier) else 0.0
    return max(Decimal(0), payout * Decimal(repr(p - commission))).quantize(Decimal("0.01"))
