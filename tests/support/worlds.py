"""Worlds that tests share: a simulated market is the same for everybody who asks for the same one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from paper_exchange.markets.world import World, build_world

TODAY = 1_795_000_000.0


@lru_cache(16)
def shared_world(*, seed: int = 1, **options: Any) -> World:
    """A world of one day's history, ``options`` as ``build_world`` takes them.

    Nobody changes a world, and the days it has simulated serve the next test too. A test that simulating repeats
    itself builds its own.
    """
    return build_world(seed=seed, today=TODAY, history_days=1, **options)
