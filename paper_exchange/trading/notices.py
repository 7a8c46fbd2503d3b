"""What an account's streams send when its cash or one of its contracts changes."""

from __future__ import annotations

from typing import Any

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.money import number
from paper_exchange.trading.positions import view_of
from paper_exchange.venue.accounts import Account, CashRow
from paper_exchange.venue.connections import Connection, Stream, Subscription
from paper_exchange.venue.state import Venue


def contract_stream(contract_id: int | None) -> Stream:
    """The stream of one contract's states, or with None of all contracts of the account."""
    return Stream("proposal_open_contract", (contract_id,), contract_id=contract_id)


def notify_cash(venue: Venue, account: Account, row: CashRow) -> None:
    """Send a cash row, and the balance after it, on the account's transaction and balance streams."""
    for connection in list(venue.connections.values()):
        if connection.account is not account:
            continue
        for subscription in connection.of_kind("transaction"):
            body = {**transaction_body(account, row), "id": subscription.subscription_id}
            venue.send(connection, {**subscription.head, "transaction": body})
        for subscription in connection.of_kind("balance"):
            body = {**balance_body(account), "id": subscription.subscription_id}
            venue.send(connection, {**subscription.head, "balance": body})


def transaction_body(account: Account, row: CashRow) -> dict[str, Any]:
    """The ``transaction`` member of a stream frame, without its id."""
    body: dict[str, Any] = {
        "action": row.action,
        "amount": number(row.amount),
        "balance": number(row.balance),
        "currency": account.currency,
        "transaction_id": row.transaction_id,
        "transaction_time": row.time,
    }
    if row.contract is not None:
        body |= {
            "contract_id": row.contract.contract_id,
            "date_expiry": row.contract.end,
            "longcode": row.contract.longcode,
            "underlying_symbol": row.contract.terms.symbol.name,
        }
        if row.action == "sell":
            body["purchase_time"] = row.contract.start
    return body


def balance_body(account: Account) -> dict[str, Any]:
    """The ``balance`` member of a frame, without its id."""
    return {"balance": number(account.balance), "currency": account.currency, "loginid": account.account_id}


def notify_contract(venue: Venue, contract: OpenContract) -> None:
    """Send a contract's state on the streams that follow it; a stream of it alone ends with its settlement."""
    view: dict[str, Any] | None = None
    for connection in list(venue.connections.values()):
        if connection.account is None or connection.account.account_id != contract.account_id:
            continue
        for subscription in list(connection.of_kind("proposal_open_contract")):
            if subscription.stream.contract_id not in (None, contract.contract_id):
                continue
            if view is None:
                view = view_of(venue, contract)
            send_view(venue, connection, subscription, view)
            if contract.sold_for is not None and subscription.stream.contract_id is not None:
                venue.forget(connection, subscription.subscription_id)


def send_view(venue: Venue, connection: Connection, subscription: Subscription, view: dict[str, Any]) -> None:
    """Send one frame of an open-contract stream."""
    body = {**view, "id": subscription.subscription_id}
    venue.send(connection, {**subscription.head, "proposal_open_contract": body})
