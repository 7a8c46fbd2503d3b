"""A real paper exchange for the session, and empty workspaces that point at it."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from xtitan_assets.steps.ingest.sample import paper_exchange
from xtitan_assets.workspace.params import Params, load_params
from xtitan_assets.workspace.paths import Home

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def project() -> Path:
    """The repository's root."""
    return PROJECT


@pytest.fixture(scope="session")
def exchange() -> Iterator[str]:
    """URL of a running `paper_exchange serve` with the planted market beside the fair ones and four days of history."""
    with paper_exchange("planted", seed=1, history_days=4) as url:
        yield url


@pytest.fixture(scope="session")
def definitions() -> dg.Definitions:
    """The whole code location, loaded once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        from xtitan_assets.definitions import defs

        loaded = defs()
        loaded.get_repository_def().get_all_jobs()
    return loaded


@dataclass(frozen=True)
class Workspace:
    """An empty project folder with its own params.yaml."""

    home: Home

    def params(self, *overrides: str) -> Params:
        return load_params(self.home.params, list(overrides))


@pytest.fixture(scope="session")
def empty_instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Dagster instance folder that has never seen a run; creating its databases takes seconds, copying them none."""
    folder = tmp_path_factory.mktemp("instance") / ".dagster"
    folder.mkdir()
    shutil.copyfile(PROJECT / "deploy" / "dagster.yaml", folder / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        assert instance.get_runs_count() == 0
        assert list(instance.event_log_storage.get_concurrency_keys()) == []
    return folder


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_instance: Path) -> Callable[[str], Workspace]:
    """Make this test's workspace, with the given venue; the environment points at it until the test ends."""

    def make(url: str) -> Workspace:
        for name in ("XTITAN_DATA", "XTITAN_PARAMS", "XTITAN_SET", "DAGSTER_HOME", "MLFLOW_TRACKING_URI"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("XTITAN_HOME", str(tmp_path))
        # Remembered, so that what `xtitan` exports for its children is undone with the rest.
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / ".dagster"))
        shutil.copytree(empty_instance, tmp_path / ".dagster")
        text = (PROJECT / "params.yaml").read_text().replace("http://127.0.0.1:8700", url)
        (tmp_path / "params.yaml").write_text(text)
        return Workspace(Home.from_environment())

    return make
