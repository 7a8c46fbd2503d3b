"""What every step returns, and how results are written."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home


class Report:
    """Base of the report dataclasses; their fields are JSON values."""

    def as_metadata(self) -> dict[str, Any]:
        """The fields as plain JSON values, for Dagster and for files."""
        values: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        return values

    def write(self, path: Path) -> None:
        """Write the fields as JSON, atomically; not-a-number is refused."""
        write_json(path, self.as_metadata())


def write_json(path: Path, values: Any) -> None:
    """Write JSON with sorted keys, atomically."""
    _replace(path, json.dumps(values, indent=2, sort_keys=True, allow_nan=False) + "\n")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a small table atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    os.replace(temporary, path)


def read_report(home: Home, name: str) -> dict[str, Any]:
    """One of the JSON reports in ``data/reports``.

    Raises:
        StepError: it is missing or broken.
    """
    path = home.reports / f"{name}.json"
    try:
        report: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise StepError(f"{path}: not there; run the job that writes it first") from None
    except ValueError as error:
        raise StepError(f"{path}: broken ({error}); run the job that writes it again") from error
    return report


def content_sha256(*arrays: np.ndarray[Any, Any]) -> str:
    """Hash of arrays: type, shape and bytes, in the order given."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def canonical_sha256(values: Any) -> str:
    """Hash of a JSON value, independent of key order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    os.replace(temporary, path)
