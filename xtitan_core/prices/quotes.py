"""Money: from a probability and a commission to what is asked, paid and bid."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from xtitan_core.errors import XtitanError

MIN_COMMISSION = Decimal("0.02")
"""Smallest commission of one contract in USD, whatever the rate."""

CENT = Decimal("0.01")


class PriceError(XtitanError, ValueError):
    """A price that cannot be quoted."""


def to_cents(amount: Decimal) -> Decimal:
    """Round to whole cents, half up, as recorded quotes do."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@lru_cache(maxsize=4_096)
def payout_for_stake(stake: Decimal, probability: float, commission: float) -> Decimal:
    """Payout quoted for a stake.

    Args:
        stake: what the buyer pays, in USD.
        probability: win probability.
        commission: commission as a fraction of payout.

    Returns:
        Payout in USD, whole cents.

    Raises:
        PriceError: when the stake does not even cover the minimum commission, or the contract cannot be won.
    """
    p, c = Decimal(repr(probability)), Decimal(repr(commission))
    if p <= 0:
        raise PriceError(f"a contract won with probability {probability} has no price")
    payout = stake / (p + c)
    if payout * c < MIN_COMMISSION:
        payout = (stake - MIN_COMMISSION) / p
    if payout <= stake:
        raise PriceError(f"a stake of {stake} buys a payout of {to_cents(payout)}: nothing to win")
    return to_cents(payout)


@lru_cache(maxsize=4_096)
def ask_for_payout(payout: Decimal, probability: float, commission: float) -> Decimal:
    """Stake asked for a payout; both in USD, whole cents."""
    p, c = Decimal(repr(probability)), Decimal(repr(commission))
    return to_cents(payout * p + max(payout * c, MIN_COMMISSION))


def bid_for_payout(payout: Decimal, probability: float, commission: float) -> Decimal:
    """What the house pays to take a contract back: ``payout * (p - c)``.

    Args:
        payout: the contract's payout in USD.
        probability: see ``fair.bid_probability``.
        commission: commission as a fraction of payout.

    Returns:
        USD in whole cents, never negative and never above the payout less the minimum commission.
    """
    p, c = Decimal(repr(probability)), Decimal(repr(commission))
    worth = payout * p - max(payout * c, MIN_COMMISSION)
    return to_cents(max(Decimal(0), min(worth, payout - MIN_COMMISSION)))


def break_even(ask: Decimal, payout: Decimal) -> float:
    """Win rate at which buying at ``ask`` for ``payout`` has zero expected value."""
    return float(ask / payout)
