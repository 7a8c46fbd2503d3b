"""One decision slot, from features to journal: asks for the quotes the engine needs and brings its wishes to the gate."""

from __future__ import annotations

from live_runner.buying.gate import Gate, Outcome, Purchase
from live_runner.config import Settings
from live_runner.journal.bookkeeping import Books
from live_runner.ledger import Order
from live_runner.metrics import Metrics
from live_runner.models.roles import ModelRoles
from live_runner.trading.engine import Engine, Missed, Prediction, Wanted
from live_runner.trading.market import Market
from xtitan_core.clock import Clock, monotonic
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.decision import Quote
from xtitan_core.deriv import requests
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import DerivClientError, DerivError
from xtitan_core.deriv.protocol import Proposal
from xtitan_core.journal import QuoteRecord
from xtitan_core.staking import canary_stake

Quoted = tuple[Quote | None, str]


class Decider:
    """Decides for the loaded models of one account.

    Args:
        settings: stakes, limits and thresholds.
        market: ticks and features.
        engine: decisions and shadow trades.
        roles: loaded models.
        books: ledger and journal.
        gate: the only way to buy.
        clock: venue time.
        metrics: counters to keep.
    """

    def __init__(
        self,
        settings: Settings,
        market: Market,
        engine: Engine,
        roles: ModelRoles,
        books: Books,
        gate: Gate,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings, self._market, self._engine = settings, market, engine
        self._roles, self._books, self._gate, self._clock, self._metrics = roles, books, gate, clock, metrics
        self._stakes: dict[tuple[int, int], tuple[int, float]] = {}
        self.currency = "USD"

    def due(self, epoch: int) -> bool:
        """True when this tick's epoch is a decision slot of anything loaded (or of the settings, with no model)."""
        loaded = self._roles.loaded()
        if not loaded:
            return epoch % self._settings.slot_seconds == 0
        return any(self._engine.due(model, epoch) for _, model in loaded)

    async def decide(self, client: DerivClient, epoch: int, spot: float) -> Purchase | None:
        """Handle the slot of this tick.

        Returns:
            The attempt to buy, when there was one.

        Raises:
            LedgerFaultError: the ledger failed; the runner must end.
        """
        self._engine.tally.slots += 1
        quotes: dict[Contract, Quoted] = {}
        purchase = None
        if not self._roles.loaded():
            await self._collect(client, epoch, spot)
        for role, model in self._roles.loaded():
            if not self._engine.due(model, epoch):
                continue
            problem = self._unfit(epoch)
            features = self._market.stream(model.session.spec_sha256)
            if problem or features is None:
                self._books.journal.add(
                    self._engine.miss_slot(role, model, epoch, problem or Missed.FEATURES_NOT_READY)
                )
                continue
            began = monotonic()
            prediction = self._engine.predict(role, model, epoch, spot, features)
            self._metrics.inference.observe(monotonic() - began)
            if prediction.contract not in quotes:
                quotes[prediction.contract] = await self._quote(client, prediction.contract)
            quote, problem = quotes[prediction.contract]
            conclusion = self._engine.conclude(prediction, quote, self._clock.now(), problem)
            self._books.journal.add(*conclusion.records)
            if conclusion.wanted is not None and self._roles.champion is model:
                purchase = await self._buy(client, conclusion.wanted)
        return purchase

    async def _collect(self, client: DerivClient, epoch: int, spot: float) -> None:
        """Record one quote of the slot, rise and fall in turn: evidence later needs to know what was paid."""
        rise = epoch // self._settings.slot_seconds % 2 == 0
        contract = Contract(
            ContractType.CALL if rise else ContractType.PUT,
            self._settings.quoted_duration,
            DurationUnit(self._settings.quoted_unit),
        )
        quote, _ = await self._quote(client, contract)
        if quote is not None:
            self._engine.tally.quotes += 1
            self._books.journal.add(
                QuoteRecord(
                    epoch=quote.epoch,
                    symbol=self._settings.symbol,
                    spot=spot,
                    contract_type=contract.contract_type,
                    duration=contract.duration,
                    duration_unit=contract.unit,
                    ask_cents=quote.ask_cents,
                    payout_cents=quote.payout_cents,
                )
            )

    def miss(self, epoch: int, reason: str) -> None:
        """Journal a slot that passed while nobody could decide."""
        for role, model in self._roles.loaded():
            if self._engine.due(model, epoch):
                self._books.journal.add(self._engine.miss_slot(role, model, epoch, reason))

    def _unfit(self, epoch: int) -> str:
        age = self._clock.now() - epoch
        return "" if -1.0 <= age <= self._settings.limits.max_tick_age_s else Missed.STALE_TICK

    async def _quote(self, client: DerivClient, contract: Contract) -> Quoted:
        payload = requests.proposal(self._settings.symbol, contract, self._settings.shadow_stake_cents, self.currency)
        try:
            proposal = Proposal.from_frame(await client.request(payload))
        except DerivError as error:
            return None, error.code
        except DerivClientError as error:
            return None, type(error).__name__
        kind = contract.contract_type
        return Quote(kind, proposal.ask_cents, proposal.payout_cents, int(self._clock.now()), proposal.id), ""

    async def _buy(self, client: DerivClient, wanted: Wanted) -> Purchase:
        # What explains a purchase must be on disk before the purchase can exist.
        self._books.journal.flush()
        prediction = wanted.prediction
        stake, ratio = self._canary(wanted.quote)
        order = Order(
            decision_id=prediction.decision_id,
            bundle_id=prediction.model.bundle_id,
            model_name=prediction.model.name,
            symbol=self._settings.symbol,
            contract=prediction.contract,
            currency=self.currency,
            stake_cents=stake,
            probability=wanted.probability,
            min_edge=wanted.min_edge,
            expected_ratio=ratio,
        )
        purchase = await self._gate.purchase(client, order, self._market.age(self._clock.now()))
        self._metrics.purchases.labels(str(purchase.outcome)).inc()
        if purchase.outcome is Outcome.BOUGHT and purchase.intent is not None:
            self._books.note(purchase.intent)
        else:
            self._miss_purchase(prediction, purchase)
        return purchase

    def _miss_purchase(self, prediction: Prediction, purchase: Purchase) -> None:
        self._books.journal.add(self._engine.miss(prediction, f"{purchase.outcome}: {purchase.reason}"))

    def _canary(self, quote: Quote) -> tuple[int, float]:
        """Smallest faithful stake at this quote; searched once per distinct quote."""
        key = (quote.ask_cents, quote.payout_cents)
        if key not in self._stakes:
            self._stakes.clear()
            self._stakes[key] = canary_stake(*key, minimum_cents=self._settings.limits.min_stake_cents)
        return self._stakes[key]
