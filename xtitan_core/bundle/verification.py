"""Verification of a bundle before anything in it is used.

A bundle is four files: ``manifest.json`` (canonical), ``manifest.sig`` (ed25519 over it), ``model.onnx`` (one file,
no external data) and ``golden.npz`` (inputs with the outputs they must give). Nothing in it is pickled.
Verification works on bytes in memory, so what was verified is what is loaded.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

import xtitan_core
from xtitan_core.bundle.errors import BundleError, BundleProblem
from xtitan_core.bundle.golden import Golden, GoldenError, check_golden, unpack_golden
from xtitan_core.bundle.layout import BUNDLE_FILES, GOLDEN, MANIFEST, MODEL, SIGNATURE, SIZE_CAPS
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.signature import check_signature
from xtitan_core.features.spec import FeatureError


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """What passed verification.

    Attributes:
        bundle_id: SHA-256 of the manifest's bytes, hexadecimal.
        manifest: parsed from those bytes.
        model: the ONNX bytes to load from.
        golden: arrays by name; ``ticks`` and ``candles`` are inputs, the others expected outputs.
    """

    bundle_id: str
    manifest: Manifest
    model: bytes
    golden: Golden


def read_files(folder: Path) -> dict[str, bytes]:
    """Read a bundle folder: exactly the four names, regular files, within their size caps, no links followed.

    Raises:
        BundleError: naming the offending file.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise BundleError(BundleProblem.UNREADABLE, f"{folder}: {error.strerror}") from error
    _check_names(names)
    return {name: _read(folder / name, SIZE_CAPS[name]) for name in BUNDLE_FILES}


def verify(
    files: Mapping[str, bytes],
    public_keys: Iterable[Ed25519PublicKey],
    now_epoch: float,
    minimum_sequence: int = 0,
    feature_sha256: str | None = None,
    *,
    expected_id: str | None = None,
    runner_version: str = xtitan_core.__version__,
) -> VerifiedBundle:
    """Check a bundle, cheapest and most telling checks first; nothing is parsed before its signature holds.

    Args:
        files: contents by name.
        public_keys: keys that may sign.
        now_epoch: venue time.
        minimum_sequence: lowest registration accepted (the last one used).
        feature_sha256: hash of the feature specification the caller serves; None accepts any this install serves.
        expected_id: the registry's SHA-256 of the manifest, when there is one.
        runner_version: version of the install that would run it.

    Raises:
        BundleError: with the first problem found.
    """
    _check_names(files)
    for name in BUNDLE_FILES:
        if len(files[name]) > SIZE_CAPS[name]:
            raise BundleError(BundleProblem.TOO_LARGE, f"{name}: larger than {SIZE_CAPS[name]} bytes")
    document = bytes(files[MANIFEST])
    bundle_id = hashlib.sha256(document).hexdigest()
    if expected_id is not None and not hmac.compare_digest(bundle_id.encode(), expected_id.encode()):
        raise BundleError(BundleProblem.WRONG_ID, f"{MANIFEST}: not the one the registry names ({expected_id[:12]}…)")
    check_signature(document, bytes(files[SIGNATURE]), public_keys)
    manifest = _parse(document)
    if manifest.sequence < minimum_sequence:
        raise BundleError(
            BundleProblem.OLD_SEQUENCE,
            f"{manifest.model_name}: registration {manifest.sequence} is older than {minimum_sequence}, the last used",
        )
    if not now_epoch < manifest.expires_epoch:  # also refuses a time that is not a number
        raise BundleError(
            BundleProblem.EXPIRED, f"{manifest.model_name}: expired at epoch {manifest.expires_epoch} (venue time)"
        )
    if _version(runner_version) < _version(manifest.runtime.min_runner_version):
        raise BundleError(
            BundleProblem.RUNNER_TOO_OLD,
            f"{manifest.model_name}: needs version {manifest.runtime.min_runner_version}, this is {runner_version}",
        )
    for name in (MODEL, GOLDEN):
        entry, content = manifest.files[name], files[name]
        if len(content) != entry.bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise BundleError(BundleProblem.FILE_MISMATCH, f"{name}: not the file that was signed")
    _check_features(manifest, feature_sha256)
    try:
        golden = unpack_golden(bytes(files[GOLDEN]))
        check_golden(golden, manifest)
    except GoldenError as error:
        raise BundleError(BundleProblem.BAD_GOLDEN, f"{GOLDEN}: {error}") from error
    return VerifiedBundle(bundle_id, manifest, bytes(files[MODEL]), golden)


def _check_names(names: Iterable[str]) -> None:
    given = set(names)
    if extra := sorted(given - set(BUNDLE_FILES)):
        raise BundleError(BundleProblem.UNEXPECTED_FILE, f"{extra[0][:80]!r}: no file of a bundle has this name")
    if missing := [name for name in BUNDLE_FILES if name not in given]:
        raise BundleError(BundleProblem.MISSING_FILE, f"{missing[0]}: missing")


def _read(path: Path, cap: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        code = BundleProblem.NOT_A_FILE if path.is_symlink() else BundleProblem.UNREADABLE
        raise BundleError(code, f"{path.name}: {'a link' if path.is_symlink() else error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BundleError(BundleProblem.NOT_A_FILE, f"{path.name}: not a regular file")
    with os.fdopen(descriptor, "rb") as f:
        content = f.read(cap + 1)
    if len(content) > cap:
        raise BundleError(BundleProblem.TOO_LARGE, f"{path.name}: larger than {cap} bytes")
    return content


def _parse(document: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise BundleError(BundleProblem.MALFORMED, f"{MANIFEST}: {where}: {first['msg']}") from error
    if manifest.canonical_bytes() != document:
        raise BundleError(BundleProblem.MALFORMED, f"{MANIFEST}: not in canonical form")
    if set(manifest.files) != {MODEL, GOLDEN}:
        raise BundleError(BundleProblem.MALFORMED, f"{MANIFEST}: files must list {MODEL} and {GOLDEN}")
    return manifest


def _check_features(manifest: Manifest, feature_sha256: str | None) -> None:
    try:
        installed = manifest.spec.sha256
    except FeatureError as error:
        raise BundleError(BundleProblem.FEATURE_MISMATCH, f"{manifest.model_name}: {error}") from error
    if installed != manifest.feature_sha256 or feature_sha256 not in (None, installed):
        raise BundleError(
            BundleProblem.FEATURE_MISMATCH,
            f"{manifest.model_name}: trained on other features than this install computes",
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
