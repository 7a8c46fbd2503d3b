"""What others do to an account: buy on it, pay in, take out, reset it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from paper_exchange.calls.dispatch import act
from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.script import Fault
from paper_exchange.trading.bookings import move_cash, reset_cash
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue

NO_SOCKET = 0
"""Number of a connection without a socket."""


def foreign_buy(venue: Venue, account: Account, fault: Fault) -> dict[str, Any]:
    """Buy a contract on the account over a connection that is none of the client's."""
    stake = float(fault.number("stake"))
    other = Connection(NO_SOCKET, account, silent=True)
    terms = {
        "amount": stake,
        "basis": "stake",
        "contract_type": "CALL",
        "currency": account.currency,
        "duration": 5,
        "duration_unit": "t",
        "underlying_symbol": str(fault.values["symbol"]),
    }
    held = len(account.contracts)
    act(venue, other, "buy", {"buy": "1", "price": stake, "parameters": terms})
    bought = list(account.contracts)[held:]
    return {"account_id": account.account_id, "contract_id": bought[0] if bought else None}


def deposit(venue: Venue, account: Account, fault: Fault) -> dict[str, Any]:
    """Money comes in."""
    return _cash(venue, account, "deposit", _amount(fault))


def withdrawal(venue: Venue, account: Account, fault: Fault) -> dict[str, Any]:
    """Money goes out, as far as there is any."""
    return _cash(venue, account, "withdrawal", -min(_amount(fault), account.balance))


def account_reset(venue: Venue, account: Account, fault: Fault) -> dict[str, Any]:
    """The cash is set back to what a demo account begins with."""
    reset_cash(venue, account)
    return {"account_id": account.account_id, "balance": f"{account.balance:.2f}"}


def _amount(fault: Fault) -> Decimal:
    return Decimal(str(fault.number("amount"))).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _cash(venue: Venue, account: Account, action: str, amount: Decimal) -> dict[str, Any]:
    move_cash(venue, account, action, amount)
    return {"account_id": account.account_id, "amount": f"{amount:.2f}"}


ACCOUNT_STRIKES: Mapping[FaultName, Callable[[Venue, Account, Fault], dict[str, Any]]] = {
    FaultName.FOREIGN_BUY: foreign_buy,
    FaultName.DEPOSIT: deposit,
    FaultName.WITHDRAWAL: withdrawal,
    FaultName.ACCOUNT_RESET: account_reset,
}
"""How each is done; it returns what the log says about it."""
