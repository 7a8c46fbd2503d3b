"""A file is replaced completely or not at all, and survives a power cut where that was asked for."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from xtitan_core.files import replacing, sync_folder, write_atomically


class PowerCutError(BaseException):
    """Stands for the end of the process: nothing after it runs, cleaning up included."""


def fsyncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is fsynced and renamed from now on, in order, by the file's kind."""
    seen: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        seen.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def replace(old: Path, new: Path) -> None:
        seen.append("rename")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return seen


@pytest.mark.parametrize("durable", [False, True])
def test_what_was_written_is_read(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "note"
    for content in (b"first", b"", b"the third"):
        write_atomically(path, content, durable=durable)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path], "nothing else is left"


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b" / "note", b"x", durable=False)
    assert (tmp_path / "a" / "b" / "note").read_bytes() == b"x"


def test_a_crash_before_the_rename_leaves_the_old_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, temporary = tmp_path / "note", tmp_path / "note.tmp"
    write_atomically(path, b"old", durable=True)

    def die(old: Path, new: Path) -> None:
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", die)
        patched.setattr(Path, "unlink", lambda path, missing_ok: None)
        with pytest.raises(PowerCutError):
            write_atomically(path, b"new", durable=True)
    assert path.read_bytes() == b"old"
    assert temporary.read_bytes() == b"new", "the crash came after the new bytes were written"

    write_atomically(path, b"newer", durable=True)
    assert path.read_bytes() == b"newer"
    assert not temporary.exists()


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failure_leaves_the_old_bytes_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    path = tmp_path / "note"
    path.write_bytes(b"old")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new", durable=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_durable_syncs_the_file_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = fsyncs(monkeypatch)
    write_atomically(tmp_path / "note", b"x", durable=True)
    assert seen == ["file", "rename", "folder"]


def test_what_can_be_made_again_costs_no_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = fsyncs(monkeypatch)
    write_atomically(tmp_path / "note", b"x", durable=False)
    assert seen == ["rename"]


def test_concurrent_readers_see_old_or_new(tmp_path: Path) -> None:
    path = tmp_path / "note"
    contents = {bytes([letter]) * 200_000 for letter in b"ab"}
    write_atomically(path, min(contents), durable=False)
    seen: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(path.read_bytes())

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(100):
        for content in sorted(contents):
            write_atomically(path, content, durable=False)
    done.set()
    for reader in readers:
        reader.join()
    assert seen
    assert set(seen) <= contents


@pytest.mark.parametrize(("mode", "umask", "expected"), [(0o666, 0o022, 0o644), (0o600, 0o022, 0o600)])
def test_the_mode_is_the_new_file_s(tmp_path: Path, mode: int, umask: int, expected: int) -> None:
    path, leftover = tmp_path / "note", tmp_path / "note.tmp"
    path.write_bytes(b"old")
    path.chmod(0o777)
    leftover.write_bytes(b"of an interrupted call")
    leftover.chmod(0o777)
    before = os.umask(umask)
    try:
        write_atomically(path, b"new", durable=False, mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == expected


def test_a_link_in_the_temporary_file_s_place_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"untouched")
    (tmp_path / "note.tmp").symlink_to(other)
    write_atomically(tmp_path / "note", b"new", durable=False)
    assert other.read_bytes() == b"untouched"
    assert not (tmp_path / "note").is_symlink()


def test_a_folder_that_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "nothing")


@pytest.mark.parametrize(("code", "passes"), [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)])
def test_a_file_system_without_fsync_of_folders_is_used_and_a_broken_disk_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, passes: bool
) -> None:
    real_sync = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        real_sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    if passes:
        write_atomically(tmp_path / "note", b"x", durable=True)
    else:
        with pytest.raises(OSError, match="Input/output error"):
            write_atomically(tmp_path / "note", b"x", durable=True)
    assert (tmp_path / "note").read_bytes() == b"x"


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


def test_a_second_writer_leaves_the_first_one_s_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tmp_path / "note.tmp"
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        real(path, missing_ok)
        monkeypatch.setattr(Path, "unlink", real)
        first.write_bytes(b"of a writer who came between")

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "note", b"second", durable=False)
    assert first.exists()
