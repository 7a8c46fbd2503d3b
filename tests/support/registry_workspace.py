"""A workspace with real keys, a real MLflow database and bundles as `xtitan run package` would leave them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from support.records import manifest, shadow_end, shadow_trade, training
from xtitan_assets.steps.registry.mlflow_registry import Registry
from xtitan_assets.steps.registry.promotion_ledger import next_sequence
from xtitan_assets.steps.registry.register import RegisterReport, register
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle import keys
from xtitan_core.bundle.writing import write_bundle
from xtitan_core.clock import DAY
from xtitan_core.features.spec import DEFAULT_SPEC
from xtitan_core.journal import (
    GENESIS,
    AnyRecord,
    MissedRecord,
    SessionRecord,
    write_segment,
)
from xtitan_core.randomness import stream

CREATED = 1_772_409_600


@dataclass
class Workspace:
    """One project folder and the little runner that writes its journal."""

    home: Home
    params: Params
    clock: int = CREATED
    account: str = "DOT90000001"
    _segments: int = 0
    _previous: str = GENESIS
    _records: list[AnyRecord] = field(default_factory=list)
    _trades: int = 0

    @property
    def model_name(self) -> str:
        return self.params.model_name

    def set(self, section: str, **values: object) -> None:
        """Change a section of the parameters."""
        part = getattr(self.params, section).model_copy(update=values)
        self.params = self.params.model_copy(update={section: part})

    def package(
        self,
        *,
        sequence: int | None = None,
        expires_days: int = 30,
        seed: int = 1,
        trained_until: int | None = None,
    ) -> str:
        """Write a signed bundle into ``data/model/bundle``; returns its id."""
        if not (self.home.keys / "signing").exists():
            keys.generate(self.home.keys / "signing")
        rng = stream(seed, "golden")
        shapes = {
            "ticks": (4, DEFAULT_SPEC.tick_window),
            "candles": (4, DEFAULT_SPEC.bar_window, len(DEFAULT_SPEC.indicators)),
            "rise_fall": (4, 2),
        }
        document = manifest(
            self.clock,
            model_name=self.model_name,
            sequence=sequence or next_sequence(self.home, self.model_name),
            expires_epoch=self.clock + expires_days * DAY,
            symbols=(self.params.data.symbol,),
            training=training(
                self.clock, last_epoch=self.clock - 1 if trained_until is None else trained_until, seed=seed
            ),
        )
        golden = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        private = keys.load_private(self.home.keys / "signing")
        # The registry moves bytes and never runs them, so any bytes will do for the model here.
        return write_bundle(self.home.bundle, document, f"model {seed}".encode(), golden, private)

    def retrain(self, **changes: int) -> RegisterReport:
        """Package and register the next candidate."""
        self.package(**changes)
        return register(self.home, self.params, "dagster-run", venue_epoch=self.clock)

    def shadow(self, bundle_id: str, outcomes: Iterable[str], *, counted: bool = True, settle: bool = True) -> None:
        """Shadow trades, one every 14 s of venue time, as the runner journals them."""
        for outcome in outcomes:
            self.clock += 14
            self._trades += 1
            name = f"shadow-{self._trades}"
            trade = shadow_trade(
                epoch=self.clock,
                trade_id=name,
                decision_id=f"decision-{self._trades}",
                bundle_id=bundle_id,
                model_name=self.model_name,
                symbol=self.params.data.symbol,
                payout_cents=1_953,
                probability=0.57,
                counted=counted,
            )
            self._records.append(trade)
            if settle:
                self._records.append(shadow_end(trade, outcome))

    def miss(self, bundle_id: str, reason: str) -> None:
        """A wanted trade that never was."""
        self._records.append(MissedRecord(epoch=self.clock, decision_id="missed", bundle_id=bundle_id, reason=reason))

    def export_journal(self) -> Path:
        """Close the current session's records into a segment."""
        self._segments += 1
        start = SessionRecord(
            epoch=self.clock,
            runner_version="0.1.0",
            environment="paper",
            account_id=self.account,
            venue="http://127.0.0.1:8700",
            config_sha256="0" * 64,
        )
        self._previous = write_segment(self.home.journal, self._segments, self._previous, [start, *self._records])
        self._records = []
        return self.home.journal

    def runs_in_shadow(self, bundle_id: str, outcomes: Iterable[str], **options: bool) -> None:
        """Shadow trades and the segment that holds them."""
        self.shadow(bundle_id, outcomes, **options)
        self.export_journal()

    def alias(self, name: str) -> str | None:
        return Registry(self.home).alias(self.model_name, name)


def drawn(seed: int, n: int, win_rate: float) -> list[str]:
    """Outcomes of n trades."""
    return ["won" if won else "lost" for won in stream(seed, "outcomes").random(n) < win_rate]


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database that has been through its migrations once; a fresh one costs seconds."""
    root = tmp_path_factory.mktemp("mlflow")
    home = Home(root, root / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        Registry(home)
    return home.mlruns / "mlflow.db"


@pytest.fixture
def workspace(tmp_path: Path, migrated_database: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XTITAN_OPERATOR", "tester")
    home = Home(tmp_path, tmp_path / "data")
    home.mlruns.mkdir()
    shutil.copyfile(migrated_database, home.mlruns / "mlflow.db")
    return Workspace(home, Params())


@pytest.fixture
def planted() -> list[str]:
    """800 trades that win 58 %: enough for any gate."""
    return drawn(1, 800, 0.58)


@pytest.fixture
def fair() -> list[str]:
    """800 trades at break-even."""
    return drawn(2, 800, 1_000 / 1_953)
