"""Key files: private ones stay private, none is ever overwritten, and a wrong one is named in one line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from xtitan_core.bundle.keys import KeyFileError, generate, key_id, load_private, load_public, public_path


def test_a_pair_is_made_and_read_back(tmp_path: Path) -> None:
    private = tmp_path / "keys" / "release.pem"
    public = generate(private)

    assert public == public_path(private) == tmp_path / "keys" / "release.pem.pub"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert key_id(load_private(private).public_key()) == key_id(load_public(public))
    load_public(public).verify(load_private(private).sign(b"x"), b"x")


def test_two_pairs_differ(tmp_path: Path) -> None:
    ids = {key_id(load_public(generate(tmp_path / name))) for name in ("a", "b")}

    assert len(ids) == 2


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    private = tmp_path / "release.pem"
    public = generate(private)
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        generate(private)
    assert (private.read_bytes(), public.read_bytes()) == before
    private.unlink()
    with pytest.raises(KeyFileError, match="never overwritten"):
        generate(private)
    assert not private.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_private_key_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    generate(tmp_path / "k")
    os.chmod(tmp_path / "k", mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_private(tmp_path / "k")


def test_files_that_are_no_ed25519_key_are_named(tmp_path: Path) -> None:
    path = tmp_path / "k"
    curve = ec.generate_private_key(ec.SECP256R1())
    wrong_private = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    wrong_public = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for load, content in ((load_private, wrong_private), (load_public, wrong_public)):
        for raw in (content, b"", b"hello", bytes([255]) * 100):
            path.write_bytes(raw)
            path.chmod(0o600)
            with pytest.raises(KeyFileError, match=f"^{path}: not a") as caught:
                load(path)
            assert "\n" not in str(caught.value)
        with pytest.raises(KeyFileError, match="no such file"):
            load(tmp_path / "missing")
        with pytest.raises(KeyFileError, match="is a directory"):
            load(tmp_path)
