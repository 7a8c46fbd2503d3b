"""A bundle is written whole into a folder of its own, or what is there stays or is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xtitan_core.bundle.errors import BundleError, BundleProblem
from xtitan_core.bundle.layout import BUNDLE_FILES
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.bundle.writing import write_bundle
from xtitan_core.randomness import stream

Golden = Mapping[str, np.ndarray]
MODEL_BYTES = stream(1, "model").bytes(20_000)


def test_a_newer_bundle_replaces_the_older(
    tmp_path: Path, manifest: Manifest, golden: Golden, signing_key: Ed25519PrivateKey
) -> None:
    write_bundle(tmp_path, manifest, MODEL_BYTES, golden, signing_key)
    newer = manifest.model_copy(update={"sequence": 8})
    bundle_id = write_bundle(tmp_path, newer, MODEL_BYTES[::-1], golden, signing_key)

    found = verify(read_files(tmp_path), [signing_key.public_key()], manifest.created_epoch, expected_id=bundle_id)
    assert found.manifest.sequence == 8
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(BUNDLE_FILES)


def test_a_folder_with_other_files_is_left_alone(
    tmp_path: Path, manifest: Manifest, golden: Golden, signing_key: Ed25519PrivateKey
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError) as caught:
        write_bundle(tmp_path, manifest, MODEL_BYTES, golden, signing_key)

    assert caught.value.code is BundleProblem.UNEXPECTED_FILE
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_parts_that_would_be_refused_are_not_written(
    tmp_path: Path, manifest: Manifest, golden: Golden, signing_key: Ed25519PrivateKey
) -> None:
    short = {name: array for name, array in golden.items() if name != "stay"}
    doubles = {**golden, "ticks": golden["ticks"].astype(np.float64)}
    for model, vectors in ((MODEL_BYTES, short), (MODEL_BYTES, doubles), (b"", golden)):
        with pytest.raises(BundleError):
            write_bundle(tmp_path / "b", manifest, model, vectors, signing_key)

    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("renamed", range(len(BUNDLE_FILES)))
def test_a_crash_half_way_leaves_the_older_bundle_or_one_that_is_refused(
    tmp_path: Path,
    manifest: Manifest,
    golden: Golden,
    signing_key: Ed25519PrivateKey,
    monkeypatch: pytest.MonkeyPatch,
    renamed: int,
) -> None:
    """The write ends before the file with this number is put in place."""
    keys, now = [signing_key.public_key()], manifest.created_epoch
    older = write_bundle(tmp_path, manifest, MODEL_BYTES, golden, signing_key)
    newer = manifest.model_copy(update={"sequence": 8})
    other = {**golden, "rise_fall": golden["rise_fall"] + 1}
    real, done = os.replace, []

    def replace(old: Path, new: Path) -> None:
        if len(done) == renamed:
            raise KeyboardInterrupt
        done.append(new)
        real(old, new)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            write_bundle(tmp_path, newer, MODEL_BYTES[::-1], other, signing_key)
    if renamed == 0:
        assert verify(read_files(tmp_path), keys, now).bundle_id == older
    else:
        with pytest.raises(BundleError) as caught:
            verify(read_files(tmp_path), keys, now)
        assert caught.value.code in (BundleProblem.FILE_MISMATCH, BundleProblem.BAD_SIGNATURE)
    write_bundle(tmp_path, newer, MODEL_BYTES[::-1], other, signing_key)
    assert verify(read_files(tmp_path), keys, now).manifest.sequence == 8
