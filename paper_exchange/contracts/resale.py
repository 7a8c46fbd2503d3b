"""Whether a running contract can be sold back, and the words Deriv refuses it with.

Recorded on 15-second contracts: within the second of the purchase, before the entry tick, and after it
(``ResaleNotOffered``), and once they were over. That a longer contract can be sold while what remains of it is a
duration on offer is an assumption, ``resale`` in ``rules``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paper_exchange.contracts.offerings import still_offered
from xtitan_core.symbols import SymbolKind

if TYPE_CHECKING:
    from paper_exchange.contracts.open_contract import OpenContract

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
        offered: False for a house that takes nothing back.
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
