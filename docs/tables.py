"""Tables made from the code: each function returns the Markdown of one region."""

from __future__ import annotations

import ast
import importlib
import inspect
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

ROOT = Path(__file__).resolve().parent.parent


class DocsError(Exception):
    """Something that has to be documented is not; one line that says what and where."""


Row = Sequence[str]


def table(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table; every cell of the first and last column must say something.

    Raises:
        DocsError: naming the row that does not.
    """
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        if not row[0].strip("`") or not row[-1].strip():
            raise DocsError(f"{row[0] or 'a row'} has no description; write one where it is defined")
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    return f"`{text}`"


# ---- reading the code


def comments(module: ModuleType, name: str) -> dict[str, str]:
    """Members of an enum with the comments behind them, by value.

    Raises:
        DocsError: naming the member that has none.
    """
    source = inspect.getsource(module)
    lines = source.splitlines()
    body = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == name).body
    found: dict[str, str] = {}
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            comment = lines[node.lineno - 1][node.end_col_offset :].strip()
            if not comment.startswith("# "):
                raise DocsError(f"{module.__name__}.{name}: {node.value.value} has no comment; say what it means")
            found[str(node.value.value)] = comment.removeprefix("# ")
    return found


def codes(module: str, name: str) -> str:
    """The codes of one enum and their meaning."""
    home = importlib.import_module(module)
    meaning = comments(home, name)
    return table(("code", "meaning"), [(code(member.value), meaning[member.value]) for member in getattr(home, name)])


def first_sentence(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().partition("\n\n")[0].split()).replace("``", "`")


def docstrings(path: str) -> dict[str, str]:
    """First paragraphs of the functions of a source file, by name."""
    tree = ast.parse((ROOT / path).read_text())
    return {n.name: first_sentence(ast.get_docstring(n)) for n in tree.body if isinstance(n, ast.FunctionDef)}


def model_rows(model: type[BaseModel], prefix: str = "") -> list[Row]:
    """Key, default and meaning of each field."""
    rows = []
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = (
            "see below" if isinstance(default, BaseModel) else "none" if default in (None, "") else code(plain(default))
        )
        rows.append((code(prefix + (field.alias or name)), shown, field.description or ""))
    return rows


def plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def definitions() -> Any:
    """Dagster's repository of the whole code location."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from xtitan_assets.definitions import defs

        return defs().get_repository_def()


# ---- the source tree


PACKAGES = ("xtitan_core", "paper_exchange", "live_runner", "xtitan_assets")


def folders() -> str:
    """Every folder of the four packages with the first sentence of its ``__init__``."""
    rows = []
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("__init__.py")):
            folder = file.parent.relative_to(ROOT)
            if str(folder) != package:
                rows.append((code(f"{folder}/"), first_sentence(ast.get_docstring(ast.parse(file.read_text())))))
    return table(("folder", "what lives there"), rows)


# ---- runner


def settings() -> str:
    from live_runner.config import Settings

    return table(("setting", "default", "meaning"), model_rows(Settings))


def limits() -> str:
    from live_runner.guards.limits import Limits

    return table(("limit", "default", "what it bounds"), model_rows(Limits, "limits."))


def metrics() -> str:
    from live_runner.metrics import Metrics

    rows = []
    for metric in vars(Metrics()).values():
        if not hasattr(metric, "describe"):
            continue
        family = next(iter(metric.describe()))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(map(code, metric._labelnames)) or "none"
        rows.append((code(name), family.type, labels, family.documentation))
    return table(("metric", "type", "labels", "meaning"), rows)


def intent_states() -> str:
    from live_runner.ledger import records
    from live_runner.ledger.schema import TRANSITIONS

    meaning = comments(records, "IntentState")
    rows = []
    for state, after in TRANSITIONS.items():
        following = ", ".join(code(s.value) for s in records.IntentState if s in after) or "none: it is final"
        rows.append((code(state.value), following, meaning[state.value]))
    return table(("state", "may become", "meaning"), rows)


def final_refusals() -> str:
    from live_runner.buying.gate import FINAL_REFUSALS

    return ", ".join(map(code, sorted(FINAL_REFUSALS))) + ".\n"


# ---- pipeline


def params() -> str:
    from xtitan_assets.workspace.params import Params

    rows = []
    for section, field in Params.model_fields.items():
        assert isinstance(field.annotation, type)
        rows += model_rows(field.annotation, f"{section}.")
    return table(("key", "default", "meaning"), rows)


def jobs() -> str:
    from xtitan_assets.defs.automation.jobs import JOBS

    rows = [(code(name), ", ".join(map(code, assets)), text) for name, (assets, text) in JOBS.items()]
    return table(("job", "assets", "what it does"), rows)


def planned() -> str:
    from xtitan_assets.runs.plans import NEEDS

    rows = [(code(f"xtitan run {name}"), " → ".join(map(code, runs))) for name, runs in NEEDS.items()]
    return table(("command", "Dagster jobs, in order"), rows)


def schedules() -> str:
    texts = docstrings("xtitan_assets/defs/automation/schedules.py")
    rows = [
        (code(s.name), code(s.job_name), f"{code(s.cron_schedule)} {s.execution_timezone}", texts.get(s.name, ""))
        for s in definitions().schedule_defs
    ]
    return table(("schedule", "job", "when", "what for"), rows)


def starters() -> str:
    """What starts each job, beside a person."""
    from xtitan_assets.defs.automation.jobs import JOBS

    rows = []
    for name, (_, text) in JOBS.items():
        times = [f"{code(s.name)}: {code(s.cron_schedule)}" for s in definitions().schedule_defs if s.job_name == name]
        causes = [code(s.name) for s in definitions().sensor_defs if _job_of(s) == name]
        rows.append((code(name), ", ".join(times) or "none", ", ".join(causes) or "none", text))
    return table(("job", "schedule (UTC)", "sensor", "what it does"), rows)


def sensors() -> str:
    texts = docstrings("xtitan_assets/defs/automation/sensors.py")
    rows = []
    for sensor in definitions().sensor_defs:
        text = sensor.description or texts.get(sensor.name, "")
        job = code(_job_of(sensor)) if _job_of(sensor) else "none"
        rows.append((code(sensor.name), job, f"{sensor.minimum_interval_seconds} s", text))
    return table(("sensor", "job", "looks every", "what it does"), rows)


def _job_of(sensor: Any) -> str:
    """The named job that a sensor asks for; empty when it starts none."""
    from xtitan_assets.defs.automation.jobs import JOBS

    target = next(iter(sensor.targets), None)
    name = str(getattr(target, "job_name", ""))
    return name if name in JOBS else ""


def assets() -> str:
    graph = definitions().asset_graph
    rows = []
    for key in graph.toposorted_asset_keys:
        node = graph.get(key)
        after = ", ".join(sorted(code(parent.to_user_string()) for parent in node.parent_keys)) or "nothing"
        kind = type(node.partitions_def).__name__
        partitions = {"MultiPartitionsDefinition": "symbol × day", "DailyPartitionsDefinition": "day"}.get(kind, "none")
        pool = ", ".join(sorted(node.pools or ())) or "none"
        rows.append((code(key.to_user_string()), after, partitions, pool, node.description or ""))
    return table(("asset", "after", "partitions", "pool", "what it is"), rows)


def asset_graph() -> str:
    """The graph as GitHub draws it, an arrow from each asset to what is made of it."""
    graph = definitions().asset_graph
    arrows = sorted(
        f"  {parent.to_user_string()} --> {key.to_user_string()}"
        for key in graph.toposorted_asset_keys
        for parent in graph.get(key).parent_keys
    )
    return "```mermaid\ngraph LR\n" + "\n".join(arrows) + "\n```\n"


def checks() -> str:
    graph = definitions().asset_graph
    rows = []
    for key in sorted(graph.asset_check_keys, key=lambda k: (graph.toposorted_asset_keys.index(k.asset_key), k.name)):
        spec = graph.get_check_spec(key)
        action = "stops the run" if spec.blocking else "warns"
        rows.append((code(key.name), code(key.asset_key.to_user_string()), action, spec.description or ""))
    return table(("check", "of asset", "a failure", "what must hold"), rows)


def stages() -> str:
    import yaml

    rows = []
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items():
        made = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
        names = [code(next(iter(item)) if isinstance(item, dict) else item) for item in made]
        rows.append((code(name), code(stage["cmd"]), ", ".join(stage["params"]), ", ".join(names)))
    return table(("stage", "command", "sections of params.yaml", "what it writes"), rows)
