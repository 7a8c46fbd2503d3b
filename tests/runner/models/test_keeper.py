"""The keeper of the roles: which model runs, and why not another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_runner.models.errors import ModelError
from live_runner.models.keeper import RoleKeeper
from live_runner.models.source import DirectorySource, SourceError
from live_runner.models.store import ModelStore
from support.roles import MODEL, NOW, follow, new_keeper
from xtitan_core.bundle.keys import generate, load_private


@pytest.fixture
def keeper(releases: Any, tmp_path: Path) -> RoleKeeper:
    return new_keeper(releases, tmp_path)


class TestKeeper:
    async def test_an_empty_registry_leaves_both_slots_empty(self, keeper: RoleKeeper) -> None:
        assert await follow(keeper) == []
        assert keeper.roles.loaded() == []

    async def test_aliases_fill_slots_and_their_removal_empties_them(self, releases: Any, keeper: RoleKeeper) -> None:
        one, two = releases.bundle(), releases.bundle(weight=10.0)
        releases.point("champion", one)
        releases.point("shadow", two)
        assert {(slot, bundle) for slot, bundle, _ in await follow(keeper)} == {("champion", one), ("shadow", two)}
        assert await follow(keeper) == []
        releases.point("champion", None)
        assert await follow(keeper) == [("champion", "", "the registry's alias is gone")]
        assert keeper.roles.champion is None

    async def test_one_bundle_under_both_aliases_decides_once(self, releases: Any, keeper: RoleKeeper) -> None:
        one = releases.bundle()
        releases.point("shadow", one)
        await follow(keeper)
        releases.point("champion", one)
        changes = await follow(keeper)
        assert [(slot, bundle) for slot, bundle, _ in changes] == [("champion", one), ("shadow", "")]
        assert [role for role, _ in keeper.roles.loaded()] == ["champion"]

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"expires_epoch": NOW - 1}, "expired"),
            ({"model_name": "another"}, "is for model 'another'"),
            ({"symbols": ("R_50",)}, "this runner trades R_100"),
        ],
    )
    async def test_a_signed_bundle_that_does_not_fit_is_refused(
        self, releases: Any, keeper: RoleKeeper, changes: dict[str, Any], says: str
    ) -> None:
        releases.point("champion", releases.bundle(**changes))
        with pytest.raises(ModelError, match=says):
            await follow(keeper, strict=True)
        assert keeper.roles.champion is None

    async def test_a_foreign_signature_is_refused(self, releases: Any, tmp_path: Path) -> None:
        releases.point("champion", releases.bundle())
        generate(tmp_path / "other" / "key")
        store = ModelStore(tmp_path / "models", [load_private(tmp_path / "other" / "key").public_key()])
        keeper = RoleKeeper(DirectorySource(releases.folder, MODEL), store, MODEL, "R_100")
        with pytest.raises(ModelError, match="champion version 1 refused"):
            await follow(keeper, strict=True)

    async def test_a_refused_successor_leaves_the_champion_and_is_not_tried_again(
        self, releases: Any, keeper: RoleKeeper
    ) -> None:
        good = releases.bundle()
        releases.point("champion", good)
        await follow(keeper)
        bad = releases.bundle(expected=np.zeros((8, 2), np.float32))
        releases.point("champion", bad)
        ((slot, still, reason),) = await follow(keeper)
        assert (slot, still) == ("champion", good)
        assert f"refused {bad[:12]}" in reason
        assert await follow(keeper) == []
        assert keeper.roles.champion is not None
        assert keeper.roles.champion.bundle_id == good

    async def test_tampered_files_are_refused_whatever_the_registry_says(
        self, releases: Any, keeper: RoleKeeper
    ) -> None:
        bundle_id = releases.bundle()
        releases.point("champion", bundle_id)
        path = releases.folder / MODEL / bundle_id / "model.onnx"
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
        with pytest.raises(ModelError, match="not the file that was signed"):
            await follow(keeper, strict=True)

    async def test_a_model_expires_while_it_runs(self, releases: Any, keeper: RoleKeeper) -> None:
        releases.point("champion", releases.bundle(expires_epoch=NOW + 100))
        await follow(keeper)
        assert keeper.expire(NOW + 99) == []
        (record,) = keeper.expire(NOW + 100)
        assert (record.bundle_id, record.reason) == ("", f"expired at {NOW + 100}")
        assert keeper.roles.champion is None

    async def test_without_the_registry_the_last_champion_is_loaded_again(self, releases: Any, tmp_path: Path) -> None:
        bundle_id = releases.bundle()
        releases.point("champion", bundle_id)
        await follow(new_keeper(releases, tmp_path))
        os.rename(releases.folder, tmp_path / "gone")
        keeper = new_keeper(releases, tmp_path)
        with pytest.raises(SourceError, match="no such folder"):
            await keeper.ask()
        (record,) = keeper.offline(NOW)
        assert record.bundle_id == bundle_id
        assert new_keeper(releases, tmp_path).offline(NOW + 31 * 86_400) == []

    async def test_rollback_returns_to_the_previous_champion_for_good(self, releases: Any, tmp_path: Path) -> None:
        keeper = new_keeper(releases, tmp_path)
        one, two = releases.bundle(), releases.bundle(weight=10.0)
        for bundle_id in (one, two):
            releases.point("champion", bundle_id)
            await follow(keeper)
        (record,) = keeper.rollback(NOW, "looks wrong")
        assert record.bundle_id == one
        assert await follow(keeper) == []  # the registry still names the other one
        again = new_keeper(releases, tmp_path)
        ((_, bundle, reason),) = await follow(again, strict=True)
        assert bundle == one
        assert "rolled back" in reason

    async def test_rollback_without_a_previous_champion_trades_nothing(self, releases: Any, keeper: RoleKeeper) -> None:
        with pytest.raises(ModelError, match="no champion"):
            keeper.rollback(NOW, "x")
        releases.point("champion", releases.bundle())
        await follow(keeper)
        (record,) = keeper.rollback(NOW, "x")
        assert record.bundle_id == ""
        assert keeper.roles.champion is None
        assert await follow(keeper) == []

    async def test_an_older_registration_does_not_replace_a_newer_champion(
        self, releases: Any, keeper: RoleKeeper
    ) -> None:
        older, newer = releases.bundle(), releases.bundle(weight=10.0)
        releases.point("champion", newer)
        await follow(keeper)
        releases.point("champion", older)
        ((_, _, reason),) = await follow(keeper)
        assert "older than" in reason
        releases.point("shadow", older)
        assert [slot for slot, _, _ in await follow(keeper)] == ["shadow"]  # watching it risks nothing

    async def test_central_rollback_to_a_former_champion_is_followed(self, releases: Any, keeper: RoleKeeper) -> None:
        older, newer = releases.bundle(), releases.bundle(weight=10.0)
        for bundle_id in (older, newer, older):
            releases.point("champion", bundle_id)
            await follow(keeper)
        assert keeper.roles.champion is not None
        assert keeper.roles.champion.bundle_id == older
