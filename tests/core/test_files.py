"""A file is replaced as a whole, and on disk when that was promised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xtitan_core.files import replacing, write_atomically


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was fsynced, in order: names of files and folders."""
    names: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        names.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def test_the_new_bytes_take_the_place_of_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "made" / "report.json"
    write_atomically(path, b"old", durable=False)
    write_atomically(path, b"new", durable=False)
    assert path.read_bytes() == b"new"
    assert [item.name for item in path.parent.iterdir()] == ["report.json"]


def test_durable_syncs_the_file_before_the_rename_and_the_folder_after_it(tmp_path: Path, synced: list[str]) -> None:
    write_atomically(tmp_path / "note", b"x", durable=True)
    assert synced == ["note.tmp", tmp_path.name]


def test_what_can_be_made_again_is_not_synced(tmp_path: Path, synced: list[str]) -> None:
    write_atomically(tmp_path / "note", b"x", durable=False)
    assert synced == []


def test_the_mode_is_the_files_from_its_first_byte_on(tmp_path: Path) -> None:
    with replacing(tmp_path / "secret", durable=False, mode=0o600) as file:
        assert (tmp_path / "secret.tmp").stat().st_mode & 0o777 == 0o600
        file.write(b"x")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_reader_sees_the_old_file_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "samples"
    path.write_bytes(b"old")
    with replacing(path, durable=False) as file:
        file.write(b"ne")
        file.flush()
        assert path.read_bytes() == b"old"
        file.write(b"w")
    assert path.read_bytes() == b"new"


def test_an_error_on_the_way_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "samples"
    path.write_bytes(b"old")

    def stop_half_way() -> None:
        with replacing(path, durable=True) as file:
            file.write(b"half")
            raise ValueError("full")

    with pytest.raises(ValueError, match="full"):
        stop_half_way()
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["samples"]
