"""Money and contracts in the account: purchases, sales, deposits and withdrawals are written here and nowhere else."""

from __future__ import annotations

from decimal import Decimal

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.trading.notices import notify_cash
from paper_exchange.venue.accounts import OPENING_BALANCE, Account, CashRow
from paper_exchange.venue.state import Venue


def book_purchase(venue: Venue, account: Account, contract: OpenContract) -> CashRow:
    """Debit an account for a contract, write the statement row and open the position. Sends no frame."""
    row = account.book(contract.buy_id, "buy", -contract.price.ask, venue.epoch, contract)
    account.contracts[contract.contract_id] = contract
    account.open[contract.contract_id] = contract
    venue.open_by_symbol.setdefault(contract.terms.symbol.name, {})[contract.contract_id] = contract
    return row


def book_sale(venue: Venue, contract: OpenContract, amount: Decimal) -> CashRow:
    """Credit a contract's account, write the statement row and close the position. Sends no frame.

    Args:
        amount: what the account receives, zero for a lost contract.
    """
    account = venue.accounts[contract.account_id]
    contract.sold_for = amount
    contract.sell_id, contract.sell_time = venue.new_transaction_id(), venue.epoch
    row = account.book(contract.sell_id, "sell", amount, venue.epoch, contract, contract.buy_id)
    del account.open[contract.contract_id]
    name = contract.terms.symbol.name
    contracts = venue.open_by_symbol[name]
    del contracts[contract.contract_id]
    if not contracts:
        del venue.open_by_symbol[name]
    return row


def move_cash(venue: Venue, account: Account, action: str, amount: Decimal) -> None:
    """Pay in or take out, and notify the account's streams.

    Args:
        action: "deposit" or "withdrawal".
        amount: signed; a withdrawal is negative.
    """
    notify_cash(venue, account, account.book(venue.new_transaction_id(), action, amount, venue.epoch))


def reset_cash(venue: Venue, account: Account, balance: Decimal = OPENING_BALANCE) -> None:
    """Bring an account's cash to ``balance`` by a deposit or a withdrawal; neither when it is there already."""
    change = balance - account.balance
    if change:
        move_cash(venue, account, "deposit" if change > 0 else "withdrawal", change)
