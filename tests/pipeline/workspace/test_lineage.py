"""What makes an asset stale: any module that its function reaches, and nothing else.

The closures of ``workspace/lineage.py`` are held against an oracle that shares no code with it: the import graph of grimp
(what import-linter stands on), entered where the compiled function of the loaded asset says.
"""

from __future__ import annotations

import dis
import re
import shutil
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import grimp
import pytest

from xtitan_assets.resources.dvc import DvcResource
from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace import lineage
from xtitan_assets.workspace.lineage import LineageError, Sources

OURS = ("xtitan_core", "xtitan_assets")


def function_of(definitions: dg.Definitions, asset: str) -> types.FunctionType:
    """The function that the loaded asset runs."""
    op: Any = definitions.resolve_assets_def(asset).op
    return op.compute_fn.decorated_fn  # type: ignore[no-any-return]


def entered(function: types.FunctionType) -> set[str]:
    """Modules that a function imports, uses by a global name or is annotated with, from what Python compiled."""
    found = set()
    instructions = list(dis.get_instructions(function))
    module = ""
    for step in instructions:
        if step.opname == "IMPORT_NAME":
            module = str(step.argval)
            found.add(module)
        elif step.opname == "IMPORT_FROM":
            found.add(f"{module}.{step.argval}")
    used = [function.__globals__.get(name) for name in function.__code__.co_names]
    for value in [*used, *function.__annotations__.values()]:
        found.add(value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", ""))
    return found - {function.__module__}


@pytest.fixture(scope="module")
def reached() -> Callable[[set[str], str], set[str]]:
    """Everything that modules import, by grimp's graph, with the packages around each."""
    graph = grimp.build_graph(*OURS, cache_dir=None, exclude_type_checking_imports=True)

    @cache
    def step(name: str) -> frozenset[str]:
        around = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
        return frozenset(around | graph.find_modules_directly_imported_by(name))

    def everything(modules: set[str], inside: str) -> set[str]:
        found: set[str] = set()
        waiting = {name for name in modules if name in graph.modules} | set(step(inside)) - set(
            graph.find_modules_directly_imported_by(inside)
        )
        while waiting:
            found |= waiting
            waiting = set().union(*(step(name) for name in waiting)) - found
        return found

    return everything


@pytest.fixture(scope="module")
def oracle(definitions: dg.Definitions, reached: Callable[[set[str], str], set[str]]) -> dict[str, set[str]]:
    """The modules behind every asset."""
    keys = [key.to_user_string() for key in definitions.get_repository_def().asset_graph.get_all_asset_keys()]
    functions = {name: function_of(definitions, name) for name in keys}
    return {name: reached(entered(function), function.__module__) for name, function in functions.items()}


@pytest.fixture(scope="module")
def copy(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that assets are made of, to be changed and put back."""
    folder = tmp_path_factory.mktemp("sources")
    for package in OURS:
        shutil.copytree(project / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def versions() -> Callable[[Path], dict[str, str]]:
    def all_of(root: Path) -> dict[str, str]:
        sources = Sources(root)
        return {asset: sources.code_version(asset) for asset in sources.assets}

    return all_of


@pytest.fixture
def stale(copy: Path, versions: Callable[[Path], dict[str, str]]) -> Iterator[Callable[[str, str, str], set[str]]]:
    """The assets that replacing a text in one file makes stale; an empty text is appended to."""
    before = versions(copy)
    changed: dict[Path, bytes] = {}

    def replace(file: str, old: str, new: str) -> set[str]:
        path = copy / file
        changed[path] = path.read_bytes()
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1) if old else text + new)
        after = versions(copy)
        assert after.keys() == before.keys()
        return {asset for asset in before if before[asset] != after[asset]}

    yield replace
    for path, content in changed.items():
        path.write_bytes(content)


def path_of(root: Path, module: str) -> Path:
    base = root / module.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def test_dagsters_assets_carry_the_version_of_their_closure(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    sources = Sources(lineage.PROJECT)
    known = {key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}
    assert known == {asset: sources.code_version(asset) for asset in sources.assets}
    assert len(set(known.values())) == len(known)


def test_an_asset_that_no_function_declares_is_an_error(copy: Path) -> None:
    with pytest.raises(LineageError, match="made_by_a_factory: declared by no function"):
        Sources(copy).code_version("made_by_a_factory")


def test_the_checks_that_stop_a_run_are_those_the_sources_declare(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    known = {(k.asset_key.to_user_string(), k.name, graph.get(k).blocking) for k in graph.asset_check_keys}
    assert known == {(c.asset, c.check, c.blocking) for c in Sources(lineage.PROJECT).checks}


def test_closures_are_those_of_the_import_graph(oracle: dict[str, set[str]]) -> None:
    sources = Sources(lineage.PROJECT)
    for asset, declared in sources.assets.items():
        assert sources.of(declared) == oracle[asset], asset


def test_a_change_of_any_module_makes_exactly_its_users_stale(
    copy: Path, versions: Callable[[Path], dict[str, str]], oracle: dict[str, set[str]]
) -> None:
    """One changed module at a time, all modules of both packages, those that no asset uses included."""
    before = versions(copy)
    bodies = {declared.module for declared in Sources(copy).assets.values()}
    for module in sorted(Sources(copy).modules - bodies):
        path = path_of(copy, module)
        original = path.read_bytes()
        path.write_bytes(original + b"\nPLANTED = 1\n")
        after = versions(copy)
        path.write_bytes(original)
        wanted = {asset for asset, modules in oracle.items() if module in modules}
        assert {asset for asset in before if before[asset] != after[asset]} == wanted, module
    assert versions(copy) == before


Stale = Callable[[str, str, str], set[str]]


def test_the_profit_rule_makes_the_backtest_stale(stale: Stale) -> None:
    made = stale("xtitan_assets/steps/model/evaluation.py", "payout_cents - side.ask_cents", "payout_cents")
    assert made == {"backtest_report", "serving_bundle"}


def test_the_labels_make_all_that_learns_from_them_stale(stale: Stale) -> None:
    made = stale("xtitan_assets/steps/features/labels.py", "", "\nPLANTED = 1\n")
    assert made >= {
        "labels",
        "training_dataset",
        "model_checkpoint",
        "calibration",
        "serving_bundle",
        "backtest_report",
    }
    assert not made & {"ticks_raw", "live_journal", "shadow_report"}


def test_what_counts_as_a_candidate_makes_the_shadow_report_stale(stale: Stale) -> None:
    [where] = [
        path
        for path in ("registry/register.py", "registry/promotion_ledger.py")
        if "def candidates_of" in (lineage.PROJECT / "xtitan_assets" / "steps" / path).read_text()
    ]
    made = stale(f"xtitan_assets/steps/{where}", "def candidates_of(", "PLANTED = 1\n\n\ndef candidates_of(")
    assert {"shadow_report", "champion_release"} <= made
    assert not made & {"features", "labels", "training_dataset", "model_checkpoint"}


def test_an_assets_own_body_makes_it_stale_and_not_its_neighbours(stale: Stale) -> None:
    file = "xtitan_assets/defs/model/assets.py"
    assert stale(
        file, "report = fit(workspace.home(), workspace.params())", "report = fit(workspace.home(), None)"
    ) == {"calibration"}


def test_what_a_body_uses_of_its_file_belongs_to_it(stale: Stale) -> None:
    assert stale("xtitan_assets/defs/release/assets.py", '"the gate opened"', '"because"') == {"champion_release"}


def test_how_an_asset_is_declared_is_no_part_of_what_it_computes(stale: Stale) -> None:
    assert stale("xtitan_assets/defs/model/assets.py", 'pool="gpu"', 'pool="workspace"') == set()
    assert stale("xtitan_assets/defs/model/assets.py", "TRAINING_SECONDS = 6", "TRAINING_SECONDS = 7") == set()


@pytest.mark.parametrize(
    ("file", "used"),
    [
        ("import xtitan_core.used as used\n@dg.asset\n@used.twice\ndef one(): ...", True),
        ("from xtitan_core.used import twice\n@twice\n@dg.asset(name='one')\ndef other(): ...", True),
        ("from xtitan_core.used import *\n@dg.asset\ndef one(): return TWO", True),
        ("if TYPE_CHECKING: ...\nelse:\n    from xtitan_core.used import TWO\n@dg.asset\ndef one(): return TWO", True),
        ("from xtitan_core import used\nif (TWO := used.TWO): ...\n@dg.asset\ndef one(): return TWO", True),
        ("from xtitan_core import used\nTWICE = 2 * (TWO := used.TWO)\n@dg.asset\ndef one(): return TWO", True),
        ("from xtitan_core import used\nTHREE, (TWO, *_) = used.both()\n@dg.asset\ndef one(): return TWO", True),
        ("from xtitan_core import used\nTWO: int = used.TWO\n@dg.asset\ndef one(): return TWO", True),
        ("from xtitan_core import used\nused.TWO = 3\n@dg.asset\ndef one(): ...", True),
        ("from xtitan_core import used\nused.ALL['two'], TWO = 3, 2\n@dg.asset\ndef one(): ...", True),
        ("from xtitan_core import used\nfor TWO in used.ALL: ...\n@dg.asset\ndef one(): return TWO", True),
        ("from xtitan_core import used\nwith used.two() as TWO: ...\n@dg.asset\ndef one(): return TWO", True),
        ("from xtitan_core import used\ntry: TWO = used.TWO\nexcept Exception: ...\n@dg.asset\ndef one(): ...", True),
        ("from xtitan_core.used import Two\n@dg.asset\ndef one(two: 'Two'): ...", True),
        ("from xtitan_core import used\n@dg.asset\ndef one() -> 'list[used.Two]': ...", True),
        ("from xtitan_core import used\n@dg.asset(partitions_def=used.DAYS)\ndef one(): ...", False),
        ("from xtitan_core import used\nTWICE = 2 * used.TWO\n@dg.asset\ndef one(): ...", False),
        ("if TYPE_CHECKING:\n    from xtitan_core.used import TWO\n@dg.asset\ndef one(): ...", False),
    ],
)
def test_what_of_its_file_an_asset_is_made_of(tmp_path: Path, file: str, used: bool) -> None:
    for name, text in (("xtitan_core/used.py", ""), ("xtitan_assets/defs/planted.py", file)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    sources = Sources(tmp_path)
    assert sources.of(sources.assets["one"]) == ({"xtitan_core.used"} if used else set())


def test_resources_are_bound_with_their_defaults(definitions: dg.Definitions) -> None:
    """All that a resource does stands in its class, which the closures hold; the file that binds it is in none."""
    assert definitions.resources == {"workspace": WorkspaceResource(), "dvc": DvcResource()}


def test_a_statement_that_runs_with_the_file_belongs_to_all_assets_of_it(stale: Stale) -> None:
    made = stale("xtitan_assets/defs/shadow/assets.py", "", "\nprint(1)\n")
    assert made == {"live_journal", "shadow_report", "drift_report"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "\n# A comment.\n"),
        ('"""Fit on the calibration span', '"""Fit, on the calibration span'),
        ("def fit(home: Home, params: Params)", "def fit(home: Home,\n        params: Params,\n)"),
    ],
    ids=["comment", "docstring", "layout"],
)
def test_words_and_layout_make_nothing_stale(stale: Stale, old: str, new: str) -> None:
    assert stale("xtitan_assets/steps/model/calibrate.py", old, new) == set()


def test_no_result_depends_on_what_is_not_counted() -> None:
    """Neither docstrings, which the version leaves out, nor imports by a computed name, which no reader can follow."""
    sources = Sources(lineage.PROJECT)
    used = set().union(*({declared.module, *sources.of(declared)} for declared in sources.assets.values()))
    hidden = re.compile(
        r"__doc__|getdoc|get_docstring|getsource|use_attribute_docstrings|importlib|pkgutil|runpy|sys\.modules"
        r"|__import__|def __getattr__|(?<![.\w])(exec|eval|compile)\("
    )
    for path in sources.files(used):
        assert not hidden.search(path.read_text()), path


def test_a_data_file_counts_for_those_who_use_its_package(
    copy: Path, versions: Callable[[Path], dict[str, str]]
) -> None:
    before = versions(copy)
    table = copy / "xtitan_core" / "evidence" / "levels.csv"
    table.write_text("1,2\n")
    made = versions(copy)
    table.write_text("1,3\n")
    changed = versions(copy)
    table.unlink()
    users = {asset for asset in before if before[asset] != made[asset]}
    assert {"shadow_report", "champion_release"} <= users
    assert not users & {"features", "labels", "live_journal", "backtest_report"}
    assert {asset for asset in made if made[asset] != changed[asset]} == users
    assert versions(copy) == before


@pytest.mark.parametrize(
    ("planted", "counts"),
    [
        ("from xtitan_core import staking", True),
        ("def later():\n    import xtitan_core.staking", True),
        ("def later():\n    from xtitan_core.staking import kelly_stake", True),
        ("from .. import finding", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import xtitan_core.staking", False),
    ],
)
def test_which_imports_count(copy: Path, planted: str, counts: bool) -> None:
    path = copy / "xtitan_assets" / "steps" / "model" / "baseline.py"
    original = path.read_text()
    path.write_text(original + planted + "\n")
    found = Sources(copy).closure(["xtitan_assets.steps.model.baseline"])
    path.write_text(original)
    assert ("xtitan_core.staking" in found) is counts
    assert ("xtitan_assets.steps.finding" in found) is ("finding" in planted)
