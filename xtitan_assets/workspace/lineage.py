"""What identifies an asset's code and its DVC stage, as every asset of ``defs`` declares it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@cache
def code_version(*sources: str) -> str:
    """First 12 hex digits over the named source files or folders (relative to the project), in that order.

    A file that does not exist contributes its name only, so a rename changes the version as well.
    """
    digest = hashlib.sha256()
    for source in sources:
        path = PROJECT / source
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        for file in files:
            digest.update(str(file.relative_to(PROJECT)).encode())
            if file.is_file():
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def stage(name: str, sections: Sequence[str]) -> Mapping[str, str]:
    """Asset metadata: the DVC stage that reproduces the asset, and the sections of params.yaml it reads."""
    return {"dvc/stage": name, "xtitan/params": ",".join(sections)}
