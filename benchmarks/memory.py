"""Memory of a process as Linux counts it for the process itself.

``resource.getrusage(...).ru_maxrss`` is not used: Linux keeps it across ``exec``, so a new process starts at the peak
of the process that spawned it. ``/proc/PID/status`` belongs to the address space, which ``exec`` replaces.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

PRINT_PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))"
"""A statement that prints the peak of its own process in KiB; it imports nothing."""


def peak_after(python: Path, statements: str) -> float:
    """Peak resident memory in MiB of a new interpreter that runs some statements, read inside that process.

    Args:
        python: the interpreter.
        statements: what it runs first, on one line; empty for nothing.

    Raises:
        subprocess.CalledProcessError: the statements failed, or this is not Linux.
    """
    program = f"{statements}; {PRINT_PEAK}" if statements else PRINT_PEAK
    printed = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout
    return int(printed) / 1_024


def resident(pid: int | str = "self") -> float:
    """Resident memory of a running process in MiB.

    Raises:
        LookupError: the process has none; it has ended.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1_024
    raise LookupError(f"process {pid} has no resident memory")
