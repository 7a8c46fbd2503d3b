"""What others do to an account: buy on it, pay in, take out, set it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.script import Fault
from paper_exchange.venue.connections import Connection

if TYPE_CHECKING:
    from paper_exchange.exchange import Exchange
    from paper_exchange.venue.accounts import Account

NOBODY = 0
"""Number of a connection that no shell knows."""


def foreign_buy(exchange: Exchange, account: Account, fault: Fault) -> dict[str, Any]:
    """Buy as somebody else would: over a socket of their own."""
    stake = float(fault.number("stake"))
    stranger = Connection(NOBODY, account, silent=True)
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
    exchange.act(stranger, "buy", {"buy": "1", "price": stake, "parameters": terms})
    bought = list(account.contracts)[held:]
    return {"account_id": account.account_id, "contract_id": bought[0] if bought else None}


def deposit(exchange: Exchange, account: Account, fault: Fault) -> dict[str, Any]:
    """Money comes in."""
    return _cash(exchange, account, "deposit", _amount(fault))


def withdrawal(exchange: Exchange, account: Account, fault: Fault) -> dict[str, Any]:
    """Money goes out, as far as there is any."""
    return _cash(exchange, account, "withdrawal", -min(_amount(fault), account.balance))


def account_reset(exchange: Exchange, account: Account, fault: Fault) -> dict[str, Any]:
    """The cash is set back to what a demo account begins with."""
    exchange.reset(account)
    return {"account_id": account.account_id, "balance": f"{account.balance:.2f}"}


def _amount(fault: Fault) -> Decimal:
    return Decimal(str(fault.number("amount"))).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _cash(exchange: Exchange, account: Account, action: str, amount: Decimal) -> dict[str, Any]:
    exchange.move_cash(account, action, amount)
    return {"account_id": account.account_id, "amount": f"{amount:.2f}"}


STRIKES: Mapping[FaultName, Callable[[Exchange, Account, Fault], dict[str, Any]]] = {
    FaultName.FOREIGN_BUY: foreign_buy,
    FaultName.DEPOSIT: deposit,
    FaultName.WITHDRAWAL: withdrawal,
    FaultName.ACCOUNT_RESET: account_reset,
}
"""How each is done; the answer is what the log says about it."""
