"""The border between training and trading: a signed folder that is verified before anything in it is used.

A bundle is four files: ``manifest.json`` (canonical), ``manifest.sig`` (ed25519 over it), ``model.onnx`` (one file,
no external data) and ``golden.npz`` (inputs with the outputs they must give). There is no pickle anywhere.
Verification works on bytes in memory, so what was verified is what is loaded.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

import xtitan_core
from xtitan_core.bundle.golden import Golden, GoldenError, check_golden, pack_golden, unpack_golden
from xtitan_core.bundle.keys import key_id
from xtitan_core.bundle.manifest import FileEntry, Manifest
from xtitan_core.features.spec import FeatureError

MANIFEST, SIGNATURE, MODEL, GOLDEN = "manifest.json", "manifest.sig", "model.onnx", "golden.npz"
BUNDLE_FILES = (MANIFEST, SIGNATURE, MODEL, GOLDEN)
"""Names a bundle consists of: no more, no fewer."""

SIZE_CAPS = {MANIFEST: 256 << 10, SIGNATURE: 1 << 10, MODEL: 64 << 20, GOLDEN: 16 << 20}
"""Largest accepted size of each file, in bytes."""

_DOMAIN = b"x.titan bundle 1\n"
_ALGORITHM = "ed25519"


class BundleProblem(StrEnum):
    """Why a bundle is refused. Closed: every refusal carries one of these."""

    UNREADABLE = "unreadable"  # the folder or a file cannot be read
    MISSING_FILE = "missing_file"  # one of the four files is not there
    UNEXPECTED_FILE = "unexpected_file"  # there is a fifth file
    NOT_A_FILE = "not_a_file"  # a link, folder or device instead of a regular file
    TOO_LARGE = "too_large"  # a file exceeds its size cap
    WRONG_ID = "wrong_id"  # not the manifest whose hash the registry names
    BAD_SIGNATURE = "bad_signature"  # the signature is malformed or does not fit the manifest
    UNKNOWN_KEY = "unknown_key"  # signed with a key that is not trusted here
    MALFORMED = "malformed"  # the manifest breaks its schema or is not in canonical form
    OLD_SEQUENCE = "old_sequence"  # an older registration than the caller accepts
    EXPIRED = "expired"  # expires_epoch has passed, in venue time
    RUNNER_TOO_OLD = "runner_too_old"  # needs a newer version of this program
    FILE_MISMATCH = "file_mismatch"  # model or golden vectors are not the bytes that were signed
    FEATURE_MISMATCH = "feature_mismatch"  # trained on other features than this install computes
    BAD_GOLDEN = "bad_golden"  # the golden vectors are malformed or do not fit the manifest


_ADVICE = {
    BundleProblem.UNREADABLE: "give the folder of a bundle",
    BundleProblem.WRONG_ID: "register the bundle again",
    BundleProblem.UNKNOWN_KEY: "give the public key it was signed with, or do not use it",
    BundleProblem.OLD_SEQUENCE: "use the newer one",
    BundleProblem.EXPIRED: "train and register a new one",
    BundleProblem.RUNNER_TOO_OLD: "update this program",
    BundleProblem.FEATURE_MISMATCH: "train it again with this version, or install the version it was trained with",
}


class BundleError(ValueError):
    """A bundle that must not be used; one line: what is wrong with it; what to do.

    Attributes:
        code: the closed reason.
        what: the line without its advice.
    """

    def __init__(self, code: BundleProblem, what: str) -> None:
        super().__init__(f"{what}; {_ADVICE.get(code, 'do not use it: fetch or package it again')}")
        self.code, self.what = code, what


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


def write_bundle(
    folder: Path, manifest: Manifest, model_onnx: bytes, golden: Golden, private_key: Ed25519PrivateKey
) -> str:
    """Sign and write a bundle, and verify what was written.

    Args:
        folder: made if missing; an older bundle in it is replaced, anything else in it refused.
        manifest: without ``files``.
        model_onnx: the model.
        golden: arrays by name, see ``VerifiedBundle``.
        private_key: the signer.

    Returns:
        The bundle's id.

    Raises:
        BundleError: when the folder holds other files or the parts would not pass verification.
    """
    try:
        contents = {MODEL: model_onnx, GOLDEN: pack_golden(golden)}
    except GoldenError as error:
        raise BundleError(BundleProblem.BAD_GOLDEN, str(error)) from error
    entries = {n: FileEntry(sha256=hashlib.sha256(c).hexdigest(), bytes=len(c)) for n, c in contents.items() if c}
    document = manifest.model_copy(update={"files": entries}).canonical_bytes()
    files = {**contents, MANIFEST: document, SIGNATURE: sign(document, private_key)}
    bundle_id = verify(files, [private_key.public_key()], manifest.created_epoch).bundle_id
    folder.mkdir(parents=True, exist_ok=True)
    if other := sorted({p.name for p in folder.iterdir()} - set(BUNDLE_FILES) - {f"{n}.tmp" for n in BUNDLE_FILES}):
        raise BundleError(BundleProblem.UNEXPECTED_FILE, f"{folder}: holds {other[0]}; give a bundle its own folder")
    # The signature goes last: until then a reader finds hashes that do not match, and refuses.
    for name in (MODEL, GOLDEN, MANIFEST, SIGNATURE):
        temporary = folder / f"{name}.tmp"
        with open(temporary, "wb") as f:
            f.write(files[name])
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, folder / name)
    verify(read_files(folder), [private_key.public_key()], manifest.created_epoch, expected_id=bundle_id)
    return bundle_id


def sign(document: bytes, private_key: Ed25519PrivateKey) -> bytes:
    """Contents of ``manifest.sig`` for a manifest's bytes."""
    return _canonical_signature(key_id(private_key.public_key()), private_key.sign(_DOMAIN + document).hex())


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
    _check_signature(document, bytes(files[SIGNATURE]), public_keys)
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


def _canonical_signature(key: str, signature: str) -> bytes:
    value = {"algorithm": _ALGORITHM, "key_id": key, "signature": signature}
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _check_signature(document: bytes, raw: bytes, public_keys: Iterable[Ed25519PublicKey]) -> None:
    try:
        value = json.loads(raw)
        claimed, signature = str(value["key_id"]), bytes.fromhex(value["signature"])
        # Only the exact form that ``sign`` writes: hexadecimal has two cases and JSON many spellings.
        if _canonical_signature(claimed, signature.hex()) != raw:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(BundleProblem.BAD_SIGNATURE, f"{SIGNATURE}: malformed") from error
    key = {key_id(k): k for k in public_keys}.get(claimed)
    if key is None:
        raise BundleError(BundleProblem.UNKNOWN_KEY, f"{SIGNATURE}: signed with key {claimed[:16]!r}, not one of ours")
    try:
        key.verify(signature, _DOMAIN + document)
    except InvalidSignature as error:
        raise BundleError(BundleProblem.BAD_SIGNATURE, f"{SIGNATURE}: does not fit {MANIFEST}") from error


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
