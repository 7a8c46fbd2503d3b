"""What a tick is to the market, and which feature streams follow it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from live_runner.trading.market import Market, Spot, TickKind
from xtitan_core.features.spec import FeatureError
from xtitan_core.features.stream import FeatureStream


def test_ticks_are_next_repeated_or_after_a_gap() -> None:
    market = Market("R_100", 2)
    assert market.classify(100) is TickKind.NEXT
    market.push(100, 640.0)
    assert [market.classify(e) for e in (98, 100, 102, 104)] == [
        TickKind.REPEATED,
        TickKind.REPEATED,
        TickKind.NEXT,
        TickKind.AFTER_GAP,
    ]


def test_the_age_is_infinite_before_the_first_tick() -> None:
    market = Market("R_100", 2)
    assert market.age(1e9) == float("inf")
    market.push(100, 640.0)
    assert market.age(103.5) == 3.5


def test_a_stream_must_end_where_the_market_is(warm_stream: Callable[[], FeatureStream]) -> None:
    stream = warm_stream()
    market = Market("R_100", 2)
    market.spot = Spot(stream.last_epoch + 2, 640.0)
    with pytest.raises(ValueError, match="ends at"):
        market.adopt(stream)
    market.spot = Spot(stream.last_epoch, 640.0)
    market.adopt(stream)
    market.push(stream.last_epoch + 2, 640.5)
    assert stream.last_epoch == market.spot.epoch
    assert market.stream(stream.spec.sha256) is stream


def test_an_impossible_quote_reaches_neither_features_nor_spot(warm_stream: Callable[[], FeatureStream]) -> None:
    stream = warm_stream()
    market = Market("R_100", 2)
    market.adopt(stream)
    market.spot = Spot(stream.last_epoch, 640.0)
    digest = stream.digest()
    with pytest.raises(FeatureError):
        market.push(stream.last_epoch + 2, float("nan"))
    assert market.spot == Spot(stream.last_epoch, 640.0)
    assert stream.digest() == digest


def test_streams_nobody_wants_are_dropped(warm_stream: Callable[[], FeatureStream]) -> None:
    stream = warm_stream()
    market = Market("R_100", 2)
    market.adopt(stream)
    market.keep_only({stream.spec.sha256})
    assert market.has(stream.spec)
    market.keep_only(set())
    assert market.stream(stream.spec.sha256) is None
