"""A fresh virtual environment with the trading host's dependencies alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def uv() -> str:
    """The installer that ``make install`` put beside the interpreter."""
    return str(Path(sys.executable).parent / "uv")


def base_environment(folder: Path) -> Path:
    """Create it; returns its ``bin`` folder."""
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "1", "VIRTUAL_ENV": ""}
    python = folder / "bin" / "python"
    for arguments in (
        ["venv", "--quiet", "--python", sys.executable, str(folder)],
        ["pip", "install", "--quiet", "--python", str(python), "-r", str(ROOT / "constraints" / "runner.txt")],
        ["pip", "install", "--quiet", "--python", str(python), "--no-deps", str(ROOT)],
    ):
        subprocess.run([uv(), *arguments], check=True, env=environment, timeout=300)
    return folder / "bin"


def disk_mebibytes(folder: Path) -> float:
    """Size of all files below a folder, links not followed."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) / 2**20
