"""Tables of the documentation that come from the code: ``python docs/generate.py`` writes them, ``--check`` verifies.

A page marks a region with ``<!-- generated: name -->`` and ``<!-- end -->``; what lies between is replaced. A setting,
metric, code or command without a description stops the generator: describe it where it is defined.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import exchange_tables
import tables
from tables import DocsError

DOCS = Path(__file__).resolve().parent
REGION = re.compile(r"(?P<open><!-- generated: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(?P<close><!-- end -->)", re.DOTALL)
WIDTH = "100"
"""Columns that ``--help`` is wrapped at."""


def command_lines() -> str:
    """Every command's own ``--help``."""
    from live_runner import cli as runner
    from paper_exchange import cli as exchange
    from xtitan_assets import cli as pipeline

    programs: tuple[tuple[str, Callable[[list[str]], int], argparse.ArgumentParser], ...] = (
        ("xtitan", pipeline.main, pipeline.parser()),
        ("live_runner", runner.main, runner.build_parser()),
        ("paper_exchange", exchange.main, exchange.parser()),
    )
    parts = []
    for program, main, parser in programs:
        parts.append(f"## `{program}`\n\n```\n{help_of(main, [])}```\n")
        for name in subcommands(parser):
            parts.append(f"### `{program} {name}`\n\n```\n{help_of(main, [name])}```\n")
    return "\n" + "\n".join(parts) + "\n"


def subcommands(parser: argparse.ArgumentParser) -> list[str]:
    """Names of a parser's subcommands, in its order.

    Raises:
        DocsError: naming one without a line of help, or an option of it without one.
    """
    action = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    listed = {choice.dest: choice.help for choice in action._choices_actions}
    for name, command in action.choices.items():
        if not listed.get(name):
            raise DocsError(f"command {name} has no help; give add_parser one")
        for option in command._actions:
            if not option.help:
                raise DocsError(f"command {name}: {'/'.join(option.option_strings) or option.dest} has no help")
    return list(action.choices)


def help_of(main: Callable[[list[str]], int], path: list[str]) -> str:
    """What a command prints for ``--help``."""
    text = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
            main([*path, "--help"])
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.__setitem__("COLUMNS", before)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


ENUMS = {
    "outcomes": ("live_runner.buying.purchase", "Outcome"),
    "gate-reasons": ("live_runner.buying.purchase", "GateReason"),
    "limit-reasons": ("live_runner.guards.limits", "LimitBreach"),
    "decision-reasons": ("xtitan_core.decision", "Reason"),
    "missed-reasons": ("live_runner.trading.engine", "Missed"),
    "verdicts": ("live_runner.reconcile.binding", "Proof"),
    "cash-rows": ("live_runner.ledger.records", "Booked"),
    "tick-kinds": ("live_runner.trading.market", "TickKind"),
    "bundle-problems": ("xtitan_core.bundle.errors", "BundleProblem"),
    "excluded": ("xtitan_core.evidence.shadow_trades", "Excluded"),
}
"""Regions that are nothing but the codes of an enum."""

REGIONS: Mapping[str, Callable[[], str]] = {
    **{name: partial(tables.codes, *where) for name, where in ENUMS.items()},
    "folders": tables.folders,
    "settings": tables.settings,
    "limits": tables.limits,
    "metrics": tables.metrics,
    "intent-states": tables.intent_states,
    "final-refusals": tables.final_refusals,
    "exchange-symbols": exchange_tables.exchange_symbols,
    "exchange-calls": exchange_tables.exchange_calls,
    "exchange-budgets": exchange_tables.exchange_budgets,
    "exchange-errors": exchange_tables.exchange_errors,
    "exchange-fault-points": exchange_tables.exchange_fault_points,
    "exchange-offers": exchange_tables.exchange_offers,
    "exchange-faults": exchange_tables.exchange_faults,
    "fault-keys": exchange_tables.fault_keys,
    "rules": exchange_tables.rules,
    "differences": exchange_tables.differences,
    "assumptions": exchange_tables.assumptions,
    "params": tables.params,
    "jobs": tables.jobs,
    "planned": tables.planned,
    "starters": tables.starters,
    "schedules": tables.schedules,
    "sensors": tables.sensors,
    "assets": tables.assets,
    "asset-graph": tables.asset_graph,
    "checks": tables.checks,
    "stages": tables.stages,
    "commands": command_lines,
}
"""Every generated region by name; each stands in one page at least."""


def fill(page: str) -> str:
    """A page with its regions as the code has them now.

    Raises:
        DocsError: for a region nobody generates, or something undocumented.
    """

    def fresh(match: re.Match[str]) -> str:
        if match["name"] not in REGIONS:
            raise DocsError(f"no region {match['name']!r}; choose one of {', '.join(REGIONS)}")
        return match["open"] + REGIONS[match["name"]]() + match["close"]

    return REGION.sub(fresh, page)


def problems(pages: Mapping[str, str]) -> list[str]:
    """What is wrong with pages, given by name: stale regions, and regions that stand nowhere."""
    found = [f"docs/{name} is stale; run python docs/generate.py" for name, text in pages.items() if fill(text) != text]
    placed = {match["name"] for text in pages.values() for match in REGION.finditer(text)}
    return found + [f"no page has the region {name}" for name in REGIONS if name not in placed]


def read_pages() -> dict[str, str]:
    """All pages by name."""
    return {path.name: path.read_text() for path in sorted(DOCS.glob("*.md"))}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="docs/generate.py", description="Bring the generated tables of docs/ up to date."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 when something is stale or missing"
    )
    options = parser.parse_args(arguments)
    try:
        pages = read_pages()
        if not options.check:
            for name, text in pages.items():
                pages[name] = fill(text)
                if pages[name] != text:
                    (DOCS / name).write_text(pages[name])
        found = problems(pages)
    except DocsError as error:
        found = [str(error)]
    for problem in found:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
