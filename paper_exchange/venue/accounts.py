"""Accounts: their money as exact decimals, and all cash movements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from paper_exchange.contracts.commissions import Schedule, flat, schedule
from paper_exchange.contracts.open_contract import OpenContract

OPENING_BALANCE = Decimal("10000.00")


@dataclass(frozen=True, slots=True)
class CashRow:
    """One line of the statement.

    Attributes:
        action: "buy", "sell", "deposit" or "withdrawal".
        amount: signed; a purchase is negative, a lost contract sells for zero.
        balance: balance after it.
        time: venue epoch.
        contract: the contract it belongs to, None for deposits and withdrawals.
        reference_id: of a sell, the transaction id of its buy.
    """

    transaction_id: int
    action: str
    amount: Decimal
    balance: Decimal
    time: int
    contract: OpenContract | None = None
    reference_id: int | None = None


@dataclass(slots=True)
class Account:
    """One options account.

    Attributes:
        account_id: Deriv's ``DOT…`` or ``ROT…`` number.
        commission: what the house keeps of this account's payouts: a fraction, or the name of a schedule.
        schedule: the same as a table by date, symbol, type and duration.
        rows: cash movements, oldest first.
        contracts: every contract ever bought, by id, oldest first.
        open: the ones not settled yet.
        moved: called with every row once it is written.
    """

    account_id: str
    commission: float | str
    balance: Decimal = OPENING_BALANCE
    currency: str = "USD"
    account_type: str = "demo"
    group: str = "row"
    rows: list[CashRow] = field(default_factory=list)
    contracts: dict[int, OpenContract] = field(default_factory=dict)
    open: dict[int, OpenContract] = field(default_factory=dict)
    moved: Callable[[Account, CashRow], None] | None = field(default=None, repr=False)
    schedule: Schedule = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.schedule = schedule(self.commission) if isinstance(self.commission, str) else flat(self.commission)

    def book(
        self,
        transaction_id: int,
        action: str,
        amount: Decimal,
        time: int,
        contract: OpenContract | None = None,
        reference_id: int | None = None,
    ) -> CashRow:
        """Move money and write the row."""
        self.balance += amount
        assert self.balance >= 0, f"{self.account_id} overdrawn: {self.balance}"
        row = CashRow(transaction_id, action, amount, self.balance, time, contract, reference_id)
        self.rows.append(row)
        if self.moved is not None:
            self.moved(self, row)
        return row

    def newest_first(self) -> Iterator[CashRow]:
        """The statement's order."""
        return reversed(self.rows)
