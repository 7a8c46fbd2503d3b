"""One decision slot, from features to the journal and, when the champion wants to buy, to the gate."""

from __future__ import annotations

from live_runner.buying.buyer import Buyer
from live_runner.buying.purchase import Outcome, Purchase
from live_runner.buying.quotes import QuoteAnswer, Quoter
from live_runner.journal.writer import Journal
from live_runner.metrics import Metrics
from live_runner.models.roles import LoadedModel, ModelRoles, Role
from live_runner.trading.engine import Engine, Missed, Prediction
from live_runner.trading.market import Market, Spot
from live_runner.venue.client import TradingClient
from xtitan_core.clock import DAY, Clock, monotonic
from xtitan_core.contracts import Contract


class Decider:
    """Decides for the loaded models of one account.

    Args:
        clock: venue time.
        roles: loaded models.
        engine: decisions and shadow trades.
        quoter: asks for the quotes that decisions are made at.
        buyer: tries what the champion wants.
        journal: gets a record of every decision and every miss.
        metrics: its ``inference`` is observed.
    """

    def __init__(
        self,
        clock: Clock,
        roles: ModelRoles,
        engine: Engine,
        quoter: Quoter,
        buyer: Buyer,
        journal: Journal,
        metrics: Metrics,
    ) -> None:
        self._clock, self._roles, self._engine = clock, roles, engine
        self._quoter, self._buyer, self._journal, self._metrics = quoter, buyer, journal, metrics

    def due(self, epoch: int) -> bool:
        """True when this tick's epoch is a decision slot of anything loaded (or of the settings, with no model).

        Never once the gate was told to stop.
        """
        if self._buyer.stopped:
            return False
        loaded = self._roles.loaded()
        return any(self._engine.due(model, epoch) for _, model in loaded) if loaded else self._quoter.due(epoch)

    async def decide(self, client: TradingClient, market: Market, currency: str) -> Purchase | None:
        """Handle the slot of the market's newest tick.

        Args:
            client: the connection to ask and to buy on.
            market: stands at the slot's tick.
            currency: the account's.

        Returns:
            The attempt to buy, when there was one.

        Raises:
            LedgerFaultError: the ledger failed; the runner must end.
        """
        assert market.spot is not None
        self._engine.count_slot()
        quotes: dict[Contract, QuoteAnswer] = {}
        purchase = None
        if not self._roles.loaded():
            await self._quoter.record(client, market.spot, currency)
        for role, model in self._roles.loaded():
            if not self._engine.due(model, market.spot.epoch):
                continue
            prediction = self._predict(role, model, market, market.spot)
            if prediction is None:
                continue
            if prediction.contract not in quotes:
                quotes[prediction.contract] = await self._quoter.ask(client, prediction.contract, currency)
            answer = quotes[prediction.contract]
            conclusion = self._engine.conclude(prediction, answer.quote, self._clock.now(), answer.problem)
            self._journal.add(*conclusion.records)
            if conclusion.wanted is not None and self._roles.champion is model:
                purchase = await self._buyer.buy(client, conclusion.wanted, currency)
                if purchase.outcome is not Outcome.BOUGHT:
                    self._journal.add(self._engine.miss(prediction, f"{purchase.outcome}: {purchase.reason}"))
        return purchase

    def miss_between(self, last: int, epoch: int, reason: str) -> None:
        """Journal the slots strictly after ``last`` and before ``epoch`` as missed; a day's worth at most."""
        for missed in range(max(last + 1, epoch - DAY), epoch):
            for role, model in self._roles.loaded():
                if self._engine.due(model, missed):
                    self._journal.add(self._engine.miss_slot(role, model, missed, reason))

    def _predict(self, role: Role, model: LoadedModel, market: Market, spot: Spot) -> Prediction | None:
        """The model's prediction; None, journaled as a miss, when the tick is too old or the features are not ready."""
        stale = not -1.0 <= self._clock.now() - spot.epoch <= self._engine.settings.max_tick_age_s
        features = market.stream(model.session.spec_sha256)
        if stale or features is None:
            reason = Missed.STALE_TICK if stale else Missed.FEATURES_NOT_READY
            self._journal.add(self._engine.miss_slot(role, model, spot.epoch, reason))
            return None
        began = monotonic()
        prediction = self._engine.predict(role, model, spot.epoch, spot.quote, features)
        self._metrics.inference.observe(monotonic() - began)
        return prediction
