"""The store gives back what was kept, and never forgets what was quarantined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from live_runner.models.errors import ModelError
from live_runner.models.store import STATE, ModelStore
from support.disk import Synced
from support.roles import MODEL
from xtitan_core.bundle.verification import read_files


class TestStore:
    def test_a_damaged_state_is_not_forgotten(self, tmp_path: Path) -> None:
        (tmp_path / "state.json").write_text("{")
        with pytest.raises(ModelError, match="damaged"):
            ModelStore(tmp_path, [])

    def test_what_is_read_back_is_what_was_kept(self, releases: Any, tmp_path: Path) -> None:
        bundle_id = releases.bundle()
        files = read_files(releases.folder / MODEL / bundle_id)
        store = ModelStore(tmp_path / "models", [])
        store.keep(bundle_id, files)
        store.keep(bundle_id, {})  # kept once
        assert store.read(bundle_id) == files
        with pytest.raises(ModelError, match="cached bundle"):
            store.read("0" * 64)

    def test_what_is_kept_and_quarantined_survives_a_power_cut(
        self, releases: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bundle_id = releases.bundle()
        files = read_files(releases.folder / MODEL / bundle_id)
        store = ModelStore(tmp_path / "models", [])
        synced = Synced(monkeypatch)
        store.keep(bundle_id, files)
        kept = tmp_path / "models" / bundle_id
        assert all(path in synced for path in (*kept.iterdir(), kept, kept.parent))
        store.quarantine(bundle_id, "x")
        assert tmp_path / "models" / STATE in synced
