"""Golden vectors: model inputs with the outputs they must give, in an npz that is read without pickle."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from xtitan_core.bundle.manifest import Manifest
from xtitan_core.errors import XtitanError
from xtitan_core.features.spec import FeatureError

Golden = Mapping[str, npt.NDArray[np.float32]]

INPUTS = ("ticks", "candles")
OUTPUTS = ("rise_fall", "touch", "stay", "anomaly")
MAX_UNPACKED = 64 << 20
"""Largest total size of the arrays, in bytes."""


class GoldenError(XtitanError, ValueError):
    """Golden vectors that are malformed or do not fit their manifest."""


def pack_golden(golden: Golden) -> bytes:
    """The arrays as npz bytes, the same for the same arrays.

    Raises:
        GoldenError: for an unknown name or an array that is not finite float32.
    """
    for name, array in golden.items():
        _check_array(name, array)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(golden):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(golden[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return packed.getvalue()


def unpack_golden(content: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Read npz bytes; objects are refused without being opened.

    Raises:
        GoldenError: for anything but an archive of known names holding finite float32 arrays.
    """
    golden: dict[str, npt.NDArray[np.float32]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(m.file_size for m in members) > MAX_UNPACKED:
                raise GoldenError(f"larger than {MAX_UNPACKED} bytes unpacked")
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in golden or name not in INPUTS + OUTPUTS or name == member.filename:
                    raise GoldenError(f"unknown or repeated member {member.filename[:40]!r}")
                array = np.lib.format.read_array(io.BytesIO(archive.read(member)), allow_pickle=False)
                golden[name] = _check_array(name, array)
    except GoldenError:
        raise
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError, SyntaxError) as error:
        raise GoldenError(f"not an archive of plain arrays ({type(error).__name__})") from error
    return golden


def check_golden(golden: Golden, manifest: Manifest) -> None:
    """Check shapes against the manifest: inputs as its features give them, one output column per head.

    Raises:
        GoldenError: naming the array that does not fit.
        FeatureError: when this install cannot serve the manifest's features.
    """
    try:
        spec = manifest.spec
    except FeatureError as error:
        raise GoldenError(str(error)) from error
    wanted = {"ticks": (spec.tick_window,), "candles": (spec.bar_window, len(spec.indicators))}
    for name, shape in wanted.items():
        if name not in golden or golden[name].shape[1:] != shape or len(golden[name]) < 1:
            raise GoldenError(f"{name}: expected shape (n, {', '.join(map(str, shape))})")
    rows = {len(array) for array in golden.values()}
    if len(rows) != 1:
        raise GoldenError("arrays differ in length")
    for head in manifest.heads:
        output = golden.get(head.output)
        if output is None or output.ndim != 2 or head.index >= output.shape[1]:
            raise GoldenError(f"{head.output}: no column {head.index} for {head.contract_type.value}")


def _check_array(name: str, array: Any) -> npt.NDArray[np.float32]:
    if name not in INPUTS + OUTPUTS:
        raise GoldenError(f"unknown array {name[:40]!r}")
    if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.ndim < 1:
        raise GoldenError(f"{name}: not a float32 array")
    if not np.isfinite(array).all():
        raise GoldenError(f"{name}: not finite")
    return array
