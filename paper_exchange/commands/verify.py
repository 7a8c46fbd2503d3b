"""``paper_exchange verify``: a trader's day over every call, checked against Deriv's own schemas."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from paper_exchange.commands.serve import exchange_of, options_of
from paper_exchange.verify.course import verify
from paper_exchange.verify.tally import Tally

START = "2026-03-04T12:00:00Z"
"""A Wednesday noon: every market is open."""


def define(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "verify",
        help="hold the exchange against Deriv's schemas",
        description="Run a scripted trader's day over every call, REST included, and hold every frame against Deriv's "
        "published schemas; then send thousands of bad requests, each of which must be refused. Exit code 1 "
        "on any violation.",
    )
    command.add_argument(
        "--schemas", type=Path, required=True, metavar="DIR", help="folder of the official schemas, one folder a call"
    )
    command.add_argument(
        "--assume",
        action="append",
        default=[],
        metavar="KEY=CHOICE",
        help="answer an open question about Deriv otherwise, as with serve; may be given several times",
    )
    command.add_argument("--json", action="store_true", help="print the result as one JSON object")


def run(options: argparse.Namespace) -> int:
    """Print the figures; 0 without violations, else 1.

    Raises:
        SetupError: there are no schemas in the folder, or no exchange of these options.
    """
    assume = [f"--assume={item}" for item in options.assume]
    exchange = exchange_of(options_of("--market", "planted", "--start", START, *assume))
    tally = verify(exchange, options.schemas, lambda line: print_line(sys.stderr, line))
    print_line(sys.stdout, json.dumps(figures(tally)) if options.json else table(tally))
    return 1 if tally.violations else 0


def figures(tally: Tally) -> dict[str, Any]:
    """The figures as plain data."""
    return {
        "calls": {call: asdict(calls) for call, calls in tally.calls.items()},
        "error_codes": tally.codes,
        "frames": sum(calls.frames for calls in tally.calls.values()),
        "bad_requests_refused": tally.refusals,
        "violations": tally.violations,
    }


def table(tally: Tally) -> str:
    """The figures for people: a line a call, then what was wrong."""
    rows: list[tuple[str, ...]] = [("call", "accepted", "frames out", "bad, refused", "violations")]
    rows += [(call, *map(str, (c.accepted, c.frames, c.refused, c.violations))) for call, c in tally.calls.items()]
    total = [sum(column) for column in zip(*(map(int, row[1:]) for row in rows[1:]), strict=True)]
    rows.append(("all", *map(str, total)))
    lines = [f"{name:<26}" + "".join(f"{cell:>14}" for cell in cells) for name, *cells in rows]
    for call, calls in tally.calls.items():
        lines += [f"violation: {call}: {example}" for example in calls.examples]
        if calls.violations > len(calls.examples):
            lines.append(f"violation: {call}: {calls.violations - len(calls.examples)} more")
    return "\n".join([*lines, f"{tally.violations} violations"])


def print_line(stream: TextIO, line: str) -> None:
    """One line, at once."""
    stream.write(line + "\n")
    stream.flush()
