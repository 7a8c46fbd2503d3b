"""A bundle is used whole, untouched, in time and signed by us; or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xtitan_core.bundle.errors import BundleError, BundleProblem
from xtitan_core.bundle.golden import GoldenError, unpack_golden
from xtitan_core.bundle.layout import BUNDLE_FILES, SIZE_CAPS
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.signature import sign
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.bundle.writing import write_bundle
from xtitan_core.features.spec import DEFAULT_SPEC, FeatureSpec
from xtitan_core.randomness import stream

Golden = Mapping[str, np.ndarray]
MODEL_BYTES = stream(1, "model").bytes(20_000)


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, manifest: Manifest, golden: Golden, signing_key: Ed25519PrivateKey
) -> Path:
    path = tmp_path_factory.mktemp("bundle")
    write_bundle(path, manifest, MODEL_BYTES, golden, signing_key)
    return path


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, bytes]:
    return read_files(folder)


@pytest.fixture
def refused(
    files: dict[str, bytes], signing_key: Ed25519PrivateKey, manifest: Manifest
) -> Callable[..., BundleProblem]:
    """Verify the bundle with some files replaced and return why it was refused."""

    def check(replaced: Mapping[str, bytes] | None = None, **options: Any) -> BundleProblem:
        options.setdefault("public_keys", [signing_key.public_key()])
        options.setdefault("now_epoch", manifest.created_epoch)
        with pytest.raises(BundleError) as caught:
            verify({**files, **(replaced or {})}, **options)
        assert "\n" not in str(caught.value)
        return caught.value.code

    return check


@pytest.fixture
def resigned(files: dict[str, bytes], signing_key: Ed25519PrivateKey) -> Callable[..., dict[str, bytes]]:
    """The bundle with other contents, hashed and signed as ours: what a mistake in the pipeline could produce."""

    def make(golden: bytes | None = None, **changes: Any) -> dict[str, bytes]:
        document = {**json.loads(files["manifest.json"]), **changes}
        out = dict(files)
        if golden is not None:
            out["golden.npz"] = golden
            document["files"]["golden.npz"] = {"sha256": hashlib.sha256(golden).hexdigest(), "bytes": len(golden)}
        out["manifest.json"] = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
        out["manifest.sig"] = sign(out["manifest.json"], signing_key)
        return out

    return make


def test_what_was_written_is_what_is_loaded(
    files: dict[str, bytes], manifest: Manifest, golden: Golden, signing_key: Ed25519PrivateKey
) -> None:
    bundle = verify(files, [signing_key.public_key()], manifest.created_epoch, minimum_sequence=7)

    assert bundle.bundle_id == hashlib.sha256(files["manifest.json"]).hexdigest()
    assert bundle.model == MODEL_BYTES
    assert bundle.manifest.model_copy(update={"files": {}}) == manifest
    assert set(bundle.golden) == set(golden)
    assert all(np.array_equal(bundle.golden[name], golden[name]) for name in golden)


def test_the_same_parts_give_the_same_bytes(
    tmp_path: Path, files: dict[str, bytes], manifest: Manifest, golden: Golden, signing_key: Ed25519PrivateKey
) -> None:
    write_bundle(tmp_path / "again", manifest, MODEL_BYTES, golden, signing_key)

    assert read_files(tmp_path / "again") == files


def test_every_flipped_bit_of_manifest_and_signature_is_noticed(
    files: dict[str, bytes], refused: Callable[..., BundleProblem]
) -> None:
    """All eight bits of every byte of the signature; every byte of the manifest, the bit moving along."""
    for i in range(len(files["manifest.sig"])):
        for bit in range(8):
            raw = bytearray(files["manifest.sig"])
            raw[i] ^= 1 << bit
            assert refused({"manifest.sig": bytes(raw)}) in (BundleProblem.BAD_SIGNATURE, BundleProblem.UNKNOWN_KEY)
    for i in range(len(files["manifest.json"])):
        raw = bytearray(files["manifest.json"])
        raw[i] ^= 1 << (i % 8)
        assert refused({"manifest.json": bytes(raw)}) is BundleProblem.BAD_SIGNATURE


def test_five_thousand_flipped_bits_elsewhere_are_noticed(
    files: dict[str, bytes], refused: Callable[..., BundleProblem]
) -> None:
    rng = stream(2, "flips")
    for _ in range(2_500):
        for name in ("model.onnx", "golden.npz"):
            raw = bytearray(files[name])
            raw[int(rng.integers(len(raw)))] ^= 1 << int(rng.integers(8))
            assert refused({name: bytes(raw)}) is BundleProblem.FILE_MISMATCH


@pytest.mark.parametrize("name", BUNDLE_FILES)
def test_truncated_extended_or_empty_files_are_noticed(
    name: str, files: dict[str, bytes], refused: Callable[..., BundleProblem]
) -> None:
    for content in (files[name][:-1], files[name] + b"\n", b"", files[name][1:]):
        assert refused({name: content}) in (BundleProblem.BAD_SIGNATURE, BundleProblem.FILE_MISMATCH)


def test_swapped_files_are_noticed(files: dict[str, bytes], refused: Callable[..., BundleProblem]) -> None:
    swapped = {"model.onnx": files["golden.npz"], "golden.npz": files["model.onnx"]}

    assert refused(swapped) is BundleProblem.FILE_MISMATCH


def test_a_manifest_from_another_bundle_of_ours_is_noticed(
    tmp_path: Path,
    manifest: Manifest,
    golden: Golden,
    signing_key: Ed25519PrivateKey,
    refused: Callable[..., BundleProblem],
) -> None:
    write_bundle(tmp_path, manifest.model_copy(update={"sequence": 8}), MODEL_BYTES[1:], golden, signing_key)
    other = read_files(tmp_path)

    assert refused({"manifest.json": other["manifest.json"]}) is BundleProblem.BAD_SIGNATURE
    both = {name: other[name] for name in ("manifest.json", "manifest.sig")}
    assert refused(both) is BundleProblem.FILE_MISMATCH


def test_only_our_keys_count(files: dict[str, bytes], refused: Callable[..., BundleProblem]) -> None:
    stranger = Ed25519PrivateKey.generate()

    assert refused({"manifest.sig": sign(files["manifest.json"], stranger)}) is BundleProblem.UNKNOWN_KEY
    assert refused(public_keys=[stranger.public_key()]) is BundleProblem.UNKNOWN_KEY
    assert refused(public_keys=[]) is BundleProblem.UNKNOWN_KEY


def test_a_bare_signature_over_the_manifest_is_not_a_bundle_s(
    files: dict[str, bytes], signing_key: Ed25519PrivateKey, refused: Callable[..., BundleProblem]
) -> None:
    """The signed message names its purpose, so a signature made for something else never fits."""
    value = json.loads(files["manifest.sig"])
    value["signature"] = signing_key.sign(files["manifest.json"]).hex()
    raw = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    assert refused({"manifest.sig": raw}) is BundleProblem.BAD_SIGNATURE


@pytest.mark.parametrize(
    "raw",
    [b"{}", b"[]", b"null", b"\xff", b"[" * 1_000, b'{"key_id":1,"signature":2}', b'{"key_id":"a","signature":"0"}'],
)
def test_a_signature_file_of_another_form_is_refused(raw: bytes, refused: Callable[..., BundleProblem]) -> None:
    assert refused({"manifest.sig": raw}) is BundleProblem.BAD_SIGNATURE


def test_it_ends_at_its_expiry(
    refused: Callable[..., BundleProblem],
    files: dict[str, bytes],
    manifest: Manifest,
    signing_key: Ed25519PrivateKey,
) -> None:
    verify(files, [signing_key.public_key()], manifest.expires_epoch - 1)

    assert refused(now_epoch=manifest.expires_epoch) is BundleProblem.EXPIRED
    assert refused(now_epoch=float("inf")) is BundleProblem.EXPIRED
    assert refused(now_epoch=float("nan")) is BundleProblem.EXPIRED


def test_an_older_registration_is_refused(refused: Callable[..., BundleProblem]) -> None:
    assert refused(minimum_sequence=8) is BundleProblem.OLD_SEQUENCE


def test_the_registry_s_id_must_match(refused: Callable[..., BundleProblem]) -> None:
    assert refused(expected_id="0" * 64) is BundleProblem.WRONG_ID
    assert refused(expected_id="") is BundleProblem.WRONG_ID


def test_a_runner_that_is_too_old_refuses(refused: Callable[..., BundleProblem]) -> None:
    assert refused(runner_version="0.0.9") is BundleProblem.RUNNER_TOO_OLD


def test_versions_are_compared_as_numbers(
    manifest: Manifest,
    signing_key: Ed25519PrivateKey,
    refused: Callable[..., BundleProblem],
    resigned: Callable[..., dict[str, bytes]],
) -> None:
    def needs(version: str) -> dict[str, bytes]:
        return resigned(runtime={**manifest.runtime.model_dump(), "min_runner_version": version})

    verify(needs("0.9.0"), [signing_key.public_key()], manifest.created_epoch, runner_version="0.10.0")
    assert refused(needs("0.10.0"), runner_version="0.9.0") is BundleProblem.RUNNER_TOO_OLD


def test_other_features_are_refused(
    refused: Callable[..., BundleProblem],
    resigned: Callable[..., dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert refused(feature_sha256=FeatureSpec(tick_window=32).sha256) is BundleProblem.FEATURE_MISMATCH
    assert refused(resigned(feature_sha256="ab" * 32)) is BundleProblem.FEATURE_MISMATCH
    newer = {**DEFAULT_SPEC.to_dict(), "version": DEFAULT_SPEC.version + 1}
    assert refused(resigned(feature_spec=newer)) is BundleProblem.FEATURE_MISMATCH
    monkeypatch.setattr("talib.__version__", "0.9.1")
    assert refused() is BundleProblem.FEATURE_MISMATCH


def test_a_signed_manifest_must_still_be_well_formed(
    files: dict[str, bytes],
    signing_key: Ed25519PrivateKey,
    refused: Callable[..., BundleProblem],
    resigned: Callable[..., dict[str, bytes]],
) -> None:
    assert refused(resigned(surprise=1)) is BundleProblem.MALFORMED
    assert refused(resigned(files={})) is BundleProblem.MALFORMED
    listed = json.loads(files["manifest.json"])["files"]
    assert refused(resigned(files={**listed, "policy.onnx": listed["model.onnx"]})) is BundleProblem.MALFORMED
    pretty = json.dumps(json.loads(files["manifest.json"]), indent=1).encode()
    twice = files["manifest.json"][:-1] + b',"sequence":9}'
    for document in (pretty, twice, b"not json", b"{}"):
        signed = {"manifest.json": document, "manifest.sig": sign(document, signing_key)}
        assert refused(signed) is BundleProblem.MALFORMED


def test_files_must_be_exactly_the_four(
    files: dict[str, bytes], signing_key: Ed25519PrivateKey, refused: Callable[..., BundleProblem]
) -> None:
    assert refused({"model.data": b"external"}) is BundleProblem.UNEXPECTED_FILE
    assert refused({"../model.onnx": b"escape"}) is BundleProblem.UNEXPECTED_FILE
    for name in BUNDLE_FILES:
        with pytest.raises(BundleError) as caught:
            verify({n: c for n, c in files.items() if n != name}, [signing_key.public_key()], 0)
        assert caught.value.code is BundleProblem.MISSING_FILE


def test_files_above_their_cap_are_refused_unread(refused: Callable[..., BundleProblem]) -> None:
    for name in ("manifest.json", "manifest.sig", "golden.npz"):
        assert refused({name: bytes(SIZE_CAPS[name] + 1)}) is BundleProblem.TOO_LARGE


def test_reading_follows_no_link_and_takes_no_surprise(folder: Path, tmp_path: Path) -> None:
    def why(name: str, spoil: Callable[[Path], object]) -> BundleProblem:
        copy = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        shutil.copytree(folder, copy)
        (copy / name).unlink(missing_ok=True)
        spoil(copy / name)
        with pytest.raises(BundleError) as caught:
            read_files(copy)
        assert "\n" not in str(caught.value)
        return caught.value.code

    assert why("model.onnx", lambda p: p.symlink_to(folder / "model.onnx")) is BundleProblem.NOT_A_FILE
    assert why("model.onnx", lambda p: p.symlink_to("nowhere")) is BundleProblem.NOT_A_FILE
    assert why("model.onnx", lambda p: p.mkdir()) is BundleProblem.NOT_A_FILE
    assert why("model.onnx", lambda p: os.mkfifo(p)) is BundleProblem.NOT_A_FILE
    assert why("model.onnx", lambda p: None) is BundleProblem.MISSING_FILE
    assert why("weights.bin", lambda p: p.write_bytes(b"x")) is BundleProblem.UNEXPECTED_FILE
    big = SIZE_CAPS["manifest.json"] + 1
    assert why("manifest.json", lambda p: p.write_bytes(bytes(big))) is BundleProblem.TOO_LARGE
    with pytest.raises(BundleError) as caught:
        read_files(tmp_path / "nothing")
    assert caught.value.code is BundleProblem.UNREADABLE


class Payload:
    """Unpickling this would raise: a stand-in for code of an attacker."""

    opened = 0

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return (_explode, ())


def _explode() -> object:
    Payload.opened += 1
    return None


def npz(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return packed.getvalue()


def npy(array: np.ndarray) -> bytes:
    raw = io.BytesIO()
    np.save(raw, array, allow_pickle=True)
    return raw.getvalue()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_pickled_is_opened_even_when_we_signed_it(
    protocol: int, golden: Golden, refused: Callable[..., BundleProblem], resigned: Callable[..., dict[str, bytes]]
) -> None:
    bomb = pickle.dumps(Payload(), protocol)
    objects = npy(np.array([Payload(), Payload()], dtype=object))
    plain = {name: npy(array) for name, array in golden.items()}
    for content in (
        bomb,
        objects,
        npz(ticks=bomb),
        npz(**{**plain, "ticks": objects}),
        npz(**{**plain, "ticks": bomb}),
        npz(**{**plain, "data": bomb}),
    ):
        assert refused(resigned(golden=content)) is BundleProblem.BAD_GOLDEN
    assert Payload.opened == 0
    pickle.loads(bomb)
    assert Payload.opened == 1  # the bomb itself was live
    Payload.opened = 0


def test_golden_vectors_must_fit_the_manifest(
    golden: Golden, refused: Callable[..., BundleProblem], resigned: Callable[..., dict[str, bytes]]
) -> None:
    nan = golden["ticks"].copy()
    nan[0, 0] = np.nan
    for name, array in {
        "ticks": nan,
        "candles": golden["candles"][:, :-1],
        "rise_fall": golden["rise_fall"][:, :1],
        "touch": golden["touch"][:-1],
        "stay": golden["stay"].astype(np.float64),
        "anomaly": np.float32(1.0),
    }.items():
        spoiled = npz(**{n: npy(np.asarray(a)) for n, a in {**golden, name: array}.items()})
        assert refused(resigned(golden=spoiled)) is BundleProblem.BAD_GOLDEN, name
    empty = npz(**{n: npy(a[:0]) for n, a in golden.items()})
    assert refused(resigned(golden=empty)) is BundleProblem.BAD_GOLDEN


def test_a_zip_bomb_is_refused_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ticks.npy", npy(np.zeros((65 << 14, 16), dtype=np.float32)))
    assert len(packed.getvalue()) < 100_000

    with pytest.raises(GoldenError, match="unpacked"):
        unpack_golden(packed.getvalue())
