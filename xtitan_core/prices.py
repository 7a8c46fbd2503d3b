"""Fair probabilities and quotes of fixed-payout contracts.

A quote is ``ask = payout * (p + c)`` with the fair win probability ``p`` and the house commission ``c`` as a fraction
of payout, at least ``MIN_COMMISSION`` in money. Measured on recorded quotes of the new API; CALL and PUT are priced
without credit for ties.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

MIN_COMMISSION = Decimal("0.02")
"""Smallest commission of one contract in USD, whatever the rate."""

CENT = Decimal("0.01")


class PriceError(ValueError):
    """A price that cannot be quoted."""


def normal_cdf(x: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def rise_fall_probability(sigma: float, *, rise: bool) -> float:
    """Probability that a driftless geometric Brownian motion ends above (or below) its start.

    Args:
        sigma: total volatility over the contract's life, ``annual volatility * sqrt(years)``.
        rise: True for CALL, False for PUT.

    Returns:
        Phi(-sigma/2) for CALL and Phi(sigma/2) for PUT: the log-drift of a martingale is negative, so an
        at-the-money CALL is worth slightly less than one half.
    """
    return normal_cdf(-sigma / 2 if rise else sigma / 2)


def to_cents(amount: Decimal) -> Decimal:
    """Round to whole cents, half up, as recorded quotes do."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def payout_for_stake(stake: Decimal, probability: float, commission: float) -> Decimal:
    """Payout quoted for a stake.

    Args:
        stake: what the buyer pays, in USD.
        probability: fair win probability.
        commission: commission as a fraction of payout.

    Returns:
        Payout in USD, whole cents.

    Raises:
        PriceError: when the stake does not even cover the minimum commission.
    """
    p, c = Decimal(repr(probability)), Decimal(repr(commission))
    payout = stake / (p + c)
    if payout * c < MIN_COMMISSION:
        payout = (stake - MIN_COMMISSION) / p
    if payout <= stake:
        raise PriceError(f"a stake of {stake} buys a payout of {to_cents(payout)}: nothing to win")
    return to_cents(payout)


def ask_for_payout(payout: Decimal, probability: float, commission: float) -> Decimal:
    """Stake asked for a payout; both in USD, whole cents."""
    p, c = Decimal(repr(probability)), Decimal(repr(commission))
    return to_cents(payout * p + max(payout * c, MIN_COMMISSION))


def break_even(ask: Decimal, payout: Decimal) -> float:
    """Win rate at which buying at ``ask`` for ``payout`` has zero expected value."""
    return float(ask / payout)
