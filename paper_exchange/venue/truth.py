"""What really happened, for tests and drills to compare a client's books with. No other venue offers it."""

from __future__ import annotations

from typing import Any

from paper_exchange.money import text
from paper_exchange.venue.state import Venue


def truth(venue: Venue, *, events: bool = False) -> dict[str, Any]:
    """Every account's balance, every buy ever booked, every fault that happened; with ``events`` the whole log.

    Returns:
        ``{"epoch", "finished", "accounts": [{account_id, balance, open}], "buys": [...], "faults": [...]}``, money as
        text with two decimals, buys in the order they were booked.
    """
    buys = [
        {
            "contract_id": contract.contract_id,
            "transaction_id": contract.buy_id,
            "account_id": contract.account_id,
            "purchase_time": contract.start,
            "shortcode": contract.shortcode,
            "buy_price": text(contract.price.ask),
            "payout": text(contract.price.payout),
            "answered": contract.answered,
            "status": contract.status,
            "sell_price": None if contract.sold_for is None else text(contract.sold_for),
        }
        for account in venue.accounts.values()
        for contract in account.contracts.values()
    ]
    buys.sort(key=lambda buy: str(buy["contract_id"]))
    facts: dict[str, Any] = {
        "epoch": venue.epoch,
        "finished": venue.finished,
        "accounts": [
            {"account_id": account.account_id, "balance": text(account.balance), "open": len(account.open)}
            for account in venue.accounts.values()
        ],
        "buys": buys,
        "faults": list(venue.hooks.fired),
    }
    if events:
        facts["events"] = list(venue.events.log)
    return facts
