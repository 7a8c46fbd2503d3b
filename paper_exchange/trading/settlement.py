"""Contracts move on with every tick of their symbol and are settled when they are over."""

from __future__ import annotations

from decimal import Decimal

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.resale import could_be_sold
from paper_exchange.trading.bookings import book_sale
from paper_exchange.trading.notices import notify_cash, notify_contract
from paper_exchange.trading.positions import bid_now
from paper_exchange.trading.ticks import send_tick
from paper_exchange.venue.state import Venue
from xtitan_core.contracts import ContractType

WON_BY_TOUCH = frozenset({ContractType.ONETOUCH, ContractType.UPORDOWN})
"""Types that can be won before their end."""


def on_tick(venue: Venue, name: str, epoch: int, quote: float) -> None:
    """A symbol ticked: send the tick to its subscribers, move its contracts on and settle those that ended."""
    for symbol, at, shown in venue.hooks.ticks(venue.symbols[name], epoch, quote):
        send_tick(venue, symbol, at, shown)
    contracts = venue.open_by_symbol.get(name)
    if contracts is None:
        return
    for contract in list(contracts.values()):
        if contract.on_tick(epoch, quote):
            settle(venue, contract)
        else:
            notify_contract(venue, contract)


def settle(venue: Venue, contract: OpenContract) -> None:
    """Pay a contract that is over and send its last frames: transaction, balance, contract state, in this order."""
    _close(venue, contract, venue.hooks.proceeds(contract))


def wind_up(venue: Venue, contract: OpenContract) -> None:
    """Close a contract that is still open when the market's ticks end: the stake is refunded.

    A contract that could have ended before, by a winning touch or by a sale, gets the bid where that is less than the
    stake. A refund would be a free option: the buyer would keep what goes well and get the stake back for the rest.
    """
    early = contract.contract.contract_type in WON_BY_TOUCH and contract.entry is not None
    if not early and not could_be_sold(contract, offered=venue.assumes("resale") != "never"):
        settle(venue, contract)
        return
    bid = bid_now(venue, contract)
    if bid >= contract.price.ask:
        settle(venue, contract)
        return
    contract.resale = venue.last_tick(contract.terms.symbol.name)
    _close(venue, contract, bid)


def _close(venue: Venue, contract: OpenContract, amount: Decimal) -> None:
    row = book_sale(venue, contract, amount)
    notify_cash(venue, venue.accounts[contract.account_id], row)
    notify_contract(venue, contract)
