"""`xtitan rollback`: take the champion out and put the one before it back."""

from __future__ import annotations

import argparse

from xtitan_assets.commands.options import Subparsers, add_workspace, print_json, print_line, workspace


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "rollback",
        help="put the previous champion back",
        description="Move the alias `champion` to the champion before the current one (or to none) and write who and "
        "why into the promotion ledger. The trading host has its own, `live_runner rollback`, for when it is alone.",
    )
    parser.add_argument("--who", help="name for the ledger (default: XTITAN_OPERATOR, or the login name)")
    parser.add_argument("--why", required=True, help="reason for the ledger")
    add_workspace(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    from xtitan_assets.steps.registry.promotion_ledger import operator
    from xtitan_assets.steps.release.promote import rollback

    home, params = workspace(options)
    report = rollback(home, params, options.who or operator(), options.why)
    if options.json:
        print_json(report.as_metadata())
    else:
        before, after = (bundle[:12] or "none" for bundle in (report.before, report.after))
        print_line(f"{report.model_name}: champion {before} -> {after}; {report.why}")
    return 0
