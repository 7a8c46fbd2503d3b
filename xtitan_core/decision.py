"""From probabilities and a quote to one decision, the same in backtest, shadow and live."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from xtitan_core.contracts import ContractType


class Reason(StrEnum):
    """Why a decision came out as it did. Closed: every journal row carries one of these."""

    EDGE = "edge"  # buy: the expected value at the quote is positive and reaches the minimum edge
    NO_EDGE = "no_edge"  # abstain: the expected value at the quote is zero, negative or below the minimum edge
    NON_FINITE = "non_finite"  # abstain: a probability is not a number in [0, 1]
    NO_QUOTE = "no_quote"  # abstain: the venue gave no quote for the preferred side
    STALE_QUOTE = "stale_quote"  # abstain: the quote came later than max_tick_age_s after its tick
    BAD_QUOTE = "bad_quote"  # abstain: the quote costs nothing or pays no more than it costs


@dataclass(frozen=True, slots=True)
class Quote:
    """A price the venue offered.

    Attributes:
        contract_type: what it is for.
        ask_cents: price of the contract.
        payout_cents: what a win pays, stake included.
        epoch: venue time of the quote.
        proposal_id: the venue's one-shot token, empty in backtests.
    """

    contract_type: ContractType
    ask_cents: int
    payout_cents: int
    epoch: int
    proposal_id: str = ""

    @property
    def ratio(self) -> float:
        """Net profit per unit of stake on a win."""
        return self.payout_cents / self.ask_cents - 1.0

    @property
    def break_even(self) -> float:
        """Win rate at which this quote has zero expected value."""
        return self.ask_cents / self.payout_cents


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, and why.

    Attributes:
        buy: True to buy ``preferred``.
        preferred: the contract type with the highest probability.
        probability: its calibrated win probability.
        edge: expected value per unit of stake at the quote; None without a usable quote.
        reason: closed reason code.
    """

    buy: bool
    preferred: ContractType
    probability: float
    edge: float | None
    reason: Reason


def preferred_side(probability: Mapping[ContractType, float]) -> ContractType:
    """The contract type to ask a quote for: the highest probability, the first one on a tie.

    Raises:
        ValueError: when the mapping is empty.
    """
    return max(probability, key=lambda side: probability[side])


def edge(probability: float, ask_cents: int, payout_cents: int) -> float:
    """Expected value per unit of stake: ``p * payout / ask - 1``."""
    return probability * payout_cents / ask_cents - 1.0


def decide(probability: Mapping[ContractType, float], quote: Quote | None, min_edge: float) -> Decision:
    """Buy when the expected value at the quoted payout reaches ``min_edge``.

    Args:
        probability: calibrated win probability by contract type, each in [0, 1].
        quote: the quote for the preferred side.
        min_edge: abstain below this expected value per unit of stake; at least 0.
    """
    side = preferred_side(probability)
    p = probability[side]
    if not all(math.isfinite(v) and 0.0 <= v <= 1.0 for v in probability.values()):
        return Decision(False, side, 0.5, None, Reason.NON_FINITE)
    if quote is None or quote.contract_type is not side:
        return Decision(False, side, p, None, Reason.NO_QUOTE)
    if quote.ask_cents <= 0 or quote.payout_cents <= quote.ask_cents:
        return Decision(False, side, p, None, Reason.BAD_QUOTE)
    value = edge(p, quote.ask_cents, quote.payout_cents)
    if value >= max(min_edge, 0.0) and value > 0.0:
        return Decision(True, side, p, value, Reason.EDGE)
    return Decision(False, side, p, value, Reason.NO_EDGE)
