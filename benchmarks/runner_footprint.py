"""What the trading host needs: disk, memory and start-up time of ``live_runner`` with base dependencies only."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.environment import base_environment, disk_mebibytes
from benchmarks.memory import peak_after

FORBIDDEN = ("dagster", "torch", "pandas", "mlflow", "great_expectations", "dvc", "sklearn")


def measure() -> dict[str, Any]:
    """Figures of one fresh environment; times are medians of five starts after one warm-up, memory is the peak."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        binaries = base_environment(Path(folder) / "venv")
        installed = time.monotonic() - started
        found = subprocess.run(
            [
                binaries / "python",
                "-c",
                f"import importlib.util as u; print([m for m in {FORBIDDEN} if u.find_spec(m)])",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        starts = []
        for _ in range(6):
            t = time.monotonic()
            subprocess.run([binaries / "live_runner", "--help"], check=True, capture_output=True, timeout=60)
            starts.append(time.monotonic() - t)
        return {
            "install, s": round(installed, 1),
            "disk, MiB": round(disk_mebibytes(binaries.parent), 1),
            "pipeline packages present (must be none)": found,
            "live_runner --help, median s of 5": round(statistics.median(starts[1:]), 3),
            "memory with everything imported, MiB": round(peak_after(binaries / "python", "import live_runner.app"), 1),
            "memory of a bare interpreter, MiB": round(peak_after(binaries / "python", ""), 1),
        }
