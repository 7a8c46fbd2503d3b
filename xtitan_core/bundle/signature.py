"""The ed25519 signature over a manifest's bytes: made in the pipeline, checked wherever a bundle is used."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from xtitan_core.bundle.errors import BundleError, BundleProblem
from xtitan_core.bundle.keys import key_id
from xtitan_core.bundle.layout import MANIFEST, SIGNATURE

_DOMAIN = b"x.titan bundle 1\n"
_ALGORITHM = "ed25519"


def sign(document: bytes, private_key: Ed25519PrivateKey) -> bytes:
    """Contents of ``manifest.sig`` for a manifest's bytes."""
    return _canonical_signature(key_id(private_key.public_key()), private_key.sign(_DOMAIN + document).hex())


def _canonical_signature(key: str, signature: str) -> bytes:
    value = {"algorithm": _ALGORITHM, "key_id": key, "signature": signature}
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def check_signature(document: bytes, raw: bytes, public_keys: Iterable[Ed25519PublicKey]) -> None:
    """Check the contents of ``manifest.sig`` against a manifest's bytes.

    Raises:
        BundleError: when the signature is malformed, not by one of these keys, or not over these bytes.
    """
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
