"""Bought contracts at this instant: what the house bids, whether it takes one back, and its state on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from paper_exchange.contracts.audit import AROUND
from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.resale import bid, resale_refusal
from paper_exchange.contracts.views import Moment, open_contract_view
from paper_exchange.venue.state import Venue
from xtitan_core.contracts import HIGHER_LOWER, RISE_FALL, ContractType
from xtitan_core.prices import Monitoring, bid_for_payout

_UP = frozenset({ContractType.CALL, ContractType.CALLE, ContractType.HIGHER})


def refusal_now(venue: Venue, contract: OpenContract) -> str | None:
    """Why a contract cannot be sold back at this instant, None when it can."""
    refusal = resale_refusal(contract, venue.epoch, offered=venue.assumes("resale") != "never")
    if refusal is None and venue.tick_missing(contract.terms.symbol.name):
        return "OldMarketData"
    return refusal


def bid_now(venue: Venue, contract: OpenContract) -> Decimal:
    """What the house bids for an open contract.

    Before the entry tick a contract cannot be sold, and the bid of one that is compared with its entry has no meaning.
    Recorded were 18.25 and 0.00 for the two sides of a payout of 18.83, as if the level were zero.
    """
    kind = contract.contract.contract_type
    if contract.entry is None and not contract.contract.absolute and (kind in RISE_FALL or kind in HIGHER_LOWER):
        return bid_for_payout(contract.price.payout, 1.0 if kind in _UP else 0.0, contract.commission)
    monitoring: Monitoring = "continuous" if venue.assumes("touch_monitoring") == "continuous" else "discrete"
    return bid(contract, venue.epoch, venue.last_tick(contract.terms.symbol.name)[1], monitoring)


def view_of(venue: Venue, contract: OpenContract) -> dict[str, Any]:
    """The ``proposal_open_contract`` body of a contract as it stands now."""
    sold_for, symbol = contract.sold_for, contract.terms.symbol
    # On the indices that tick each second: 1HZ and JD, and the planted ones that follow them.
    leading = contract.entry is not None and symbol.tick_seconds == 1 and venue.assumes("tick_count_leading") == "extra"
    moment = Moment(
        now=venue.epoch,
        last=venue.last_tick(symbol.name),
        value=bid_now(venue, contract) if sold_for is None else sold_for,
        refusal=refusal_now(venue, contract),
        earlier=() if sold_for is None else _before(venue, contract, contract.start, AROUND + 1),
        leading=next(iter(_before(venue, contract, contract.start, 1)), None) if leading else None,
        account_as_text=venue.assumes("poc_account_id") == "string",
        barrier_names=own_names(venue),
    )
    return open_contract_view(contract, moment)


def own_names(venue: Venue) -> bool:
    """True when books and states call HIGHER and LOWER by their own names."""
    return venue.assumes("higher_lower_shown") == "own"


def _before(venue: Venue, contract: OpenContract, at: int, count: int) -> tuple[tuple[int, float], ...]:
    """The last ``count`` ticks at or before ``at``, oldest first."""
    source = venue.world.sources[contract.terms.symbol.name]
    ticks: list[tuple[int, float]] = []
    while len(ticks) < count:
        epoch = source.previous_epoch(at)
        quote = None if epoch is None else source.quote_at(epoch)
        if epoch is None or quote is None:
            break
        ticks.append((epoch, quote))
        at = epoch - 1
    return tuple(reversed(ticks))
