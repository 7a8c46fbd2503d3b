"""Rules of the house: who may import whom, who may read a clock, how large a file may grow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from support import house
from support.house import PACKAGES, ROOT, TRADING

FILE_LINES, FUNCTION_LINES = 350, 70
FILES_AT_THE_TOP, FILES_IN_A_FOLDER = 10, 16

CLOCK_CALLS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "monotonic_ns"),
    ("time", "perf_counter"),
    ("time", "process_time"),
    ("time", "thread_time"),
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


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return house.import_graph()


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
    # By its import, not by being a file that no layer names.
    importer, imported = where.removesuffix(".py").replace("/", "."), planted.split("import ")[-1]
    assert f"{importer} -> {imported} (l." in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("where", "planted", "broken"),
    [
        ("xtitan_core/symbols.py", "from xtitan_core import decision", "Inside the core"),
        (
            "xtitan_core/contracts/types.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from xtitan_core.features.spec import FeatureSpec",
            "Inside the core",
        ),
        ("xtitan_core/decision.py", "from xtitan_core import staking", "Inside the core"),
        ("xtitan_core/unnamed.py", "", "Inside the core"),
        (
            "xtitan_core/deriv/rest.py",
            "def later():\n    from xtitan_core import decision",
            "Deriv's protocol stands apart",
        ),
        ("paper_exchange/venue/state.py", "from paper_exchange import faults", "Inside the exchange"),
        (
            "paper_exchange/trading/notices.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from paper_exchange.calls import dispatch",
            "Inside the exchange",
        ),
        ("paper_exchange/markets/plant.py", "from paper_exchange.fidelity import rules", "Inside the exchange"),
        ("paper_exchange/calls/market.py", "from paper_exchange.calls import history", "Calls know no other call"),
        ("paper_exchange/unnamed.py", "", "Inside the exchange"),
        ("live_runner/trading/market.py", "from live_runner.buying import gate", "Inside the runner"),
        (
            "live_runner/venue/clock.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from live_runner.loop.entry import Entry",
            "Inside the runner",
        ),
        ("live_runner/reconcile/follow.py", "from live_runner.trading import market", "Inside the runner"),
        ("live_runner/unnamed.py", "", "Inside the runner"),
        ("live_runner/loop/goals.py", "from live_runner.loop.entry import Entry", "The loop"),
        ("live_runner/buying/gate.py", "from live_runner.buying.decider import Decider", "Buying"),
        ("live_runner/app.py", "from live_runner.venue.fake import FakeVenue", "No program uses the fake venue"),
        (
            "xtitan_assets/steps/ingest/ticks.py",
            "def later():\n    from xtitan_assets.steps.features import inputs",
            "Steps:",
        ),
        (
            "xtitan_assets/workspace/paths.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from xtitan_assets.steps.report import Report",
            "Inside the pipeline",
        ),
        ("xtitan_assets/steps/shadow/drift.py", "from xtitan_assets.steps.dataset import snapshot", "Steps:"),
        ("xtitan_assets/steps/model/export.py", "from xtitan_assets.steps.model import train", "Steps of a model"),
        ("xtitan_assets/defs/model/assets.py", "from xtitan_assets.defs.shadow import assets", "Groups of Dagster"),
        ("xtitan_assets/unnamed.py", "", "Inside the pipeline"),
    ],
    ids=[
        "core-upward",
        "core-type-only",
        "core-sibling",
        "core-unnamed",
        "core-deriv",
        "exchange-upward",
        "exchange-type-only",
        "exchange-sibling",
        "exchange-calls",
        "exchange-unnamed",
        "runner-upward",
        "runner-type-only",
        "runner-sibling",
        "runner-unnamed",
        "runner-loop",
        "runner-buying",
        "runner-fake",
        "pipeline-upward",
        "pipeline-type-only",
        "pipeline-sibling",
        "pipeline-steps",
        "pipeline-groups",
        "pipeline-unnamed",
    ],
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
    for module in house.modules(folders=PACKAGES).values():
        lines = len(module.path.read_text().splitlines())
        assert lines <= FILE_LINES, f"{module.name} has {lines} lines; split it by subject"


def test_no_function_outgrows_the_house() -> None:
    for module in house.modules(folders=PACKAGES).values():
        for name, lines in house.functions(module):
            assert lines <= FUNCTION_LINES, f"{module.name}.{name} has {lines} lines; give a part of it a name"


def test_no_folder_outgrows_the_house() -> None:
    for folder, inside in house.folders(house.modules(folders=PACKAGES)).items():
        at_the_top = folder.parent == ROOT
        limit = FILES_AT_THE_TOP if at_the_top else FILES_IN_A_FOLDER
        assert len(inside) <= limit, (
            f"{folder.relative_to(ROOT)} has {len(inside)} files; give a subject its own folder"
        )


def test_no_files_import_each_other_in_a_circle(graph: grimp.ImportGraph) -> None:
    assert house.circles(house.file_arrows(graph)) == []


def test_folders_import_downward_only(graph: grimp.ImportGraph) -> None:
    found = house.folder_arrows(graph)
    assert set(PACKAGES) <= set(found), "every package has folders"
    assert {package: up for package, arrows in found.items() if (up := house.arrows_up(arrows))} == {}


def test_a_planted_circle_is_found() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("p.a", "p.b"), ("p.b", "p.c"), ("p.c", "p.a"), ("p.c", "p.d"), ("p.e", "p.a")):
        graph.add_import(importer=importer, imported=imported)
    assert house.circles(house.file_arrows(graph)) == [["p.a", "p.b", "p.c"]]


def test_a_planted_arrow_up_is_found() -> None:
    graph = grimp.ImportGraph()
    for module in ("p", "p.high", "p.low", "p.low.deep", "p.low.flat"):
        graph.add_module(module)
    graph.add_import(importer="p.high.a", imported="p.low.deep.b")
    graph.add_import(importer="p.low.flat.c", imported="p.low.deep.b")
    assert [house.arrows_up(arrows) for arrows in house.folder_arrows(graph).values()] == [[], []]
    graph.add_import(importer="p.low.deep.d", imported="p.high.e")
    assert house.circles(house.file_arrows(graph)) == [], "no file is in a circle, but the folders are"
    assert house.arrows_up(house.folder_arrows(graph)["p"]) == ["p.high -> p.low", "p.low -> p.high"]
    graph.add_import(importer="p.low.deep.d", imported="p.low.flat.f")
    assert len(house.arrows_up(house.folder_arrows(graph)["p.low"])) == 2


@pytest.mark.parametrize("inside", ["{}", "if TYPE_CHECKING:\n    {}", "def later():\n    {}"])
def test_a_planted_import_back_is_seen_wherever_it_stands(tmp_path: Path, inside: str) -> None:
    folder = copy_of_the_sources(tmp_path)
    with (folder / "xtitan_core/clock.py").open("a") as file:
        file.write(inside.format("from xtitan_core.contracts import types") + "\n")
    told = subprocess.run(
        [sys.executable, "-m", "support.house"],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{ROOT / 'tests'}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert "  circle: xtitan_core.clock, xtitan_core.contracts.types\n" in told
    assert "  up: xtitan_core.clock -> xtitan_core.contracts" in told


def test_no_code_is_hidden_from_the_readers_of_imports() -> None:
    assert house.unseen(house.modules(folders=PACKAGES)) == []


@pytest.mark.parametrize(
    ("where", "planted", "said"),
    [
        ("live_runner/room/a.py", "import paper_exchange", "live_runner/room has no __init__.py"),
        (
            "live_runner/a.py",
            "import importlib as i\ni.import_module('paper_exchange')",
            "live_runner/a.py:2: import_module",
        ),
        ("live_runner/a.py", "def later():\n    return __import__('torch')", "live_runner/a.py:2: __import__"),
        ("live_runner/a.py", "exec('import torch')", "live_runner/a.py:1: exec"),
        (
            "live_runner/a.py",
            "import live_runner\nlive_runner.loop",
            "live_runner/a.py:2: live_runner.loop of its package",
        ),
        (
            "live_runner/a.py",
            "import live_runner.errors as e\nfrom live_runner import errors, loop as l\nl.ticks.read(e.a, errors.a)",
            "live_runner/a.py:3: live_runner.loop.ticks of its package",
        ),
    ],
    ids=["folder", "import_module", "import", "exec", "attribute", "attribute-of-alias"],
)
def test_planted_code_that_import_linter_does_not_see_is_found(
    tmp_path: Path, where: str, planted: str, said: str
) -> None:
    folder = copy_of_the_sources(tmp_path)
    (folder / where).parent.mkdir(exist_ok=True)
    (folder / where).write_text(planted + "\n")
    assert house.unseen(house.modules(folder, PACKAGES)) == [f"{folder}/{said}"]


def test_sizes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "live_runner/sub").mkdir(parents=True)
    (tmp_path / "live_runner/sub/__init__.py").write_text("")
    (tmp_path / "live_runner/sub/a.py").write_text("class A:\n    async def long(self):\n\n        def inner(): ...\n")
    found = house.modules(tmp_path, ("live_runner",))
    assert sorted(found) == ["live_runner.sub", "live_runner.sub.a"]
    assert list(house.functions(found["live_runner.sub.a"])) == [("A.long", 3), ("A.long.inner", 1)]
    (inside,) = house.folders(found).values()
    assert [module.name for module in inside] == ["live_runner.sub.a"]


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
    (tmp_path / "live_runner").mkdir()
    (tmp_path / "live_runner/second.py").write_text("from xtitan_core.clock import DAY\n")
    (tmp_path / "live_runner/planted.py").write_text(planted + "\n")
    (found,) = house.second_doors(house.modules(tmp_path, PACKAGES))
    assert found.startswith(f"{tmp_path}/live_runner/planted.py")
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
