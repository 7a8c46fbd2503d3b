"""The call that sells a running contract back: sell."""

from __future__ import annotations

from decimal import Decimal

from paper_exchange.contracts.resale import REFUSALS
from paper_exchange.errors import CallError
from paper_exchange.money import number, text
from paper_exchange.protocol.frames import Frame
from paper_exchange.trading.bookings import book_sale
from paper_exchange.trading.notices import notify_cash, notify_contract
from paper_exchange.trading.positions import bid_now, refusal_now
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue


def sell(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """Sell at what the house bids now, or not at all when that is below ``price``; 0 takes any price.

    Answer, cash movement and the contract's last frame follow in this order.
    """
    contract = account.contracts.get(request["sell"])
    if contract is None:
        raise CallError("InvalidSellContractProposal", "Unknown contract sell proposal")
    refusal = refusal_now(venue, contract)
    if refusal == "ContractAlreadySold" and venue.assumes("sell_after_end") == "NoOpenPosition":
        raise CallError("NoOpenPosition", "This contract was not found among your open positions.")
    if refusal is not None:
        raise CallError(refusal, REFUSALS[refusal])
    bid, least = bid_now(venue, contract), Decimal(str(request["price"]))
    if bid < least:
        raise CallError(
            "PriceMoved",
            "The underlying market has moved too much since you priced the contract. The contract sell price has "
            f"changed from {text(least)} {account.currency} to {text(bid)} {account.currency}.",
        )
    contract.resale = venue.last_tick(contract.terms.symbol.name)
    row = book_sale(venue, contract, bid)
    body = {
        "balance_after": number(row.balance),
        "contract_id": contract.contract_id,
        "reference_id": contract.buy_id,
        "sold_for": number(bid),
        "transaction_id": row.transaction_id,
    }
    venue.reply(connection, request, "sell", body)
    notify_cash(venue, account, row)
    notify_contract(venue, contract)
