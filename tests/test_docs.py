"""The documentation: every generated table is what the code says, and nothing that has a name is missing from it.

Names are collected here independently of ``docs/generate.py``, so a table that the generator forgets is noticed, too.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, Field

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
Names = set[str]


@pytest.fixture(scope="module")
def docs() -> Iterator[SimpleNamespace]:
    """The generator's modules and the pages as they are."""
    sys.path.insert(0, str(DOCS))
    try:
        generate, tables = importlib.import_module("generate"), importlib.import_module("tables")
        yield SimpleNamespace(generate=generate, tables=tables, pages=generate.read_pages())
    finally:
        sys.path.remove(str(DOCS))
        for name in ("generate", "tables", "exchange_tables"):
            sys.modules.pop(name, None)


# ---- what has to be documented, straight from the code


def fields(model: type[BaseModel], prefix: str = "") -> Names:
    return {prefix + (field.alias or name) for name, field in model.model_fields.items()}


def settings() -> Names:
    from live_runner.config import Settings
    from live_runner.guards.limits import Limits

    return fields(Settings) | fields(Limits, "limits.")


def params() -> Names:
    from xtitan_assets.workspace.params import Params

    sections = ((name, field.annotation) for name, field in Params.model_fields.items())
    return {key for name, model in sections for key in fields(model, f"{name}.")}  # type: ignore[arg-type]


def metrics() -> Names:
    from prometheus_client import generate_latest

    from live_runner.metrics import Metrics

    page = generate_latest(Metrics().registry).decode()
    return {name for name in re.findall(r"^# HELP (\S+)", page, re.MULTILINE) if not name.endswith("_created")}


def reason_codes() -> Names:
    """Every string enum of the runner, and the core's closed codes that end up in its journal or reports."""
    shared = ("decision.py", "bundle/verification.py", "evidence/shadow_trades.py")
    files = [*(ROOT / "live_runner").rglob("*.py"), *(ROOT / "xtitan_core" / name for name in shared)]
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") == "StrEnum" for base in node.bases):
                assigned = [item.value for item in node.body if isinstance(item, ast.Assign)]
                found |= {str(value.value) for value in assigned if isinstance(value, ast.Constant)}
    return found


def exchange_calls() -> Names:
    from paper_exchange.protocol.requests import REQUESTS

    return set(REQUESTS)


def exchange_codes() -> Names:
    source = "".join(path.read_text() for path in (ROOT / "paper_exchange").rglob("*.py"))
    return set(re.findall(r'(?:CallError|_refusal|_limit)\(\s*"(\w+)"', source))


def faults() -> Names:
    from paper_exchange.faults.catalogue import FaultName

    return {str(name) for name in FaultName}


def rules() -> Names:
    from paper_exchange.fidelity.rules import RULES

    return {rule.key for rule in RULES}


def orchestration(kind: str) -> Callable[[], Names]:
    def names() -> Names:
        repository = importlib.import_module("tables").definitions()
        graph = repository.asset_graph
        return {
            "job": {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")},
            "schedule": {schedule.name for schedule in repository.schedule_defs},
            "sensor": {sensor.name for sensor in repository.sensor_defs},
            "asset": {key.to_user_string() for key in graph.get_all_asset_keys()},
            "check": {key.name for key in graph.asset_check_keys},
        }[kind]

    return names


def control_requests() -> Names:
    """What the runner's control socket answers."""
    tree = ast.parse((ROOT / "live_runner" / "ops" / "operators.py").read_text())
    compared = (n for n in ast.walk(tree) if isinstance(n, ast.Compare) and getattr(n.left, "id", "") == "command")
    return {str(n.comparators[0].value) for n in compared if isinstance(n.comparators[0], ast.Constant)}


def environment() -> Names:
    sources = (path for package in ("xtitan_assets", "live_runner") for path in (ROOT / package).rglob("*.py"))
    return {name for path in sources for name in re.findall(r'"(XTITAN_[A-Z_]+)"', path.read_text())}


def folders() -> Names:
    """Every folder of source below a package's top."""
    packages = ("xtitan_core", "paper_exchange", "live_runner", "xtitan_assets")
    holding = {path.parent.relative_to(ROOT) for package in packages for path in (ROOT / package).rglob("*.py")}
    return {f"{folder}/" for folder in holding if str(folder) not in packages}


DOCUMENTED: dict[str, Callable[[], Names]] = {
    "settings": settings,
    "params": params,
    "metrics": metrics,
    "reason codes": reason_codes,
    "exchange calls": exchange_calls,
    "exchange codes": exchange_codes,
    "exchange faults": faults,
    "exchange rules": rules,
    "jobs": orchestration("job"),
    "schedules": orchestration("schedule"),
    "sensors": orchestration("sensor"),
    "assets": orchestration("asset"),
    "checks": orchestration("check"),
    "control requests": control_requests,
    "environment": environment,
    "folders": folders,
}


def rows(page: str) -> Names:
    """Names that have a table row of their own."""
    return set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))


def undocumented(names: Names, pages: Iterable[str]) -> Names:
    return names - {name for page in pages for name in rows(page)}


def commands(parser: argparse.ArgumentParser) -> Names:
    action = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {f"{parser.prog} {name}" for name in action.choices}


def all_commands() -> Names:
    from live_runner.cli import build_parser
    from paper_exchange.cli import parser as exchange
    from xtitan_assets.cli import parser as pipeline

    return commands(build_parser()) | commands(exchange()) | commands(pipeline())


# ---- the pages as they are


def test_every_generated_region_is_fresh_and_stands_in_a_page(docs: SimpleNamespace) -> None:
    assert docs.generate.problems(docs.pages) == []


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_everything_with_a_name_has_a_row(docs: SimpleNamespace, kind: str) -> None:
    names = DOCUMENTED[kind]()
    assert names, f"no {kind} found: this test looks in the wrong place"
    assert undocumented(names, docs.pages.values()) == set()


def test_every_command_has_its_help(docs: SimpleNamespace) -> None:
    page = docs.pages["commands.md"]
    shown = set(re.findall(r"^### `([^`]+)`\n\n```\nusage: ", page, re.MULTILINE))
    assert shown == all_commands()


@pytest.mark.parametrize("page", sorted(path.name for path in [*DOCS.glob("*.md"), ROOT / "README.md"]))
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page if page == "README.md" else DOCS / page
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []


# ---- sabotage: what these tests would miss, they must not miss


def without(pages: dict[str, str], lost: str) -> dict[str, str]:
    """The pages without any table row of one name."""
    row = re.compile(rf"^\| `{re.escape(lost)}`.*\n", re.MULTILINE)
    return {page: row.sub("", text) for page, text in pages.items()}


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_a_removed_row_is_missed(docs: SimpleNamespace, kind: str) -> None:
    names = DOCUMENTED[kind]()
    lost = sorted(names)[len(names) // 2]
    assert undocumented(names, without(docs.pages, lost).values()) == {lost}


def regions(docs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every region's text; the generator then repeats it instead of reading the code again."""
    made = {name: make() for name, make in docs.generate.REGIONS.items()}
    monkeypatch.setattr(docs.generate, "REGIONS", {name: lambda text=text: text for name, text in made.items()})
    return made


def test_a_changed_line_of_any_region_is_stale(docs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in regions(docs, monkeypatch).items():
        line = text.splitlines(keepends=True)[-1]
        for page, whole in docs.pages.items():
            if text in whole:
                changed = docs.pages | {page: whole.replace(text, text.removesuffix(line))}
                assert any(f"docs/{page} is stale" in problem for problem in docs.generate.problems(changed)), name
                break
        else:
            pytest.fail(f"no page shows the region {name}")


def test_a_removed_region_is_missed(docs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in regions(docs, monkeypatch):
        bare = {page: text.replace(f"<!-- generated: {name} -->", "") for page, text in docs.pages.items()}
        assert f"no page has the region {name}" in docs.generate.problems(bare)


def test_a_region_that_nobody_generates_is_refused(docs: SimpleNamespace) -> None:
    with pytest.raises(docs.tables.DocsError, match="no region 'horoscope'"):
        docs.generate.fill("<!-- generated: horoscope -->\n<!-- end -->\n")


def test_a_code_without_a_comment_is_refused(docs: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text('class Reason:\n    A = "a"  # said\n    B = "b"\n')
    sys.path.insert(0, str(tmp_path))
    try:
        planted: ModuleType = importlib.import_module("planted")
        with pytest.raises(docs.tables.DocsError, match="b has no comment"):
            docs.tables.comments(planted, "Reason")
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("planted", None)


def test_a_setting_without_a_description_is_refused(docs: SimpleNamespace) -> None:
    class Planted(BaseModel):
        said: int = Field(1, description="something")
        unsaid: int = 2

    with pytest.raises(docs.tables.DocsError, match="`unsaid` has no description"):
        docs.tables.table(("setting", "default", "meaning"), docs.tables.model_rows(Planted))


@pytest.mark.parametrize("planted", ["command", "option"])
def test_a_command_or_option_without_help_is_refused(docs: SimpleNamespace, planted: str) -> None:
    parser = argparse.ArgumentParser()
    subparsers: Any = parser.add_subparsers()
    if planted == "command":
        subparsers.add_parser("silent")
    else:
        subparsers.add_parser("spoken", help="says what it does").add_argument("--silent")
    with pytest.raises(docs.tables.DocsError, match="silent has no help"):
        docs.generate.subcommands(parser)
