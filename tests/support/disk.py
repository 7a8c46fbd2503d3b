"""What was made to survive a power cut: the files and folders that were fsynced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


class Synced:
    """Remembers each file and folder that is fsynced while the test runs, by its inode: a rename keeps it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._inodes: set[tuple[int, int]] = set()
        fsync = os.fsync

        def watched(descriptor: int) -> None:
            fsync(descriptor)
            self._inodes.add(self._inode(os.fstat(descriptor)))

        patch.setattr(os, "fsync", watched)

    def __contains__(self, path: Path) -> bool:
        return self._inode(path.stat()) in self._inodes

    @staticmethod
    def _inode(status: os.stat_result) -> tuple[int, int]:
        return status.st_dev, status.st_ino
