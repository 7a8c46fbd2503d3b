"""`xtitan promote`: the promotion job, with a name and a reason for the ledger."""

from __future__ import annotations

import argparse

from xtitan_assets.commands import run
from xtitan_assets.commands.options import Subparsers, add_workspace


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "promote",
        help="make the shadow model the champion, if the gate opened",
        description="Read the journal, evaluate the gate, and move the alias `champion` only if it opened. The verdict, "
        "with its certificate, goes into the promotion ledger. Exit code 1 when the gate is closed.",
    )
    parser.add_argument("--who", help="name for the ledger (default: XTITAN_OPERATOR, or the login name)")
    parser.add_argument("--why", default="the gate opened", help="reason for the ledger")
    add_workspace(parser)
    parser.set_defaults(call=call, job="promote")


def call(options: argparse.Namespace) -> int:
    from xtitan_assets.steps.registry.promotion_ledger import operator

    who = options.who or operator()
    return run.call(options, {"ops": {"champion_release": {"config": {"who": who, "why": options.why}}}})
