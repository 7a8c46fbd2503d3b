"""The engine: which records and wishes follow from a prediction and a quote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from live_runner.models.onnx_model import OnnxModel
from live_runner.models.roles import LoadedModel
from live_runner.trading.engine import Engine, EngineSettings, Prediction
from xtitan_core.bundle.manifest import DecisionRule
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.contracts import ContractType
from xtitan_core.decision import Quote
from xtitan_core.features.spec import FeatureSpec
from xtitan_core.features.stream import FeatureStream
from xtitan_core.journal import DecisionRecord, MissedRecord, ShadowTradeRecord

SETTINGS = EngineSettings("R_100", min_edge=0.0, latency_seconds=0, settle_every_slot=False, max_tick_age_s=5.0)
EPOCH = 1_772_410_200
Warm = Callable[[], FeatureStream]


@pytest.fixture
def model(releases: Any, warm_stream: Warm) -> LoadedModel:
    spec: FeatureSpec = warm_stream().spec
    bundle_id = releases.bundle(spec=spec, decision=DecisionRule(min_edge=0.03, slot_seconds=14, latency_seconds=1))
    (folder,) = [path.parent for path in releases.folder.rglob("model.onnx") if path.parent.name == bundle_id]
    bundle = verify(read_files(folder), [releases.private.public_key()], EPOCH)
    return LoadedModel("1", OnnxModel(bundle))


@pytest.fixture
def prediction(model: LoadedModel, warm_stream: Warm) -> Prediction:
    return Engine(SETTINGS).predict("champion", model, EPOCH, 640.0, warm_stream())


def quote(prediction: Prediction, ask: int = 1_000, payout: int = 1_950) -> Quote:
    return Quote(prediction.contract.contract_type, ask, payout, EPOCH)


def sure(prediction: Prediction, p: float) -> Prediction:
    side = prediction.contract.contract_type
    return replace(prediction, probability={kind: p if kind is side else 1 - p for kind in prediction.probability})


def test_a_prediction_asks_for_the_likelier_side(prediction: Prediction) -> None:
    assert sum(prediction.probability.values()) == pytest.approx(1.0, abs=1e-6)
    side = max(prediction.probability, key=lambda kind: prediction.probability[kind])
    assert prediction.contract.contract_type is side
    assert prediction.contract.duration == 5
    assert len(prediction.features_sha256) == 16


def test_a_champion_with_an_edge_wants_to_buy_and_shadows_itself(prediction: Prediction) -> None:
    engine = Engine(SETTINGS)
    conclusion = engine.conclude(sure(prediction, 0.6), quote(prediction), EPOCH)
    decision, shadow = conclusion.records
    assert isinstance(decision, DecisionRecord)
    assert (decision.action, decision.reason) == ("buy", "edge")
    assert decision.edge == pytest.approx(0.17)
    assert isinstance(shadow, ShadowTradeRecord)
    assert shadow.counted
    assert shadow.epoch == EPOCH + 1  # the manifest's latency
    assert conclusion.wanted is not None
    assert conclusion.wanted.min_edge == 0.03


def test_a_shadow_never_wants_to_buy(prediction: Prediction) -> None:
    watched = replace(sure(prediction, 0.6), role="shadow")
    conclusion = Engine(SETTINGS).conclude(watched, quote(prediction), EPOCH)
    assert conclusion.wanted is None
    assert isinstance(conclusion.records[1], ShadowTradeRecord)


@pytest.mark.parametrize(("own", "expected"), [(0.0, "buy"), (0.02, "buy"), (0.05, "abstain")])
def test_the_runner_may_be_stricter_than_the_manifest_never_laxer(
    prediction: Prediction, own: float, expected: str
) -> None:
    engine = Engine(replace(SETTINGS, min_edge=own))
    at = {"buy": 0.533, "abstain": 0.533}[expected]  # an edge of 3.9 %: above the manifest's 3 %
    (decision, *_) = engine.conclude(sure(prediction, at), quote(prediction), EPOCH).records
    assert isinstance(decision, DecisionRecord)
    assert decision.action == expected
    (below, *_) = engine.conclude(sure(prediction, 0.52), quote(prediction), EPOCH).records
    assert isinstance(below, DecisionRecord)
    assert below.action == "abstain"  # 1.4 %: below the manifest's, whatever the runner's


@pytest.mark.parametrize("every_slot", [False, True])
def test_an_abstained_slot_is_settled_only_when_asked_and_never_counted(
    prediction: Prediction, every_slot: bool
) -> None:
    engine = Engine(replace(SETTINGS, settle_every_slot=every_slot))
    conclusion = engine.conclude(sure(prediction, 0.501), quote(prediction), EPOCH)
    shadows = [r for r in conclusion.records if isinstance(r, ShadowTradeRecord)]
    assert [s.counted for s in shadows] == ([False] if every_slot else [])
    assert conclusion.wanted is None
    for k in range(1, 8):
        engine.tick(EPOCH + 2 * k, 640.0 + k)
    assert (engine.tally.shadow_counted, engine.tally.shadow_uncounted) == (0, int(every_slot))


@pytest.mark.parametrize(
    ("probability", "given", "late", "reason"),
    [
        (0.6, None, 0, "no_quote"),
        (0.6, (1_000, 1_950), 6, "stale_quote"),
        (0.6, (1_000, 900), 0, "bad_quote"),
        (float("nan"), (1_000, 1_950), 0, "non_finite"),
    ],
)
def test_a_slot_without_a_fair_chance_is_published_as_missed(
    prediction: Prediction, probability: float, given: tuple[int, int] | None, late: int, reason: str
) -> None:
    engine = Engine(replace(SETTINGS, settle_every_slot=True))
    offered = None if given is None else quote(prediction, *given)
    conclusion = engine.conclude(sure(prediction, probability), offered, EPOCH + late, "RateLimit" if not given else "")
    decision, missed = conclusion.records
    assert isinstance(decision, DecisionRecord)
    assert (decision.action, decision.reason) == ("abstain", reason)
    assert isinstance(missed, MissedRecord)
    assert missed.reason.startswith(reason)
    assert conclusion.wanted is None
    assert len(engine.shadow_trades) == 0


def test_counted_and_uncounted_settlements_are_told_apart_after_a_restart(prediction: Prediction) -> None:
    before = Engine(replace(SETTINGS, settle_every_slot=True))
    counted = before.conclude(sure(prediction, 0.6), quote(prediction), EPOCH).records[1]
    later = replace(sure(prediction, 0.501), epoch=EPOCH + 14, decision_id="later")
    uncounted = before.conclude(later, quote(prediction), EPOCH + 14).records[1]
    assert isinstance(counted, ShadowTradeRecord)
    assert isinstance(uncounted, ShadowTradeRecord)
    after = Engine(SETTINGS)
    after.restore([counted, uncounted])
    rising = prediction.contract.contract_type is ContractType.CALL
    for k in range(1, 20):
        after.tick(EPOCH + 2 * k, 640.0 + (k if rising else -k))
    assert (after.tally.shadow_counted, after.tally.shadow_counted_won) == (1, 1)
    assert (after.tally.shadow_uncounted, after.tally.shadow_uncounted_won) == (1, 1)


def test_a_shadow_trade_cannot_start_before_its_quote_was_in_hand(prediction: Prediction) -> None:
    """Otherwise its entry would be a tick that nobody could have bought any more."""
    engine = Engine(SETTINGS)
    shadow = engine.conclude(sure(prediction, 0.6), quote(prediction), EPOCH + 3.7).records[1]
    assert isinstance(shadow, ShadowTradeRecord)
    assert shadow.epoch == EPOCH + 3
    prompt = replace(sure(prediction, 0.6), decision_id="prompt")
    shadow = engine.conclude(prompt, quote(prediction), EPOCH + 0.2).records[1]
    assert isinstance(shadow, ShadowTradeRecord)
    assert shadow.epoch == EPOCH + 1, "the manifest's latency is the least"


def test_a_trade_of_another_symbol_is_not_settled_on_this_ones_ticks(prediction: Prediction) -> None:
    left = Engine(SETTINGS).conclude(sure(prediction, 0.6), quote(prediction), EPOCH).records[1]
    assert isinstance(left, ShadowTradeRecord)
    other = Engine(replace(SETTINGS, symbol="R_50"))
    other.restore([left])
    assert [s for k in range(1, 20) for s in other.tick(EPOCH + 2 * k, 90.0 + k)] == []


def test_slots_lie_on_the_manifests_grid(model: LoadedModel) -> None:
    assert [epoch for epoch in range(EPOCH, EPOCH + 60) if Engine.due(model, epoch)] == [
        epoch for epoch in range(EPOCH, EPOCH + 60) if epoch % 14 == 0
    ]
