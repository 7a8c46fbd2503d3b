"""What became of an attempt to buy, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from live_runner.ledger import Intent
from xtitan_core.decision import Quote
from xtitan_core.deriv.protocol import BuyReceipt


class Outcome(StrEnum):
    """How an attempt to buy ended."""

    BOUGHT = "bought"  # the venue confirmed the purchase
    ABANDONED = "abandoned"  # prepared, then given up before anything was sent
    REJECTED = "rejected"  # marked as sent, and known not to have bought; reserved until a statement confirms it
    UNKNOWN = "unknown"  # sent, and whether it bought is not known; the connection is closed and recovery finds out
    BLOCKED = "blocked"  # refused before an intent was written


class GateReason(StrEnum):
    """The gate's own reasons; ``LimitBreach`` and ``decision.Reason`` complete the list, venue codes come as is."""

    ANSWERED = "answered"  # the venue answered with a contract
    HALTED = "halted"  # the kill latch is closed
    STOPPING = "stopping"  # the runner was told to stop
    NOT_RECOVERED = "not_recovered"  # this connection has not been reconciled with the ledger, or it is closed
    IN_FLIGHT = "in_flight"  # another purchase is under way
    UNRESOLVED = "unresolved"  # an earlier purchase's outcome is unknown, or its rejection not confirmed
    TRIED_BEFORE = "tried_before"  # this decision was tried before; a decision is tried once
    QUOTE_REFUSED = "quote_refused"  # the venue refused the quote; its code follows after a colon
    QUOTE_UNANSWERED = "quote_unanswered"  # no answer to the request for a quote
    QUOTE_INVALID = "quote_invalid"  # the quote's frame cannot be read
    QUOTE_STALE = "quote_stale"  # the quote is older than max_quote_age_s, or time went backwards
    SLOW_ANSWER = "slow_answer"  # the quote took longer than max_rtt_s
    OVER_STAKE = "over_stake"  # the quote asks more than the stake
    RATIO_MOVED = "ratio_moved"  # the payout ratio differs from the expected one by more than ratio_tolerance
    LEDGER_REFUSED = "ledger_refused"  # the ledger's triggers refused to mark the intent as sent
    NO_ANSWER = "no_answer"  # no answer in time, or the connection was lost after sending
    BAD_ANSWER = "bad_answer"  # the answer cannot be read or contradicts the ledger
    CANCELLED = "cancelled"  # the task was cancelled while it waited


@dataclass(frozen=True, slots=True)
class Purchase:
    """What became of one order.

    Attributes:
        outcome: after UNKNOWN the caller closes the connection, reconnects and recovers.
        reason: a ``GateReason``, ``LimitBreach`` or ``decision.Reason`` value, or the venue's error code.
        intent: as last written; None when the order was blocked before anything was written.
        quote: the quote it was judged at, once there was one.
        edge: expected value per unit of stake at that quote.
        receipt: the venue's answer, when BOUGHT.
    """

    outcome: Outcome
    reason: str
    intent: Intent | None = None
    quote: Quote | None = None
    edge: float | None = None
    receipt: BuyReceipt | None = None
