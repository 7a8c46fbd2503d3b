"""Measurements: what they report is the measured process's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory import peak_after, resident
from benchmarks.profiles import SUBJECTS, subject_of

ROOT = Path(__file__).resolve().parents[1]
LARGE = 400
"""MiB that the measuring process has touched and given back."""

if not Path("/proc/self/status").exists():
    pytest.skip("memory is read from Linux's process table", allow_module_level=True)


def measured_by_a_large_process(expression: str) -> float:
    """What a process whose peak is ``LARGE`` prints for an expression."""
    program = (
        f"from benchmarks.memory import peak_after; import subprocess, sys; b'x' * {LARGE << 20}; print({expression})"
    )
    shown = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(shown.stdout)


def test_memory_of_a_process_does_not_depend_on_who_measures_it() -> None:
    alone = peak_after(Path(sys.executable), "")
    assert alone < 40
    assert abs(measured_by_a_large_process("peak_after(sys.executable, '')") - alone) < 8


def test_the_usual_way_to_measure_would_have_been_caught() -> None:
    usual = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    inherited = f"float(subprocess.run([sys.executable, '-c', {usual!r}], capture_output=True).stdout)"
    assert measured_by_a_large_process(inherited) > LARGE


def test_what_a_program_allocates_is_counted() -> None:
    python = Path(sys.executable)
    assert peak_after(python, "b'x' * (100 << 20)") - peak_after(python, "") == pytest.approx(100, abs=8)


def test_resident_memory_is_that_of_the_process_asked_for() -> None:
    assert 5 < resident() < 2_000
    with pytest.raises(OSError, match="No such file"):
        resident(2**30)


def unknown_parts(files: list[str]) -> list[str]:
    """Parts of paths in ``SUBJECTS`` that name a source file of ours by folder and match none."""
    parts = [part for subject in SUBJECTS.values() for part in subject if part.count("/") == 2 and part.endswith(".py")]
    return [part for part in parts if not any(part in file for file in files)]


def test_every_file_of_the_exchange_has_a_subject_in_the_profile() -> None:
    files = [str(path) for path in (ROOT / "paper_exchange").rglob("*.py")]
    served = [file for file in files if "/commands/" not in file and "/verify/" not in file and "__" not in file]
    assert unknown_parts(files) == []
    assert {subject_of(file) for file in served} <= set(SUBJECTS) | {"other"}
    assert [file for file in served if subject_of(file) == "other" and file.count("/") > str(ROOT).count("/") + 2] == []


def test_a_file_that_moved_is_missed_in_the_profile() -> None:
    assert "/venue/budgets.py" in unknown_parts(["/x/paper_exchange/budgets.py"])
