"""From the ledger to the journal: writes the contracts that the ledger knows and the journal does not have yet.

The ledger is authoritative about money; the journal is what the pipeline reads. A purchase that was booked but not yet
journaled when the process died, or whose outcome recovery established, is journaled by the next ``catch_up``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from live_runner.journal.writer import Journal
from live_runner.ledger import Intent, Ledger
from xtitan_core.journal import TradeRecord, TradeSettlementRecord

Outcome = Literal["won", "lost", "refunded"]


@dataclass
class TradeTally:
    """Contracts journaled by this process.

    Attributes:
        opened, settled, won: counts.
        profit_cents: settlement amounts minus prices of the settled ones.
    """

    opened: int = 0
    settled: int = 0
    won: int = 0
    profit_cents: int = 0


class Bookkeeping:
    """Ledger and journal of one account, kept in step.

    Attributes:
        tally: what this process journaled.
    """

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self.ledger, self.journal = ledger, journal
        self.tally = TradeTally()

    def note(self, intent: Intent) -> None:
        """Journal an intent's purchase and settlement, whatever of them is known and not journaled yet."""
        if intent.contract_id is None or intent.buy_cents is None or intent.bought_payout_cents is None:
            return
        index = self.journal.index
        if intent.contract_id not in index.trades:
            self.journal.add(_trade(intent))
            self.tally.opened += 1
        if intent.outcome is None or intent.contract_id in index.settlements:
            return
        assert intent.sell_cents is not None
        assert intent.sell_time is not None
        assert intent.balance_cents is not None
        self.journal.add(
            TradeSettlementRecord(
                epoch=intent.sell_time,
                intent_id=intent.intent_id,
                contract_id=intent.contract_id,
                bundle_id=intent.bundle_id,
                outcome=cast(Outcome, intent.outcome),
                sell_cents=intent.sell_cents,
                balance_cents=intent.balance_cents,
            )
        )
        self.tally.settled += 1
        self.tally.won += intent.outcome == "won"
        self.tally.profit_cents += intent.sell_cents - intent.buy_cents

    def catch_up(self) -> None:
        """Journal everything the ledger knows and the journal does not: after a start and after each recovery."""
        for intent in self.ledger.intents.trades():
            self.note(intent)


def _trade(intent: Intent) -> TradeRecord:
    assert intent.contract_id is not None
    assert intent.buy_cents is not None
    assert intent.bought_payout_cents is not None
    assert intent.purchase_time is not None
    return TradeRecord(
        epoch=intent.purchase_time,
        intent_id=intent.intent_id,
        decision_id=intent.decision_id,
        bundle_id=intent.bundle_id,
        model_name=intent.model_name,
        symbol=intent.symbol,
        contract_id=intent.contract_id,
        contract_type=str(intent.contract.contract_type),
        duration=intent.contract.duration,
        duration_unit=str(intent.contract.unit),
        buy_cents=intent.buy_cents,
        payout_cents=intent.bought_payout_cents,
        probability=intent.probability,
    )
