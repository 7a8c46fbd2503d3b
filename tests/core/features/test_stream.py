"""The stream gives the bytes of the batch: whatever the gaps, the chunks, the restarts and the midnights."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtitan_core.clock import DAY, midnight
from xtitan_core.features import (
    DEFAULT_SPEC,
    FeatureError,
    FeatureSpec,
    FeatureStream,
    day_features,
    earliest_tick,
    windows,
)
from xtitan_core.features.indicators import IndicatorHandles
from xtitan_core.randomness import stream

START = 1_772_409_600  # 2026-03-02
SPEC = FeatureSpec(tick_window=16, bar_seconds=600, bar_window=8, anchor_bars=80)
Ticks = tuple[np.ndarray, np.ndarray]


def market(seed: int, days: float, gap_chance: float, flat_chance: float, step: int = 120) -> Ticks:
    """Ticks from ``START`` on: jittered spacing, gaps up to nine hours, stretches where the price stands still."""
    rng = stream(seed, "market")
    n = int(days * DAY / step)
    steps = rng.integers(1, 2 * step, n)
    gaps = rng.random(n) < gap_chance
    steps[gaps] += rng.integers(600, 9 * 3_600, int(gaps.sum()))
    returns = rng.normal(0.0, 1e-3, n)
    for at in np.flatnonzero(rng.random(n) < flat_chance):
        returns[at : at + int(rng.integers(5, 400))] = 0.0
    return START + np.cumsum(steps), np.round(640.0 * np.exp(np.cumsum(returns)), 2)


def pairs(ticks: Ticks) -> list[tuple[int, float]]:
    return list(zip(ticks[0].tolist(), ticks[1].tolist(), strict=True))


def batch_bytes(ticks: Ticks, spec: FeatureSpec) -> dict[int, bytes]:
    """Bytes of both windows by tick epoch, for every tick of every day where they are complete."""
    found = {}
    for day in range(midnight(int(ticks[0][0])), int(ticks[0][-1]) + 1, DAY):
        features = day_features(day, *ticks, spec)
        index = np.flatnonzero(features.valid)
        for i, a, b in zip(index, *windows(features, index, spec), strict=True):
            found[int(features.epochs[i])] = a.tobytes() + b.tobytes()
    return found


def stream_bytes(features: FeatureStream) -> bytes:
    a, b = features.windows()
    return a.tobytes() + b.tobytes()


MARKETS = st.builds(
    market,
    seed=st.integers(0, 2**32),
    days=st.floats(1.2, 3.5),
    gap_chance=st.sampled_from([0.0, 0.0, 0.002, 0.02]),
    flat_chance=st.sampled_from([0.0, 0.005]),
)


@given(ticks=MARKETS)
@settings(max_examples=60, deadline=None)
def test_stream_equals_batch_at_every_tick(ticks: Ticks) -> None:
    expected = batch_bytes(ticks, SPEC)
    features, found = FeatureStream(SPEC), {}
    for epoch, quote in pairs(ticks):
        features.push(epoch, quote)
        if features.ready:
            found[epoch] = stream_bytes(features)

    assert found == expected


@given(ticks=MARKETS, where=st.floats(0.0, 1.0), late=st.integers(0, 3_600))
@settings(max_examples=60, deadline=None)
def test_a_restart_at_any_second_gives_the_same_bytes(ticks: Ticks, where: float, late: int) -> None:
    """A runner that starts at any second reads from ``earliest_tick`` of that day and continues through midnights."""
    expected = batch_bytes(ticks, SPEC)
    now = int(ticks[0][0] + where * (ticks[0][-1] - ticks[0][0])) + late
    first = int(np.searchsorted(ticks[0], earliest_tick(midnight(now), SPEC)))
    restarted = FeatureStream(SPEC)
    compared = 0
    for epoch, quote in pairs((ticks[0][first:], ticks[1][first:])):
        restarted.push(epoch, quote)
        if restarted.ready:
            assert stream_bytes(restarted) == expected[epoch]
            compared += 1
    regular = np.diff(ticks[0]).max() < 1_200
    if regular and ticks[0][0] <= earliest_tick(midnight(now), SPEC) and now <= ticks[0][-1]:
        assert compared >= int((ticks[0] >= now).sum())  # ready from the first tick after the restart on


@given(ticks=MARKETS, data=st.data())
@settings(max_examples=20, deadline=None)
def test_chunks_do_not_matter(ticks: Ticks, data: st.DataObject) -> None:
    whole, chunked = FeatureStream(SPEC), FeatureStream(SPEC)
    whole.extend(pairs(ticks))
    rest = pairs(ticks)
    while rest:
        size = data.draw(st.integers(1, 1_000))
        chunked.extend(rest[:size])
        rest = rest[size:]

    assert whole.ready == chunked.ready
    assert not whole.ready or whole.digest() == chunked.digest()


@given(ticks=MARKETS, back=st.integers(0, 3 * DAY))
@settings(max_examples=20, deadline=None)
def test_reading_from_further_back_changes_nothing(ticks: Ticks, back: int) -> None:
    last = midnight(int(ticks[0][-1]))
    near, far = FeatureStream(SPEC), FeatureStream(SPEC)
    for features, first in ((near, earliest_tick(last, SPEC)), (far, earliest_tick(last, SPEC) - back)):
        at = int(np.searchsorted(ticks[0], first))
        features.extend(pairs((ticks[0][at:], ticks[1][at:])))

    assert far.ready or not near.ready
    assert not near.ready or near.digest() == far.digest()


@given(ticks=MARKETS)
@settings(max_examples=20, deadline=None)
def test_a_tick_window_longer_than_the_anchor_also_agrees(ticks: Ticks) -> None:
    spec = dataclasses.replace(SPEC, tick_window=600)
    expected = batch_bytes(ticks, spec)
    features, found = FeatureStream(spec), {}
    for epoch, quote in pairs(ticks):
        features.push(epoch, quote)
        if features.ready:
            found[epoch] = stream_bytes(features)

    assert found == expected


def test_the_bar_reading_started_in_does_not_count() -> None:
    """Eighty whole bars are needed; the first tick's bar is never known to be whole."""
    for bars, ready in ((SPEC.anchor_bars + 1, True), (SPEC.anchor_bars, False)):
        features = FeatureStream(SPEC)
        first = START + DAY - bars * SPEC.bar_seconds
        features.extend((epoch, 640.0 + epoch % 7) for epoch in range(first, START + DAY + 1, 120))
        assert features.ready == ready


def test_the_default_specification_on_two_second_ticks() -> None:
    """The size that is traded: a full day of R_100's grid, every 331st tick compared."""
    first = earliest_tick(START, DEFAULT_SPEC)
    epochs = np.arange(first, START + DAY // 4, 2, dtype=np.int64)
    quotes = np.round(640.0 * np.exp(np.cumsum(stream(2, "grid").normal(0, 2.5e-4, len(epochs)))), 2)
    expected = batch_bytes((epochs, quotes), DEFAULT_SPEC)
    features = FeatureStream(DEFAULT_SPEC)
    for i, (epoch, quote) in enumerate(pairs((epochs, quotes))):
        features.push(epoch, quote)
        if features.ready and i % 331 == 0:
            assert stream_bytes(features) == expected[epoch]

    assert features.ready
    assert len(expected) == DAY // 8


def test_without_the_anchor_the_bytes_would_differ() -> None:
    """The test of the tests: indicators started a few bars earlier give other bytes, so equality above means something."""
    ticks = market(seed=4, days=1.6, gap_chance=0.0, flat_chance=0.0)
    features, free = FeatureStream(SPEC), FeatureStream(SPEC)
    features.extend(pairs(ticks))
    free._bars = free._bars.__class__(maxlen=SPEC.anchor_bars + 10)  # keeps, and starts from, ten bars more
    free.extend(pairs(ticks))

    assert features.ready
    assert features.digest() != free.digest()


def test_each_midnight_starts_from_fresh_handles(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    original = IndicatorHandles.__init__

    def counting(self: IndicatorHandles, anchor: object, indicators: tuple[str, ...]) -> None:
        opened.append(len(anchor))  # type: ignore[arg-type]
        original(self, anchor, indicators)  # type: ignore[arg-type]

    monkeypatch.setattr(IndicatorHandles, "__init__", counting)
    FeatureStream(SPEC).extend(pairs(market(seed=1, days=3.4, gap_chance=0.0, flat_chance=0.0)))

    assert opened == [SPEC.anchor_bars] * 3


def test_not_ready_before_the_first_anchored_midnight() -> None:
    features = FeatureStream(SPEC)
    for epoch, quote in pairs(market(seed=7, days=1.5, gap_chance=0.0, flat_chance=0.0)):
        features.push(epoch, quote)
        assert features.ready == (epoch >= START + DAY)
        if not features.ready:
            with pytest.raises(FeatureError, match="not ready"):
                features.windows()
            with pytest.raises(FeatureError, match="not ready"):
                features.digest()


def test_a_day_that_follows_a_long_gap_is_not_ready_until_bars_suffice_again() -> None:
    """Bars that exist are counted, not hours: a weekend is skipped, a short history is not."""
    friday = market(seed=8, days=1.0, gap_chance=0.0, flat_chance=0.0)
    features = FeatureStream(SPEC)
    features.extend(pairs(friday))
    features.push(int(friday[0][-1]) + 3 * DAY, 640.0)
    assert features.ready

    short = FeatureStream(SPEC)
    short.extend(pairs((friday[0][:200], friday[1][:200])))
    short.push(int(friday[0][-1]) + 3 * DAY, 640.0)
    assert not short.ready


@pytest.mark.parametrize("quote", [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e13, 1e-300])
def test_a_bad_quote_is_refused_and_leaves_no_trace(quote: float) -> None:
    ticks = pairs(market(seed=9, days=1.3, gap_chance=0.0, flat_chance=0.0))
    clean, disturbed = FeatureStream(SPEC), FeatureStream(SPEC)
    clean.extend(ticks)
    for i, (epoch, price) in enumerate(ticks):
        if i % 50 == 0:
            with pytest.raises(FeatureError, match=r"not finite|not a plausible price"):
                disturbed.push(epoch, quote)
        disturbed.push(epoch, price)

    assert clean.digest() == disturbed.digest()


def test_a_tick_that_is_not_newer_is_refused_and_leaves_no_trace() -> None:
    ticks = pairs(market(seed=9, days=1.3, gap_chance=0.0, flat_chance=0.0))
    features = FeatureStream(SPEC)
    features.extend(ticks)
    before = features.digest()
    for epoch in (features.last_epoch, features.last_epoch - 1, 0):
        with pytest.raises(FeatureError, match="not after the last tick"):
            features.push(epoch, 640.0)

    assert features.digest() == before


def test_windows_are_copies() -> None:
    features = FeatureStream(SPEC)
    features.extend(pairs(market(seed=9, days=1.3, gap_chance=0.0, flat_chance=0.0)))
    before = features.digest()
    for array in features.windows():
        array[:] = 0.0

    assert features.digest() == before


def test_the_digest_is_the_hash_of_both_windows() -> None:
    features = FeatureStream(SPEC)
    features.extend(pairs(market(seed=9, days=1.3, gap_chance=0.0, flat_chance=0.0)))

    assert features.digest() == hashlib.sha256(stream_bytes(features)).hexdigest()[:16]


def test_these_bytes_belong_to_this_version() -> None:
    """A change of bytes must come with a new ``FEATURE_VERSION``: models already signed were trained on these."""
    n = 1_500
    walk = [640.0 + math.floor(2_000.0 * math.sin(i * i % 997)) / 100.0 for i in range(n)]
    features = FeatureStream(SPEC)
    features.extend((START + i * 120, quote) for i, quote in enumerate(walk))

    assert (SPEC.version, features.digest()) == (1, "6613961b03a7e6a7")


def test_a_push_costs_less_than_sixty_microseconds() -> None:
    spec = dataclasses.replace(DEFAULT_SPEC)
    first = earliest_tick(START, spec)
    epochs = range(first, START + 20_000, 2)
    quotes = np.round(640.0 * np.exp(np.cumsum(stream(3, "cost").normal(0, 2.5e-4, len(epochs)))), 2).tolist()
    features = FeatureStream(spec)
    began = time.process_time()
    features.extend(zip(epochs, quotes, strict=True))
    cost = (time.process_time() - began) / len(epochs)

    assert features.ready
    assert cost < 60e-6
