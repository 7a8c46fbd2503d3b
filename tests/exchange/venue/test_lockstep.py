"""The lockstep barrier."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paper_exchange.venue.lockstep import Lockstep


def test_nobody_means_no_time() -> None:
    assert not Lockstep().ready()


def test_ready_when_all_have_acknowledged() -> None:
    barrier = Lockstep()
    barrier.join(1)
    barrier.join(2)
    barrier.acknowledge(1)
    assert not barrier.ready()
    barrier.acknowledge(2)
    assert barrier.ready()
    barrier.begin()
    assert not barrier.ready()


def test_a_joiner_is_waited_for_and_a_leaver_is_not() -> None:
    barrier = Lockstep()
    barrier.join(1)
    barrier.acknowledge(1)
    barrier.join(2)
    assert not barrier.ready()
    barrier.leave(2)
    assert barrier.ready()
    barrier.leave(1)
    assert not barrier.ready()


STEPS = st.lists(st.tuples(st.sampled_from(["join", "acknowledge", "leave", "begin"]), st.integers(1, 4)), max_size=40)


@given(STEPS)
def test_ready_exactly_when_every_member_has_acknowledged_since_the_instant_began(steps: list[tuple[str, int]]) -> None:
    barrier = Lockstep()
    acknowledged: dict[int, bool] = {}
    for what, who in steps:
        if what == "begin":
            barrier.begin()
            acknowledged = dict.fromkeys(acknowledged, False)
            continue
        getattr(barrier, what)(who)
        if what == "join":
            acknowledged[who] = False
        elif what == "leave":
            acknowledged.pop(who, None)
        elif who in acknowledged:
            acknowledged[who] = True
        assert barrier.ready() == (bool(acknowledged) and all(acknowledged.values()))
        assert barrier.members == frozenset(acknowledged)
