"""What every step returns, and how results are written and read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.files import write_atomically


class Report:
    """Base of the report dataclasses; their fields are JSON values.

    Attributes:
        FILE: name of the file in ``data/reports``; empty for a report that is never written there.
    """

    FILE: ClassVar[str] = ""

    def as_metadata(self) -> dict[str, Any]:
        """The fields as plain JSON values, for Dagster and for files."""
        values: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        return values

    @classmethod
    def where(cls, home: Home) -> Path:
        """Where the newest report of this kind is."""
        return home.reports / cls.FILE

    def text(self) -> str:
        """The file's content: JSON with sorted keys.

        Raises:
            ValueError: a number is not finite.
        """
        return _json(self.as_metadata())

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """The report that a file's JSON object is of; keys that it does not know are left out.

        Raises:
            ValueError: a field is missing or of another type.
        """
        return TypeAdapter(cls).validate_python(document)

    def write(self, home: Home) -> None:
        """Write the file atomically; a report can be made again, so it need not survive a power cut.

        Raises:
            ValueError: a number is not finite; the file is then as it was.
        """
        write_atomically(self.where(home), self.text().encode(), durable=False)


Written = TypeVar("Written", bound=Report)


def read_report(home: Home, kind: type[Written]) -> Written:
    """The newest report of a kind, as it was written.

    Raises:
        StepError: it is missing or broken.
    """
    report = find_report(home, kind)
    if report is None:
        raise StepError(f"{kind.where(home)}: not there; run the job that writes it first")
    return report


def find_report(home: Home, kind: type[Written]) -> Written | None:
    """The newest report of a kind, as it was written; None when there is none yet.

    Raises:
        StepError: it is broken.
    """
    path = kind.where(home)
    try:
        return kind.from_document(json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    except (ValueError, TypeError, KeyError, OSError) as error:
        reason = str(error)
    raise StepError(f"{path}: broken ({reason}); run the job that writes it again")


def write_json(path: Path, values: Any) -> None:
    """Write JSON with sorted keys, atomically; not for what must survive a power cut."""
    write_atomically(path, _json(values).encode(), durable=False)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a small table atomically; not for what must survive a power cut."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_atomically(path, table.getvalue().encode(), durable=False)


def _json(values: Any) -> str:
    return json.dumps(values, indent=2, sort_keys=True, allow_nan=False) + "\n"


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
