"""Writing a file completely or not at all; the one place that does it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, content: bytes, *, durable: bool, mode: int = 0o666) -> None:
    """Replace a file's content in one step; whoever reads sees the old bytes or the new ones.

    The folder is made when it is not there. The temporary file lies beside the target, named ``<name>.tmp``; one that
    an interrupted call left is replaced. Two writers of one file at a time are not supported.

    Args:
        path: the file.
        content: all its bytes.
        durable: True when the new bytes must survive a power cut from the return of this call on: file and folder
            are then fsynced, which costs milliseconds. False for what can be made again.
        mode: permission bits of the new file, before the umask.

    Raises:
        OSError: the target is then as it was, or holds the new bytes when only the folder's fsync failed.
    """
    with replacing(path, durable=durable, mode=mode) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, durable: bool, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of ``path`` when the block ends; for content written in parts.

    An error inside the block, or while the file is put in place, leaves the target as it was and no temporary file.
    Arguments and promises are those of ``write_atomically``.

    Yields:
        The temporary file, opened for binary writing.

    Raises:
        OSError: the file cannot be written or put in place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)  # failing, there is nothing to remove
    try:
        with open(descriptor, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder survive a power cut.

    Some network and FUSE file systems know no fsync of a folder; there this does nothing, as in SQLite.

    Raises:
        OSError: the folder cannot be opened or synced.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
