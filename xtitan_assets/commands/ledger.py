"""`xtitan ledger`: who put which model where, when and why; the hash chain is verified first."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from xtitan_assets.commands.options import Subparsers, add_home, add_json, print_json, print_line
from xtitan_assets.workspace.paths import Home


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "ledger",
        help="show and verify the promotion ledger",
        description="Verify the promotion ledger's hash chain and print it. Exit code 1 when a line was changed.",
    )
    add_home(parser)
    add_json(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    from xtitan_assets.steps.registry.promotion_ledger import as_rows, read

    home = Home.from_environment()
    entries = read(home.ledger)
    if options.json:
        print_json(as_rows(entries))
        return 0
    for entry in entries:
        when = datetime.fromtimestamp(entry.wall_time, UTC).strftime("%Y-%m-%d %H:%M:%S")
        print_line(
            f"{entry.sequence:4} {when} {entry.kind:12} {entry.model_name} {entry.bundle_id[:12]} {entry.who}: {entry.why}"
        )
    print_line(f"{len(entries)} entries, chain verified")
    return 0
