"""What a contract costs: the fair probability of a win, and the house's price made of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TypedDict

from paper_exchange.contracts.terms import Terms
from paper_exchange.errors import CallError
from paper_exchange.money import text
from xtitan_core.contracts import RISE_FALL, Contract
from xtitan_core.contracts import barriers as barrier_levels
from xtitan_core.prices import (
    PriceError,
    ask_for_payout,
    fair_probability,
    payout_for_stake,
    steps_from_spot,
)
from xtitan_core.prices.fair import Monitoring
from xtitan_core.symbols import JUMP_SIGMAS, Symbol, SymbolKind

MIN_STAKE = Decimal("0.35")
MAX_PAYOUT = Decimal("10000.00")


@dataclass(frozen=True, slots=True)
class Price:
    """Ask and payout in the account's currency, and the fair probability behind them."""

    ask: Decimal
    payout: Decimal
    probability: float


def probability(terms: Terms, spot: float, now: int, monitoring: Monitoring = "discrete") -> float:
    """The probability of a win that the house prices a purchase at ``now`` with.

    Rise/fall is priced over its whole life, barriers over the ticks they are compared with (both recorded).

    Raises:
        CallError: when the contract cannot be bought any more, or its barrier lies wrong for this spot.
    """
    return win_probability(terms.symbol, terms.at(now, spot), spot, now, monitoring)


def win_probability(symbol: Symbol, contract: Contract, spot: float, now: int, monitoring: Monitoring) -> float:
    """Probability that a contract entered with the market at ``spot`` wins, seen from venue second ``now``."""
    kind, step = contract.contract_type, symbol.tick_seconds
    ticks: float
    if kind in RISE_FALL:
        ticks = contract.duration if contract.in_ticks else contract.seconds / step
        upper = lower = None
    else:
        ticks = steps_from_spot(contract, start=now, last_tick=now // step * step, tick_seconds=step)
        upper, lower = barrier_levels(contract, spot, symbol.decimals)
    return fair_probability(
        kind,
        ticks=ticks,
        upper=upper,
        lower=lower,
        spot=spot,
        digit=contract.digit,
        monitoring=monitoring,
        **law_of(symbol),
    )


class Law(TypedDict):
    """How a symbol moves: the arguments of the price functions."""

    sigma_tick: float
    pip: float
    jumps_per_tick: float
    jump_sigma: float


@cache
def law_of(symbol: Symbol) -> Law:
    """The law a symbol is priced by."""
    return {
        "sigma_tick": symbol.tick_sigma,
        "pip": 10.0**-symbol.decimals,
        "jumps_per_tick": 1 / symbol.event_every if symbol.kind is SymbolKind.JUMP else 0.0,
        "jump_sigma": JUMP_SIGMAS * symbol.tick_sigma,
    }


def quote(terms: Terms, spot: float, now: int, commission: float, monitoring: Monitoring = "discrete") -> Price:
    """Price a contract for an account.

    Args:
        spot: the latest quote.
        now: venue second.
        commission: fraction of payout.
        monitoring: "continuous" to simulate a house that prices touches as if the price were watched between ticks.

    Raises:
        CallError: StakeLimits, PayoutLimits or ContractBuyValidationError when it cannot be offered.
    """
    p = probability(terms, spot, now, monitoring)
    if terms.basis == "stake" and terms.amount < MIN_STAKE:
        raise _limit("StakeLimits", "stake", terms.amount)
    try:
        if terms.basis == "stake":
            ask, payout = terms.amount, payout_for_stake(terms.amount, p, commission)
        else:
            ask, payout = ask_for_payout(terms.amount, p, commission), terms.amount
    except PriceError:
        raise _no_return() from None
    if ask < MIN_STAKE:
        raise _limit("StakeLimits", "stake", ask)
    if payout <= ask:
        raise _no_return()
    if payout > MAX_PAYOUT:
        raise _limit("PayoutLimits", "payout", payout)
    return Price(ask, payout, p)


def _limit(code: str, what: str, amount: Decimal) -> CallError:
    least, most, current = text(MIN_STAKE), text(MAX_PAYOUT), text(amount)
    return CallError(
        code,
        f"Minimum stake of {least} and maximum payout of {most}. Current {what} is {current}.",
        {"field": "amount"},
        args=(least, most, current),
    )


def _no_return() -> CallError:
    return CallError("ContractBuyValidationError", "This contract offers no return.", subcode="NoReturn")
