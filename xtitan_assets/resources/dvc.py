"""DVC as a child process, with retries while another DVC command holds its lock."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from xtitan_assets.workspace.errors import StepError

LOCKED = ("Unable to acquire lock", "rwlock", "is busy")


class DvcResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Runs ``dvc`` in the project's root.

    Attributes:
        attempts: tries while the repository is locked.
        wait_seconds: pause between them.
    """

    attempts: int = 4
    wait_seconds: float = 5.0

    def run(self, root: Path, arguments: Sequence[str]) -> str:
        """Run one command and return its output.

        Raises:
            StepError: it fails, with the last line of its output.
        """
        for attempt in range(1, self.attempts + 1):
            done = subprocess.run(
                [sys.executable, "-m", "dvc", *arguments], cwd=root, capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return done.stdout.strip()
            output = (done.stderr or done.stdout).strip()
            if not any(word in output for word in LOCKED) or attempt == self.attempts:
                break
            time.sleep(self.wait_seconds)
        last = output.splitlines()[-1] if output else f"exit code {done.returncode}"
        raise StepError(f"dvc {' '.join(arguments)}: {last}; run it by hand in {root}")
