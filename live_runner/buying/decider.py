"""One decision slot, from features over the quote to the journal and, when the champion wants to buy, to the gate."""

from __future__ import annotations

from dataclasses import dataclass

from live_runner.buying.gate import Gate
from live_runner.buying.purchase import Outcome, Purchase
from live_runner.config import Settings
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.journal.writer import Journal
from live_runner.ledger import Order
from live_runner.metrics import Metrics
from live_runner.models.roles import LoadedModel, ModelRoles, Role
from live_runner.trading.engine import Engine, Missed, Prediction, Wanted
from live_runner.trading.market import Market, Spot
from live_runner.venue.client import ReadingClient, TradingClient
from xtitan_core.clock import DAY, Clock, monotonic
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.decision import Quote
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import DerivClientError, DerivError
from xtitan_core.deriv.protocol import Proposal
from xtitan_core.journal import QuoteRecord
from xtitan_core.staking import canary_stake


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """A quote, or why there is none: the venue's error code, or the name of the client's error."""

    quote: Quote | None
    problem: str = ""


class Quoter:
    """Asks for quotes at the shadow stake."""

    def __init__(self, settings: Settings, clock: Clock, engine: Engine, journal: Journal) -> None:
        """Engine and journal take the quotes that are recorded while no model is loaded."""
        self._settings, self._clock, self._engine, self._journal = settings, clock, engine, journal

    async def ask(self, client: ReadingClient, contract: Contract, currency: str) -> QuoteAnswer:
        """One quote; a quote that is refused or does not come is an answer, not an error."""
        symbol, stake_cents = self._settings.symbol, self._settings.shadow_stake_cents
        payload = requests.proposal(symbol, contract, stake_cents, currency)
        try:
            proposal = Proposal.from_frame(await client.request(payload))
        except DerivError as error:
            return QuoteAnswer(None, error.code)
        except DerivClientError as error:
            return QuoteAnswer(None, type(error).__name__)
        kind, now = contract.contract_type, int(self._clock.now())
        return QuoteAnswer(Quote(kind, proposal.ask_cents, proposal.payout_cents, now, proposal.id))

    def due(self, epoch: int) -> bool:
        """True when a quote is recorded at this epoch while no model is loaded."""
        return epoch % self._settings.slot_seconds == 0

    async def record(self, client: ReadingClient, spot: Spot, currency: str) -> None:
        """Record one quote of a slot without models, rise and fall in turn: evidence later needs to know the price."""
        rise = spot.epoch // self._settings.slot_seconds % 2 == 0
        contract = Contract(
            ContractType.CALL if rise else ContractType.PUT,
            self._settings.quoted_duration,
            DurationUnit(self._settings.quoted_unit),
        )
        quote = (await self.ask(client, contract, currency)).quote
        if quote is None:
            return
        self._engine.count_quote()
        self._journal.add(
            QuoteRecord(
                epoch=quote.epoch,
                symbol=self._settings.symbol,
                spot=spot.quote,
                contract_type=contract.contract_type,
                duration=contract.duration,
                duration_unit=contract.unit,
                ask_cents=quote.ask_cents,
                payout_cents=quote.payout_cents,
            )
        )


class Buyer:
    """Turns a wanted purchase into an order and tries it at the gate."""

    def __init__(
        self, settings: Settings, clock: Clock, gate: Gate, bookkeeping: Bookkeeping, metrics: Metrics
    ) -> None:
        self._settings, self._clock, self._gate = settings, clock, gate
        self._bookkeeping, self._metrics = bookkeeping, metrics
        self._stakes: dict[tuple[int, int], tuple[int, float]] = {}

    def stop(self) -> None:
        """Buy nothing any more, for the rest of this process."""
        self._gate.stop()

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
        self._stopped = False

    def stop(self) -> None:
        """Decide and buy nothing any more, for the rest of this process."""
        self._stopped = True
        self._buyer.stop()

    async def decide(self, client: TradingClient, market: Market, currency: str) -> Purchase | None:
        """Decide for every model whose slot the market's newest tick is; without any model, record a quote.

        Args:
            client: the connection to ask and to buy on.
            market: stands at the tick.
            currency: the account's.

        Returns:
            The attempt to buy, when there was one.

        Raises:
            LedgerFaultError: the ledger failed; the runner must end.
        """
        spot, loaded = market.spot, self._roles.loaded()
        if spot is None or self._stopped:
            return None
        due = [(role, model) for role, model in loaded if self._engine.due(model, spot.epoch)]
        if not due and (loaded or not self._quoter.due(spot.epoch)):
            return None
        self._engine.count_slot()
        if not due:
            await self._quoter.record(client, spot, currency)
        quotes: dict[Contract, QuoteAnswer] = {}
        purchase = None
        for role, model in due:
            prediction = self._predict(role, model, market, spot)
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
        features = market.stream(model.onnx.spec_sha256)
        if stale or features is None:
            reason = Missed.STALE_TICK if stale else Missed.FEATURES_NOT_READY
            self._journal.add(self._engine.miss_slot(role, model, spot.epoch, reason))
            return None
        began = monotonic()
        prediction = self._engine.predict(role, model, spot.epoch, spot.quote, features)
        self._metrics.inference.observe(monotonic() - began)
        return prediction
