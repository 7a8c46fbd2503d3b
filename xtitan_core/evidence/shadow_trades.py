"""Records of the evidence: who was registered, what entered a bankroll, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from xtitan_core.evidence.bounds import EdgeCeiling
from xtitan_core.evidence.cash_account import Outcome


class Excluded(StrEnum):
    """Why a shadow trade is not evidence. Closed; the counts are published."""

    NOT_WANTED = "not_wanted"  # the model abstained; settled for the printed bound only
    BEFORE_REGISTRATION = "before_registration"  # decided before the candidate was registered
    NO_ACCOUNT = "no_account"  # no session record names the account it was quoted on
    OTHER_ACCOUNT = "other_account"  # quoted on another account than the candidate's first trade
    OTHER_SYMBOL = "other_symbol"  # a symbol that the candidate was not registered for
    COMMISSION_MOVED = "commission_moved"  # the commission moved by more than 0.3 points since the first trade
    DUPLICATE = "duplicate"  # this trade was recorded before


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered model.

    Attributes:
        bundle_id: SHA-256 of its manifest.
        sequence: registration counter of the lineage.
        registered_epoch: venue time; only later decisions count.
        symbols: what it was trained to trade.
    """

    bundle_id: str
    sequence: int
    registered_epoch: int
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One purchase (outcome None) or settlement that entered a bankroll, in the order it became known.

    Attributes:
        account: ``environment:account`` it was quoted on.
        own, lineage: which of the two bankrolls it entered.
    """

    trade_id: str
    bundle_id: str
    account: str
    epoch: int
    ask_cents: int
    payout_cents: int
    outcome: Outcome | None
    own: bool
    lineage: bool


@dataclass(slots=True)
class Tally:
    """Counts over settled trades, and the edge that they leave possible."""

    settled: int = 0
    wins: int = 0
    refunds: int = 0
    ratio_sum: float = 0.0
    purchased: int = 0
    ceiling: EdgeCeiling = field(default_factory=EdgeCeiling)

    def purchase(self, trade_id: str, ratio: float) -> None:
        self.ceiling.purchase(trade_id, ratio)
        self.ratio_sum += ratio
        self.purchased += 1

    def settle(self, trade_id: str, outcome: Outcome) -> None:
        self.ceiling.settle(trade_id, outcome)
        self.settled += 1
        self.wins += outcome is Outcome.WON
        self.refunds += outcome is Outcome.REFUNDED

    @property
    def losses(self) -> int:
        return self.settled - self.wins - self.refunds

    @property
    def ratio(self) -> float:
        """Mean quoted payout ratio; 0 without trades."""
        return self.ratio_sum / self.purchased if self.purchased else 0.0

    @property
    def win_rate(self) -> float:
        """Share of wins among decided trades; 0 without any."""
        decided = self.settled - self.refunds
        return self.wins / decided if decided else 0.0
