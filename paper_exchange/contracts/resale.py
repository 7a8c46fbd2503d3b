"""Selling a running contract back: whether the house takes it, what it bids, and how Deriv words a refusal.

Recorded on 15-second contracts: within the second of the purchase, before the entry tick, and after it
(``ResaleNotOffered``), and once they were over. It is an assumption (``resale`` in ``fidelity.rules``)
that a longer contract can be sold as long as its remaining life is itself a duration on offer.
"""

from __future__ import annotations

from decimal import Decimal

from paper_exchange.contracts.offerings import still_offered
from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.pricing import law_of, win_probability
from xtitan_core.contracts import DIGITS, RISE_FALL
from xtitan_core.contracts import barriers as barrier_levels
from xtitan_core.prices import bid_for_payout, bid_probability
from xtitan_core.prices.fair import Monitoring
from xtitan_core.symbols import SymbolKind

REFUSALS = {
    "ContractAlreadySold": "This contract has been sold.",
    "SameStartSellTime": "Contract cannot be sold at this time. Please try again.",
    "EntryTickMissing": "Waiting for entry tick.",
    "ResaleNotOffered": "Resale of this contract is not offered.",
    "SellAtEntryTick": "Contract cannot be sold at entry tick. Please wait for the next tick.",
    "OldMarketData": "Trading is suspended due to missing market (old) data.",
}
"""Deriv's codes and sentences."""

_MARKETS = frozenset({SymbolKind.VOLATILITY, SymbolKind.PLANTED})


def resale_refusal(contract: OpenContract, now: int, *, offered: bool) -> str | None:
    """Why a contract cannot be sold back at ``now``: a key of ``REFUSALS``, or None when it can.

    Args:
        contract: open or over.
        now: venue second.
        offered: False where the house takes no contract back.
    """
    if contract.sold_for is not None:
        return "ContractAlreadySold"
    if now == contract.start:
        return "SameStartSellTime"
    if contract.entry is None:
        return "EntryTickMissing"
    if not offered or not _on_offer(contract, now):
        return "ResaleNotOffered"
    return "SellAtEntryTick" if len(contract.epochs) == 1 else None


def could_be_sold(contract: OpenContract, *, offered: bool) -> bool:
    """Whether a contract could be sold back at some tick of its life so far; arguments as above."""
    return offered and len(contract.epochs) > 1 and _on_offer(contract, contract.epochs[1])


def _on_offer(contract: OpenContract, now: int) -> bool:
    symbol = contract.terms.symbol
    if contract.contract.in_ticks or symbol.kind not in _MARKETS:
        return False
    return still_offered(symbol, contract.contract.contract_type, contract.end - now)


def bid(contract: OpenContract, now: int, last: float, monitoring: Monitoring = "discrete") -> Decimal:
    """What the house would pay to take a running contract back: ``payout * (p - commission)``.

    Only ticks still to come count, a tie counts as lost, and the minimum commission is kept.

    Args:
        contract: not settled yet.
        now: venue second.
        last: the symbol's latest quote.
    """
    conditions, symbol = contract.contract, contract.terms.symbol
    kind, step = conditions.contract_type, symbol.tick_seconds
    if contract.entry is None or kind in DIGITS:
        p = win_probability(symbol, conditions, last, now, monitoring)
        return bid_for_payout(contract.price.payout, p, contract.commission)
    ticks: float
    if conditions.in_ticks:
        ticks = max(0, conditions.duration - (len(contract.epochs) - 1))
    else:
        ticks = max(0, (contract.start + conditions.seconds - contract.epochs[-1]) // step)
    entry = contract.entry[1]
    upper, lower = (entry, None) if kind in RISE_FALL else barrier_levels(conditions, entry, symbol.decimals)
    p = bid_probability(
        kind,
        ticks=ticks,
        upper=upper,
        lower=lower,
        spot=last,
        commission=contract.commission,
        monitoring=monitoring,
        **law_of(symbol),
    )
    return bid_for_payout(contract.price.payout, p, contract.commission)
