"""From a tick to decisions. A pure state machine: its callers ask for quotes and go to the gate.

Ids are functions of symbol, epoch, role and bundle, so the same decision always has the same id.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from live_runner.models.roles import LoadedModel, Role
from live_runner.trading.shadow import ShadowTrades
from xtitan_core.contracts import Contract, ContractType
from xtitan_core.decision import Quote, Reason, decide, preferred_side
from xtitan_core.features.stream import FeatureStream
from xtitan_core.journal import (
    AnyRecord,
    DecisionRecord,
    MissedRecord,
    ShadowSettlementRecord,
    ShadowTradeRecord,
)


class Missed(StrEnum):
    """Why a slot passed without a prediction; misses after one carry the decision's reason or the gate's outcome."""

    STALE_TICK = "stale_tick"  # the tick of the slot was older than max_tick_age_s when its turn came
    FEATURES_NOT_READY = "features_not_ready"  # the features are not warmed up, or history does not reach back
    RECONNECT = "reconnect"  # there was no connection at the slot
    GAP = "gap"  # the slot's tick never came on the stream


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine needs of the runner's settings; the manifest can only be stricter.

    Attributes:
        symbol: the one symbol.
        min_edge: abstain below this edge.
        latency_seconds: delay between decision and start of the contract.
        settle_every_slot: open an uncounted shadow trade where the model abstains for lack of edge.
        max_tick_age_s: a tick is stale at this age, and a quote that arrives later than this after its tick.
    """

    symbol: str
    min_edge: float
    latency_seconds: int
    settle_every_slot: bool
    max_tick_age_s: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model in one role says at one slot.

    Attributes:
        probability: calibrated win probability by contract type.
        contract: the preferred one: the only contract a quote is asked for.
    """

    decision_id: str
    role: Role
    model: LoadedModel
    epoch: int
    spot: float
    probability: dict[ContractType, float]
    contract: Contract
    features_sha256: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A purchase the champion wants: everything the gate needs besides the stake."""

    prediction: Prediction
    quote: Quote
    probability: float
    min_edge: float


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What one decision leads to."""

    records: list[AnyRecord]
    wanted: Wanted | None = None


@dataclass
class Tally:
    """Counts of this process, for the summary and the metrics."""

    slots: int = 0
    quotes: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    shadow_counted: int = 0
    shadow_counted_won: int = 0
    shadow_uncounted: int = 0
    shadow_uncounted_won: int = 0

    @property
    def shadow_settled(self) -> int:
        """Counted and uncounted settlements."""
        return self.shadow_counted + self.shadow_uncounted


class Engine:
    """Decisions and shadow trades of both roles.

    Attributes:
        shadow_trades: open shadow trades.
        tally: counts since this process started.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.shadow_trades = ShadowTrades()
        self.tally = Tally()
        self._counted: set[str] = set()

    def restore(self, trades: list[ShadowTradeRecord]) -> None:
        """Take over the shadow trades of this symbol that an earlier process left open."""
        own = [trade for trade in trades if trade.symbol == self.settings.symbol]
        self.shadow_trades.restore(own)
        self._counted.update(trade.trade_id for trade in own if trade.counted)

    def count_slot(self) -> None:
        """A decision slot is being handled."""
        self.tally.slots += 1

    def count_quote(self) -> None:
        """A quote was recorded at a slot without models."""
        self.tally.quotes += 1

    def tick(self, epoch: int, quote: float) -> list[ShadowSettlementRecord]:
        """Settle the shadow trades that this tick ends."""
        settled = self.shadow_trades.tick(epoch, quote)
        for record in settled:
            won = record.outcome == "won"
            if record.trade_id in self._counted:
                self._counted.discard(record.trade_id)
                self.tally.shadow_counted += 1
                self.tally.shadow_counted_won += won
            else:
                self.tally.shadow_uncounted += 1
                self.tally.shadow_uncounted_won += won
        return settled

    @staticmethod
    def due(model: LoadedModel, epoch: int) -> bool:
        """True when the model decides at a tick with this epoch."""
        return epoch % model.onnx.manifest.decision.slot_seconds == 0

    def predict(self, role: Role, model: LoadedModel, epoch: int, spot: float, features: FeatureStream) -> Prediction:
        """Run the model of one role on the current windows."""
        ticks, candles = features.windows()
        probability = model.onnx.probabilities(ticks, candles)
        # NaN compares false with everything: without this the order of the mapping would choose the side.
        finite = {side: p for side, p in probability.items() if math.isfinite(p)} or probability
        return Prediction(
            decision_id=self._decision_id(role, model, epoch),
            role=role,
            model=model,
            epoch=epoch,
            spot=spot,
            probability=probability,
            contract=model.onnx.contracts[preferred_side(finite)],
            features_sha256=features.digest(),
        )

    def conclude(self, prediction: Prediction, quote: Quote | None, now: float, problem: str = "") -> Conclusion:
        """Decide on a prediction with the quote the venue gave.

        Args:
            prediction: what the model said.
            quote: the quote for the preferred contract at the shadow stake, or None when there is none.
            now: venue time at which the quote was in hand.
            problem: why there is no quote: the venue's code.
        """
        manifest = prediction.model.onnx.manifest
        min_edge = max(self.settings.min_edge, manifest.decision.min_edge)
        decision = decide(prediction.probability, quote, min_edge)
        reason, buy = decision.reason, decision.buy
        if quote is not None and now - prediction.epoch > self.settings.max_tick_age_s:
            reason, buy = Reason.STALE_QUOTE, False
        self.tally.decisions[str(reason)] += 1
        records: list[AnyRecord] = [
            DecisionRecord(
                epoch=prediction.epoch,
                decision_id=prediction.decision_id,
                role=prediction.role,
                bundle_id=prediction.model.bundle_id,
                model_name=prediction.model.name,
                symbol=self.settings.symbol,
                spot=prediction.spot,
                probability={str(side): p for side, p in prediction.probability.items() if math.isfinite(p)},
                preferred=str(decision.preferred),
                action="buy" if buy else "abstain",
                reason=str(reason),
                ask_cents=None if quote is None else quote.ask_cents,
                payout_cents=None if quote is None else quote.payout_cents,
                edge=decision.edge,
                features_sha256=prediction.features_sha256,
            )
        ]
        if quote is None or reason not in (Reason.EDGE, Reason.NO_EDGE):
            detail = f"{reason}: {problem}" if problem else str(reason)
            records.append(self.miss(prediction, detail))
            return Conclusion(records)
        if buy or self.settings.settle_every_slot:
            records.append(self._open(prediction, quote, decision.probability, now, counted=buy))
        if buy and prediction.role == "champion":
            return Conclusion(records, Wanted(prediction, quote, decision.probability, min_edge))
        return Conclusion(records)

    def miss(self, prediction: Prediction, reason: str) -> MissedRecord:
        """A prediction that led to no trade that counts; it is journaled all the same."""
        return self._missed(prediction.epoch, prediction.decision_id, prediction.model, reason)

    def miss_slot(self, role: Role, model: LoadedModel, epoch: int, reason: str) -> MissedRecord:
        """A slot at which no prediction was possible."""
        return self._missed(epoch, self._decision_id(role, model, epoch), model, reason)

    def _missed(self, epoch: int, decision_id: str, model: LoadedModel, reason: str) -> MissedRecord:
        self.tally.missed[reason.partition(":")[0]] += 1
        return MissedRecord(epoch=epoch, decision_id=decision_id, bundle_id=model.bundle_id, reason=reason)

    def _open(
        self, prediction: Prediction, quote: Quote, probability: float, now: float, *, counted: bool
    ) -> ShadowTradeRecord:
        manifest = prediction.model.onnx.manifest
        latency = max(self.settings.latency_seconds, manifest.decision.latency_seconds)
        trade = ShadowTradeRecord(
            # A purchase starts in the second in which it is made, and none can be made before its quote is there.
            epoch=max(prediction.epoch + latency, int(now)),
            trade_id=f"shadow-{prediction.decision_id}",
            decision_id=prediction.decision_id,
            bundle_id=prediction.model.bundle_id,
            model_name=prediction.model.name,
            symbol=self.settings.symbol,
            contract_type=str(prediction.contract.contract_type),
            duration=prediction.contract.duration,
            duration_unit=str(prediction.contract.unit),
            ask_cents=quote.ask_cents,
            payout_cents=quote.payout_cents,
            probability=probability,
            counted=counted,
        )
        self.shadow_trades.open(trade)
        if counted:
            self._counted.add(trade.trade_id)
        return trade

    def _decision_id(self, role: Role, model: LoadedModel, epoch: int) -> str:
        return f"{self.settings.symbol}-{epoch}-{role}-{model.bundle_id[:12]}"
