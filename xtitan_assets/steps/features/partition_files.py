"""One symbol-day of computed arrays on disk: ``symbol=/date=.npz``, with the parameters that made it inside."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from xtitan_assets.workspace.errors import StepError
from xtitan_core.files import replacing

PARAMETERS = "parameters"


def partition_path(folder: Path, symbol: str, day: date) -> Path:
    """Where the arrays of a symbol-day are."""
    return folder / f"symbol={symbol}" / f"date={day.isoformat()}.npz"


def write_partition(path: Path, arrays: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Write atomically; the same content gives the same bytes."""
    stored: dict[str, Any] = dict(arrays)
    stored[PARAMETERS] = np.array(json.dumps(dict(parameters), sort_keys=True))
    with replacing(path, durable=False) as file:
        np.savez(file, allow_pickle=False, **stored)


def read_partition(path: Path, parameters: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Read a partition that must have been made with ``parameters``.

    Raises:
        StepError: it is missing, broken, or was made with other parameters.
    """
    try:
        # Opened here, because numpy leaves a file open when it is not an archive.
        with open(path, "rb") as f, np.load(f, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise StepError(f"{path}: not there; run `xtitan run retrain`, which builds it") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise StepError(f"{path}: cannot be read ({error}); delete it and run `xtitan run retrain`") from error
    made_with = str(arrays.pop(PARAMETERS, np.array("")))
    if made_with != json.dumps(dict(parameters), sort_keys=True):
        raise StepError(f"{path}: made with other parameters; run `xtitan run retrain`, which builds it again")
    return arrays
