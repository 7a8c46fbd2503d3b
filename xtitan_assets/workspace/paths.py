"""Where the pipeline keeps its files. No other module spells the name of a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Folders of one workspace.

    Attributes:
        root: the project's folder (``XTITAN_HOME``, default: the current one).
        data: payload (``XTITAN_DATA``, default ``root/data``).
    """

    root: Path
    data: Path

    @classmethod
    def from_environment(cls) -> Home:
        """Read ``XTITAN_HOME`` and ``XTITAN_DATA``."""
        root = Path(os.environ.get("XTITAN_HOME", ".")).resolve()
        return cls(root, Path(os.environ.get("XTITAN_DATA", root / "data")).resolve())

    @property
    def params(self) -> Path:
        return Path(os.environ.get("XTITAN_PARAMS", self.root / "params.yaml"))

    @property
    def ticks(self) -> Path:
        """``symbol=/date=.parquet``, write-once after the day closes."""
        return self.data / "raw" / "ticks"

    @property
    def features(self) -> Path:
        return self.data / "interim" / "features"

    @property
    def labels(self) -> Path:
        return self.data / "interim" / "labels"

    @property
    def dataset(self) -> Path:
        return self.data / "dataset"

    @property
    def checkpoint(self) -> Path:
        return self.data / "model" / "checkpoint"

    @property
    def bundle(self) -> Path:
        return self.data / "model" / "bundle"

    @property
    def reports(self) -> Path:
        return self.data / "reports"

    @property
    def journal(self) -> Path:
        """Segments pulled from the runner."""
        return self.data / "journal"

    @property
    def ledger(self) -> Path:
        """Promotion ledger: append-only, hash-chained."""
        return self.data / "ledger" / "promotions.jsonl"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def mlruns(self) -> Path:
        return self.root / "mlruns"

    @property
    def mlflow_uri(self) -> str:
        """Tracking and registry database (the file store is refused by MLflow since 3.13)."""
        return os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{self.mlruns / 'mlflow.db'}")

    @property
    def dagster(self) -> Path:
        """``DAGSTER_HOME``."""
        return Path(os.environ.get("DAGSTER_HOME", self.root / ".dagster"))
