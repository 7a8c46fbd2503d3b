"""From a request to its call: the table of handlers, and the checks that come before one.

A handler gets the venue, the connection and a request that satisfies its schema; one of an account call gets the
connection's account as well. It answers through ``venue.reply`` or raises ``CallError``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from paper_exchange.calls import account, buying, contract, history, market, multipliers, selling, session
from paper_exchange.errors import CallError
from paper_exchange.protocol.frames import Frame
from paper_exchange.protocol.requests import REQUESTS
from paper_exchange.protocol.schema import validate
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue

Handler = Callable[[Venue, Connection, Frame], None]
AccountHandler = Callable[[Venue, Connection, Account, Frame], None]

HANDLERS: dict[str, Handler] = {
    "ping": session.ping,
    "time": session.time,
    "forget": session.forget,
    "forget_all": session.forget_all,
    "active_symbols": market.active_symbols,
    "contracts_for": market.contracts_for,
    "contracts_list": market.contracts_list,
    "trading_times": market.trading_times,
    "ticks": market.ticks,
    "ticks_history": history.ticks_history,
    "proposal": buying.proposal,
}
"""Calls that every socket serves."""

ACCOUNT_HANDLERS: dict[str, AccountHandler] = {
    "buy": buying.buy,
    "sell": selling.sell,
    "proposal_open_contract": contract.proposal_open_contract,
    "portfolio": contract.portfolio,
    "profit_table": contract.profit_table,
    "statement": account.statement,
    "transaction": account.transaction,
    "balance": account.balance,
    "cancel": multipliers.cancel,
    "contract_update": multipliers.contract_update,
    "contract_update_history": multipliers.contract_update_history,
    "logout": session.logout,
}
"""Calls that only an account's socket serves."""

USER = "the token's owner"
"""The owner of all accounts: one token opens them, so they share the sockets and budgets of one user."""


def act(venue: Venue, connection: Connection, name: str, request: Frame) -> None:
    """Answer one call, whatever faults did to it on the way here.

    Args:
        name: a call of ``REQUESTS``.
    """
    call = REQUESTS[name]
    try:
        validate(call, request)
        venue.events.received(connection.number, name, request)
        venue.budgets.spend(name, venue.epoch, user=_payer(venue, connection), connection=connection.number)
        if not call.account:
            HANDLERS[name](venue, connection, request)
        elif connection.account is not None:
            ACCOUNT_HANDLERS[name](venue, connection, connection.account, request)
        else:
            raise CallError("AuthorizationRequired", "Please log in.")
    except CallError as error:
        venue.refuse(connection, request, name, error)


def _payer(venue: Venue, connection: Connection) -> Hashable:
    """Whose budgets a connection's requests count against."""
    if venue.assumes("budgets_per") == "connection":
        return connection.number
    return USER if connection.account is not None else connection.address or connection.number
