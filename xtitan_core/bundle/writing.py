"""Making a bundle: hash, sign, verify as a runner would, write, and verify what was written."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xtitan_core.bundle.errors import BundleError, BundleProblem
from xtitan_core.bundle.golden import Golden, GoldenError, pack_golden
from xtitan_core.bundle.layout import BUNDLE_FILES, GOLDEN, MANIFEST, MODEL, SIGNATURE
from xtitan_core.bundle.manifest import FileEntry, Manifest
from xtitan_core.bundle.signature import sign
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.files import write_atomically


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
        write_atomically(folder / name, files[name], durable=True)
    verify(read_files(folder), [private_key.public_key()], manifest.created_epoch, expected_id=bundle_id)
    return bundle_id
