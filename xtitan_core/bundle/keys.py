"""ed25519 keys: the private one signs bundles in the pipeline, the public one verifies them in the runner."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from xtitan_core.errors import XtitanError
from xtitan_core.files import sync_folder


class KeyFileError(XtitanError, ValueError):
    """A key file that is missing, unreadable, too open or not ed25519."""


def public_path(private_path: Path) -> Path:
    """Where the public half of a private key file lies: the same name with ``.pub`` appended."""
    return private_path.with_name(private_path.name + ".pub")


def key_id(public_key: Ed25519PublicKey) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the raw public key."""
    return hashlib.sha256(public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def generate(private_path: Path) -> Path:
    """Make a key pair: the private PEM (mode 0600) at ``private_path``, the public PEM beside it.

    Returns:
        Path of the public key.

    Raises:
        KeyFileError: when either file exists: a key is never overwritten.
    """
    for path in (private_path, public_path(private_path)):
        if path.exists():
            raise KeyFileError(f"{path}: exists; a key is never overwritten")
    private = Ed25519PrivateKey.generate()
    private_path.parent.mkdir(parents=True, exist_ok=True)
    public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for path, content, mode in ((private_path, private_pem, 0o600), (public_path(private_path), public_pem, 0o644)):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise KeyFileError(f"{path}: exists; a key is never overwritten") from None
        with os.fdopen(descriptor, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
    sync_folder(private_path.parent)
    return public_path(private_path)


def load_private(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        KeyFileError: when it is missing, readable by others than its owner, or not an unencrypted ed25519 PEM.
    """
    content = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileError(f"{path}: others may read this private key; run chmod 600 on it")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path}: not an unencrypted private key in PEM form") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: not an ed25519 key")
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """Read a public key.

    Raises:
        KeyFileError: when it is missing or not an ed25519 PEM.
    """
    content = _read(path)
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path}: not a public key in PEM form") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path}: not an ed25519 key")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
