"""What the venue remembers about an account: cash movements, open positions, and the code that names a contract.

Same rules as ``protocol``: strict about types, indifferent to extra fields, money in integer cents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from xtitan_core.deriv import fields
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.fields import Frame, to_cents

_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement of cash, as the ``transaction`` stream reports it the moment it happens.

    Attributes:
        action: ``buy``, ``sell``, ``deposit`` or ``withdrawal``.
        amount_cents: signed; a lost contract is a ``sell`` of 0.
        balance_cents: balance after it.
    """

    action: str
    transaction_id: int
    contract_id: int | None
    amount_cents: int
    balance_cents: int
    transaction_time: int
    purchase_time: int | None
    symbol: str | None
    currency: str | None
    longcode: str | None

    @classmethod
    def from_frame(cls, frame: Frame) -> Self | None:
        """From a ``transaction`` frame; None for the subscription's acknowledgement, which carries only an id."""
        row = fields.inner(frame, "transaction")
        if row.get("action") is None and row.get("transaction_id") is None:
            return None
        return cls(
            fields.text(row, "action"),
            fields.identifier(row, "transaction_id"),
            fields.optional_identifier(row, "contract_id"),
            fields.cents(row, "amount"),
            fields.cents(row, "balance"),
            fields.epoch(row, "transaction_time"),
            fields.optional_epoch(row, "purchase_time"),
            fields.optional_text(row, "underlying_symbol"),
            fields.optional_text(row, "currency"),
            fields.optional_text(row, "longcode"),
        )


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One movement of cash, as ``statement`` lists it afterwards (newest first).

    ``reference_id`` of a sell is its buy's ``transaction_id``. ``shortcode`` and ``longcode`` only with
    ``description: 1``.
    """

    action: str
    transaction_id: int
    contract_id: int | None
    amount_cents: int
    balance_after_cents: int
    transaction_time: int
    purchase_time: int | None
    payout_cents: int | None
    reference_id: int | None
    shortcode: str | None
    longcode: str | None

    @classmethod
    def from_row(cls, row: Frame) -> Self:
        """From one element of ``statement.transactions``."""
        return cls(
            fields.text(row, "action_type"),
            fields.identifier(row, "transaction_id"),
            fields.optional_identifier(row, "contract_id"),
            fields.cents(row, "amount"),
            fields.cents(row, "balance_after"),
            fields.epoch(row, "transaction_time"),
            fields.optional_epoch(row, "purchase_time"),
            fields.optional_cents(row, "payout"),
            fields.optional_identifier(row, "reference_id"),
            fields.optional_text(row, "shortcode"),
            fields.optional_text(row, "longcode"),
        )

    @classmethod
    def list_from_frame(cls, frame: Frame) -> list[Self]:
        """All rows of a ``statement`` frame, in the venue's order."""
        return [cls.from_row(row) for row in fields.rows(frame, "statement", "transactions")]


@dataclass(frozen=True, slots=True)
class PortfolioContract:
    """One open contract, as ``portfolio`` lists it."""

    contract_id: int
    transaction_id: int
    symbol: str
    contract_type: str
    buy_cents: int
    payout_cents: int
    purchase_time: int
    expiry_time: int | None
    shortcode: str

    @classmethod
    def list_from_frame(cls, frame: Frame) -> list[Self]:
        """All rows of a ``portfolio`` frame."""
        return [
            cls(
                fields.identifier(row, "contract_id"),
                fields.identifier(row, "transaction_id"),
                fields.text(row, "underlying_symbol"),
                fields.text(row, "contract_type"),
                fields.cents(row, "buy_price"),
                fields.cents(row, "payout"),
                fields.epoch(row, "purchase_time"),
                fields.optional_epoch(row, "expiry_time"),
                fields.optional_text(row, "shortcode") or "",
            )
            for row in fields.rows(frame, "portfolio", "contracts")
        ]


@dataclass(frozen=True, slots=True)
class Shortcode:
    """What Deriv's contract code says: ``CALL_R_100_1.95_1772409600_5T_S0P_0``.

    Attributes:
        expiry: ``"5T"`` for ticks, otherwise the end's epoch as text.
        barriers: the two barrier fields as text (``("S0P", "0")`` at the money).
    """

    contract_type: str
    symbol: str
    payout_cents: int
    start: int
    expiry: str
    barriers: tuple[str, str]

    @property
    def ticks(self) -> int | None:
        """Duration in ticks, or None for one in seconds."""
        return int(self.expiry[:-1]) if self.expiry.endswith("T") else None

    @property
    def seconds(self) -> int | None:
        """Duration in seconds, or None for one in ticks."""
        return None if self.expiry.endswith("T") else int(self.expiry) - self.start

    @classmethod
    def parse(cls, code: str) -> Self:
        """Take a shortcode apart, from the right, because symbols contain underscores.

        Raises:
            FrameError: when it does not have Deriv's form.
        """
        head, *tail = code.rsplit("_", 5)
        kind, _, name = head.partition("_")
        if len(tail) != 5 or not kind or not name:
            raise FrameError(f"{code[:80]!r} is not a shortcode")
        payout, start, expiry, first, second = tail
        ending = expiry[:-1] if expiry.endswith("T") else expiry
        if not (_SECONDS.fullmatch(start) and _SECONDS.fullmatch(ending)):
            raise FrameError(f"{code[:80]!r} is not a shortcode")
        return cls(kind, name, to_cents(payout), int(start), expiry, (first, second))
