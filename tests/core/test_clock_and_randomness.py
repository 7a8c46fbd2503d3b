"""Time and randomness come from one module each."""

from __future__ import annotations

import uuid

import pytest

from xtitan_core.clock import ManualClock, ScaledClock, WallClock, midnight
from xtitan_core.randomness import jitter, seeded_uuid, stream, token


def test_manual_time_moves_only_forward() -> None:
    clock = ManualClock(100)
    clock.set(102)
    assert clock.now() == 102
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(101)


def test_scaled_time_starts_where_it_is_told() -> None:
    assert 1_000.0 <= ScaledClock(1_000.0, 10.0).now() < 1_010.0


def test_scaled_time_follows_the_timer_it_is_given() -> None:
    seconds = [50.0]
    clock = ScaledClock(1_000.0, 10.0, lambda: seconds[0])
    seconds[0] = 53.0
    assert clock.now() == 1_030.0


def test_wall_time_carries_the_measured_offset() -> None:
    assert WallClock(3_600.0).now() - WallClock().now() == pytest.approx(3_600.0, abs=1.0)


def test_midnight_is_utc() -> None:
    assert midnight(1_775_217_514) == 1_775_174_400


def test_named_streams_are_reproducible_and_independent() -> None:
    first = stream(1, "ticks", "R_100").normal(size=4)
    assert (first == stream(1, "ticks", "R_100").normal(size=4)).all()
    assert (first != stream(1, "ticks", "R_50").normal(size=4)).all()
    assert (first != stream(2, "ticks", "R_100").normal(size=4)).all()


def test_ids_from_a_seed_repeat_and_tokens_do_not() -> None:
    assert seeded_uuid(1, "proposal", 1) == seeded_uuid(1, "proposal", 1) != seeded_uuid(1, "proposal", 2)
    for number in range(100):
        made = uuid.UUID(seeded_uuid(1, "proposal", number))
        assert (made.version, made.variant) == (4, uuid.RFC_4122)
    assert seeded_uuid(1, "subscription", 1) == "85975044-3ef5-4eb3-af41-3fe8409271fd"
    assert token() != token()
    assert 0 <= jitter(2.0) < 2.0
