"""A keeper of the roles over a release folder, and what one poll of the registry changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from live_runner.models.keeper import RoleKeeper
from live_runner.models.source import DirectorySource
from live_runner.models.store import ModelStore

MODEL = "test-rise_fall-5t"
NOW = 1_772_409_600


def new_keeper(releases: Any, tmp_path: Path, symbol: str = "R_100") -> RoleKeeper:
    store = ModelStore(tmp_path / "models", [releases.private.public_key()])
    return RoleKeeper(DirectorySource(releases.folder, MODEL), store, MODEL, symbol)


async def follow(keeper: RoleKeeper, now: int = NOW, *, strict: bool = False) -> list[tuple[str, str, str]]:
    """Ask the registry and apply what it says; ``(role, bundle id, reason)`` of each change."""
    records = keeper.apply(await keeper.ask(), now, strict=strict)
    return [(r.role, r.bundle_id, r.reason) for r in records]
