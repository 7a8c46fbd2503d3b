"""What the ledger stores and returns. Money is integer cents, time is the venue's epoch seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from live_runner.errors import RunnerError
from xtitan_core.contracts import Contract


class LedgerError(RunnerError):
    """The ledger refused something, or cannot be trusted. Its text is one line that says what to do."""


class LedgerLockedError(LedgerError):
    """Another process holds this account's ledger."""


class IllegalTransitionError(LedgerError):
    """A state change, duplicate or rewrite that the ledger's rules forbid. Nothing was written."""


class LedgerFaultError(LedgerError):
    """The storage failed or contradicts itself. The runner must halt, exit and let the next start verify."""


class IntentState(StrEnum):
    """The life of one intended purchase; the allowed transitions are in ``schema.TRANSITIONS``."""

    PREPARED = "prepared"  # the stake is reserved; nothing was sent
    ABANDONED = "abandoned"  # given up before sending
    SENT = "sent"  # on disk before the frame is written: a purchase may exist from here on
    OPEN = "open"  # the contract exists and has not settled
    SETTLED = "settled"  # the contract's end is booked
    REJECTED = "rejected"  # refused by the venue, or stopped by the last check; confirmed by a later statement
    UNKNOWN = "unknown"  # sent, outcome unknown; counts as open and as lost
    NOT_BOUGHT = "not_bought"  # the venue's records rule a purchase out; kept as a tombstone
    QUARANTINED = "quarantined"  # several purchases match; nothing resolves it by itself
    LATE_BOUND = "late_bound"  # found after it had been ruled out; adopted, and the runner is halted


UNRESOLVED = frozenset({IntentState.SENT, IntentState.UNKNOWN, IntentState.QUARANTINED})
"""Whether a contract was bought is not known: nothing may be bought until it is."""

BOUGHT = frozenset({IntentState.OPEN, IntentState.SETTLED, IntentState.LATE_BOUND})
"""A contract of the account belongs to the intent."""


@dataclass(frozen=True, slots=True)
class Order:
    """A decision that wants to become a purchase.

    Attributes:
        decision_id: unique; the ledger refuses a second intent of the same decision.
        bundle_id: SHA-256 of the manifest of the model that decided.
        stake_cents: what to pay at most.
        probability: calibrated win probability of ``contract``.
        min_edge: smallest expected value per unit of stake, at the quote, that still buys.
        expected_ratio: net payout ratio the model's evidence was collected at.
    """

    decision_id: str
    bundle_id: str
    model_name: str
    symbol: str
    contract: Contract
    currency: str
    stake_cents: int
    probability: float
    min_edge: float
    expected_ratio: float

    def __post_init__(self) -> None:
        if type(self.stake_cents) is not int or self.stake_cents <= 0:
            raise ValueError(f"stake must be a positive whole number of cents, got {self.stake_cents!r}")
        if not (math.isfinite(self.probability) and 0.0 <= self.probability <= 1.0):
            raise ValueError(f"probability must lie in [0, 1], got {self.probability!r}")
        if not (math.isfinite(self.min_edge) and self.min_edge >= 0.0):
            raise ValueError(f"min_edge must be finite and at least 0, got {self.min_edge!r}")
        if not (math.isfinite(self.expected_ratio) and self.expected_ratio > 0.0):
            raise ValueError(f"expected_ratio must be finite and positive, got {self.expected_ratio!r}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The venue's figures of one purchase, from the answer to a buy or from a statement row."""

    contract_id: int
    transaction_id: int
    buy_cents: int
    payout_cents: int
    purchase_time: int


CASH_ROW = "transaction_id, action, contract_id, amount_cents, balance_cents, time"
"""The columns of the cash table that make a ``CashRow``, in its order."""


@dataclass(frozen=True, slots=True)
class CashRow:
    """One cash movement of the account, from the transaction stream or the statement.

    Attributes:
        action: ``buy``, ``sell``, ``deposit`` or ``withdrawal``.
        amount_cents: signed: buys are negative, a lost contract's sell is 0.
        balance_cents: balance right after it.
        time: the venue's transaction time, epoch seconds.
        shortcode, payout_cents: known from statement rows only; they are evidence for binding, not stored.
    """

    transaction_id: int
    action: str
    contract_id: int | None
    amount_cents: int
    balance_cents: int
    time: int
    shortcode: str | None = None
    payout_cents: int | None = None

    @property
    def body(self) -> tuple[int, str, int | None, int, int, int]:
        """What must be equal when the same transaction is seen twice."""
        return (
            self.transaction_id,
            self.action,
            self.contract_id,
            self.amount_cents,
            self.balance_cents,
            self.time,
        )


@dataclass(frozen=True, slots=True)
class Intent:
    """One row of the intent table.

    Attributes:
        run, generation: which run of the runner, and which of its connections, sent the buy.
        prepared_at, sent_at, resolved_at: venue epoch seconds (None: not reached).
        ask_cents, payout_cents: as quoted; known from SENT on.
        buy_cents, bought_payout_cents, purchase_time: the venue's own figures; known once bought.
        sell_cents, sell_time, balance_cents: settlement; balance is the account's right after it.
        confirmed: for REJECTED, True once a later statement showed no purchase.
        reason: why the last transition happened.
    """

    intent_id: int
    run: int
    state: IntentState
    decision_id: str
    bundle_id: str
    model_name: str
    symbol: str
    contract: Contract
    currency: str
    stake_cents: int
    probability: float
    min_edge: float
    expected_ratio: float
    prepared_at: float
    sent_at: float | None
    resolved_at: float | None
    proposal_id: str | None
    generation: int | None
    ask_cents: int | None
    payout_cents: int | None
    contract_id: int | None
    buy_transaction_id: int | None
    buy_cents: int | None
    bought_payout_cents: int | None
    purchase_time: int | None
    sell_cents: int | None
    sell_time: int | None
    balance_cents: int | None
    confirmed: bool
    reason: str

    @property
    def unresolved(self) -> bool:
        """True while nothing else may be bought: the outcome is unknown, or a rejection is not confirmed yet."""
        return self.state in UNRESOLVED or (self.state is IntentState.REJECTED and not self.confirmed)

    @property
    def outcome(self) -> str | None:
        """``won``, ``lost`` or ``refunded`` by the venue's amounts; None while open or never bought."""
        if self.sell_cents is None or self.buy_cents is None:
            return None
        if self.sell_cents == 0:
            return "lost"
        return "refunded" if self.sell_cents == self.buy_cents else "won"


class Booked(StrEnum):
    """What became of a cash row that was offered to the ledger."""

    BOOKED = "booked"  # new, and it follows the last balance
    DUPLICATE = "duplicate"  # booked before, with the same figures
    PRIOR = "prior"  # part of the opening balance
    GAP = "gap"  # a row in between, or the opening, is missing: not booked; the gate closes until it is found


@dataclass(frozen=True, slots=True)
class Booking:
    """Result of ``CashTable.book``.

    Attributes:
        result: GAP means the row does not follow the last one (a row in between is missing, or the opening balance): it
            was not booked, and nothing may be bought until the statement has filled the gap.
        settled: the intent that this row settled.
    """

    result: Booked
    settled: Intent | None = None

    def __bool__(self) -> bool:
        return self.result is Booked.BOOKED
