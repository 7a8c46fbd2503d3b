"""The samples of a dataset snapshot as numpy arrays; no torch here, so that reading them stays cheap."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xtitan_assets.workspace.errors import PipelineError
from xtitan_core.files import replacing

LABELS = ("CALL", "PUT", "TOUCH_UP", "TOUCH_DOWN", "STAY")
"""Label columns: what pays when it is True."""

TRAIN, CALIBRATION, TEST = 0, 1, 2
"""Values of ``split``."""

NO_FOLD = -1
"""``fold`` of a sample outside the training span."""


class SamplesError(PipelineError, ValueError):
    """A samples file is missing or broken."""


@dataclass(frozen=True, slots=True)
class Samples:
    """One row per decision that could have been taken.

    Attributes:
        epochs: decision epochs, int64 (n,), strictly increasing.
        exit_epochs: when the last of a row's labels was decided, int64 (n,).
        quotes: spot at the decision, float64 (n,).
        ticks: log returns, newest last, float32 (n, tick_window).
        candles: distinct candle windows, float32 (b, bar_window, columns).
        rows: for each decision its row in ``candles``, int32 (n,).
        labels: uint8 (n, 5), columns as in ``LABELS``.
        split: uint8 (n,): TRAIN, CALIBRATION or TEST.
        fold: int8 (n,): block of time a training sample lies in, 0 … folds; NO_FOLD elsewhere.
        slot: bool (n,): True where the runner would decide (its slot grid).
        stride: bool (n,): True on the thinned grid that is trained on.
    """

    epochs: npt.NDArray[np.int64]
    exit_epochs: npt.NDArray[np.int64]
    quotes: npt.NDArray[np.float64]
    ticks: npt.NDArray[np.float32]
    candles: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int32]
    labels: npt.NDArray[np.uint8]
    split: npt.NDArray[np.uint8]
    fold: npt.NDArray[np.int8]
    slot: npt.NDArray[np.bool_]
    stride: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.epochs)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The arrays, in order."""
        return tuple(f.name for f in fields(cls))

    def save(self, path: Path) -> None:
        """Write atomically; the same samples give the same bytes."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in self.names()}
        with replacing(path, durable=False) as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Samples:
        """Read what ``save`` wrote.

        Raises:
            SamplesError: when the file is missing, broken or of another layout.
        """
        try:
            # Opened here, because numpy leaves a file open when it is not an archive.
            with open(path, "rb") as f, np.load(f, allow_pickle=False) as stored:
                return cls(**{name: stored[name] for name in cls.names()})
        except FileNotFoundError:
            raise SamplesError(f"{path}: no dataset; run `xtitan run dataset` first") from None
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise SamplesError(f"{path}: cannot be read ({error}); run `xtitan run dataset` again") from error
