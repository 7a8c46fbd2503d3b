"""How much to stake: fractional Kelly at a shrunken probability, and the canary's smallest faithful stake."""

from __future__ import annotations

from decimal import Decimal

from xtitan_core.prices import PriceError, payout_for_stake


def posterior_mean(probability: float, break_even: float, evidence: int, prior_strength: int = 2_500) -> float:
    """Shrink a predicted win probability towards break-even.

    Args:
        probability: calibrated prediction.
        break_even: win rate of zero expected value at the quote.
        evidence: settled shadow trades behind the model.
        prior_strength: trades that count as much as the prior; 2,500 matches a prior sd of one point.

    Source: Bayes-optimal Kelly under log utility is Kelly at the posterior mean.
    """
    weight = evidence / (evidence + prior_strength)
    return break_even + weight * (probability - break_even)


def kelly_stake(
    bankroll_cents: int,
    probability: float,
    ratio: float,
    *,
    fraction: float = 0.25,
    cap: float = 0.01,
    minimum_cents: int = 35,
) -> int:
    """Stake in cents: ``fraction`` of Kelly, at most ``cap`` of the bankroll; 0 when that is below the minimum.

    No package uses it yet: the runner trades at the canary stake. It is here for the time when live fills justify a
    larger one.

    Args:
        bankroll_cents: free balance.
        probability: shrunken win probability.
        ratio: net profit per unit of stake on a win.
    """
    kelly = probability - (1.0 - probability) / ratio
    stake = int(bankroll_cents * min(max(kelly, 0.0) * fraction, cap))
    return stake if stake >= minimum_cents else 0


def canary_stake(
    ask_cents: int, payout_cents: int, *, minimum_cents: int = 35, tolerance: float = 0.001
) -> tuple[int, float]:
    """Smallest stake whose payout ratio is within ``tolerance`` of the one shadow trades were judged at.

    The venue's minimum commission makes tiny stakes worse bets (0.35 breaks even at 53.0 %), and whole cents make
    small payouts coarse, so the smallest stake is rarely a fair sample of the shadow evidence.

    Returns:
        ``(stake in cents, its expected payout ratio)``; the shadow stake itself when nothing smaller is faithful.
    """
    target = payout_cents / ask_cents - 1.0
    commission = ask_cents / payout_cents - 0.5
    for stake in range(minimum_cents, ask_cents):
        try:
            payout = payout_for_stake(Decimal(stake) / 100, 0.5, commission)
        except PriceError:
            continue
        ratio = float(payout * 100 / stake) - 1.0
        if abs(ratio - target) <= tolerance:
            return stake, ratio
    return ask_cents, target
