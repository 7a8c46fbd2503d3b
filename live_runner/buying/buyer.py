"""Brings what the champion wants to the gate: the stake, the order, and the journal around the attempt."""

from __future__ import annotations

from live_runner.buying.gate import Gate
from live_runner.buying.purchase import Outcome, Purchase
from live_runner.config import Settings
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.ledger import Order
from live_runner.metrics import Metrics
from live_runner.trading.engine import Wanted
from live_runner.venue.client import TradingClient
from xtitan_core.clock import Clock
from xtitan_core.decision import Quote
from xtitan_core.staking import canary_stake


class Buyer:
    """Turns a wanted purchase into an order and tries it at the gate."""

    def __init__(
        self, settings: Settings, clock: Clock, gate: Gate, bookkeeping: Bookkeeping, metrics: Metrics
    ) -> None:
        self._settings, self._clock, self._gate = settings, clock, gate
        self._bookkeeping, self._metrics = bookkeeping, metrics
        self._stakes: dict[tuple[int, int], tuple[int, float]] = {}

    @property
    def stopped(self) -> bool:
        """True once the gate was told to buy nothing any more."""
        return self._gate.stopped

    async def buy(self, client: TradingClient, wanted: Wanted, currency: str) -> Purchase:
        """One attempt to buy. The wanted prediction must be of the market's newest tick.

        Raises:
            LedgerFaultError: the ledger failed; the runner must end.
        """
        # What explains a purchase must be on disk before the purchase can exist.
        self._bookkeeping.journal.flush()
        prediction = wanted.prediction
        stake, ratio = self._canary(wanted.quote)
        order = Order(
            decision_id=prediction.decision_id,
            bundle_id=prediction.model.bundle_id,
            model_name=prediction.model.name,
            symbol=self._settings.symbol,
            contract=prediction.contract,
            currency=currency,
            stake_cents=stake,
            probability=wanted.probability,
            min_edge=wanted.min_edge,
            expected_ratio=ratio,
        )
        purchase = await self._gate.purchase(client, order, self._clock.now() - prediction.epoch)
        self._metrics.purchases.labels(str(purchase.outcome)).inc()
        if purchase.outcome is Outcome.BOUGHT and purchase.intent is not None:
            self._bookkeeping.note(purchase.intent)
        return purchase

    def _canary(self, quote: Quote) -> tuple[int, float]:
        """Smallest faithful stake at this quote; searched once per distinct quote."""
        key = (quote.ask_cents, quote.payout_cents)
        if key not in self._stakes:
            self._stakes.clear()
            self._stakes[key] = canary_stake(*key, minimum_cents=self._settings.limits.min_stake_cents)
        return self._stakes[key]
