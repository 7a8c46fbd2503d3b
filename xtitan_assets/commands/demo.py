"""`xtitan demo`: the whole loop, from nothing to a promoted model and a runner that trades it."""

from __future__ import annotations

from collections.abc import Sequence

from xtitan_assets.commands.options import Subparsers


def add(commands: Subparsers) -> None:
    """Listed for ``xtitan --help`` only: the demo parses its own options."""
    commands.add_parser("demo", help="the whole loop on a fair and a planted market", add_help=False)


def dispatch(arguments: Sequence[str]) -> int:
    """Hand everything after ``demo`` to the demo."""
    from xtitan_assets.demo import command_line

    return command_line(list(arguments))
