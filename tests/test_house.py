"""Rules of the house: who may import whom, who may read a clock, how large a file may grow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import house
from support.house import PACKAGES, ROOT, TRADING

CLOCK_CALLS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "monotonic_ns"),
    ("time", "perf_counter"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("loop", "time"),
}
RANDOM_MODULES = {"random", "secrets", "uuid"}


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def clock_reads(tree: ast.AST) -> list[int]:
    """Lines on which a clock is read."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if (name, node.func.attr) in CLOCK_CALLS:
                lines.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            lines += [node.lineno for a in node.names if a.name != "sleep"]
    return lines


def random_draws(tree: ast.AST) -> list[int]:
    """Lines on which a source of randomness is imported or numpy's is used."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            lines += [node.lineno for a in node.names if a.name.split(".")[0] in RANDOM_MODULES]
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in RANDOM_MODULES:
            lines.append(node.lineno)
        if isinstance(node, ast.Attribute) and node.attr in {"default_rng", "RandomState"}:
            lines.append(node.lineno)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "urandom":
            lines.append(node.lineno)
    return lines


def test_one_module_reads_clocks() -> None:
    for path in sources(*TRADING):
        if path != ROOT / "xtitan_core" / "clock.py":
            assert clock_reads(ast.parse(path.read_text())) == [], f"{path.relative_to(ROOT)} reads a clock"


def test_one_module_draws_random_numbers() -> None:
    for path in sources(*TRADING):
        if path != ROOT / "xtitan_core" / "randomness.py":
            assert random_draws(ast.parse(path.read_text())) == [], f"{path.relative_to(ROOT)} draws random numbers"


@pytest.mark.parametrize(
    "planted",
    [
        "import time\ntime.time()",
        "import datetime\ndatetime.datetime.now()",
        "from time import monotonic",
        "loop.time()",
    ],
)
def test_a_planted_clock_read_is_caught(planted: str) -> None:
    assert clock_reads(ast.parse(planted))


@pytest.mark.parametrize(
    "planted", ["import random", "from uuid import uuid4", "import numpy as np\nnp.random.default_rng()"]
)
def test_a_planted_random_draw_is_caught(planted: str) -> None:
    assert random_draws(ast.parse(planted))


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--config", str(folder / "pyproject.toml")],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def copy_of_the_sources(folder: Path) -> Path:
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for path in sources(*PACKAGES):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    return folder


@pytest.mark.parametrize(
    ("where", "planted"),
    [
        ("live_runner/planted.py", "import paper_exchange"),
        ("paper_exchange/planted.py", "import xtitan_assets.workspace.params"),
        ("xtitan_core/planted.py", "import live_runner"),
        ("live_runner/planted.py", "def later():\n    import torch"),
        ("xtitan_assets/steps/planted.py", "import dagster"),
        ("paper_exchange/planted.py", "import xtitan_core.journal"),
    ],
)
def test_a_planted_import_breaks_the_contracts(tmp_path: Path, where: str, planted: str) -> None:
    folder = copy_of_the_sources(tmp_path)
    (folder / where).write_text(planted + "\n")
    result = lint_imports(folder)
    assert result.returncode != 0
    assert "BROKEN" in result.stdout


@pytest.mark.parametrize(
    ("where", "planted", "broken"),
    [
        ("paper_exchange/venue/state.py", "from paper_exchange import faults", "Inside the exchange"),
        (
            "paper_exchange/trading/notices.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from paper_exchange.calls import dispatch",
            "Inside the exchange",
        ),
        ("paper_exchange/markets/plant.py", "from paper_exchange.fidelity import rules", "Inside the exchange"),
        ("paper_exchange/calls/market.py", "from paper_exchange.calls import history", "Calls know no other call"),
        ("paper_exchange/unnamed.py", "", "Inside the exchange"),
    ],
    ids=["exchange-upward", "exchange-type-only", "exchange-sibling", "exchange-calls", "exchange-unnamed"],
)
def test_a_planted_import_breaks_the_layers(tmp_path: Path, where: str, planted: str, broken: str) -> None:
    folder = copy_of_the_sources(tmp_path)
    with (folder / where).open("a") as file:
        file.write(planted + "\n")
    result = lint_imports(folder)
    assert result.returncode != 0
    # The contracts that fail are listed once more at the end, with the imports that break them.
    _, _, failures = " ".join(result.stdout.split()).partition("Broken contracts")
    assert broken in failures, result.stdout


def test_import_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


def test_no_file_outgrows_the_house() -> None:
    for path in sources(*PACKAGES):
        lines = len(path.read_text().splitlines())
        assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines; split it by subject"


def test_names_say_what_they_are() -> None:
    for path in sources(*PACKAGES):
        words = set(path.stem.split("_"))
        assert not words & {"utils", "util", "helpers", "helper", "manager", "v2", "final", "misc"}, path


def test_a_name_has_one_door() -> None:
    assert house.second_doors(house.modules()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "from live_runner.second import DAY",
        "if TYPE_CHECKING:\n    from live_runner.second import DAY",
        "def later():\n    from live_runner.second import DAY",
        "from live_runner import second\nsecond.DAY",
        "import live_runner.second as second\nsecond.DAY",
    ],
)
def test_a_planted_second_door_is_caught(tmp_path: Path, planted: str) -> None:
    folder = copy_of_the_sources(tmp_path)
    (folder / "live_runner/second.py").write_text("from xtitan_core.clock import DAY\n")
    (folder / "live_runner/planted.py").write_text(planted + "\n")
    (found,) = house.second_doors(house.modules(folder, PACKAGES))
    assert found.startswith(f"{folder}/live_runner/planted.py")
    assert found.endswith("DAY through live_runner.second")


def test_a_package_may_hand_on_names(tmp_path: Path) -> None:
    (tmp_path / "live_runner").mkdir()
    (tmp_path / "live_runner/__init__.py").write_text("from xtitan_core.clock import DAY\n")
    (tmp_path / "live_runner/reader.py").write_text("from live_runner import DAY\n")
    assert house.second_doors(house.modules(tmp_path, PACKAGES)) == []


def test_a_constant_has_one_value() -> None:
    assert house.two_values(house.modules(ROOT, PACKAGES)) == []


@pytest.mark.parametrize("planted", ["DAY = 86_401", "DAY: Final = 24 * 3_600 - 1", "DAY = -86_400.0"])
def test_a_planted_second_value_is_caught(tmp_path: Path, planted: str) -> None:
    (tmp_path / "live_runner").mkdir()
    (tmp_path / "live_runner/first.py").write_text("DAY = 24 * 3_600\nWEEK = 7\n")
    (tmp_path / "live_runner/second.py").write_text(f"WEEK = 7\n{planted}\n")
    (found,) = house.two_values(house.modules(tmp_path, PACKAGES))
    assert found.startswith("DAY: 86400 in live_runner.first, ")
    assert found.endswith("in live_runner.second")
