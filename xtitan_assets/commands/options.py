"""Options that several subcommands share."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from xtitan_assets.workspace.params import Params, load_params
from xtitan_assets.workspace.paths import Home

Subparsers = Any
"""argparse's private action type for ``add_subparsers``."""


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """``--home``, ``--set`` and ``--json``."""
    add_home(parser)
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="SECTION.KEY=VALUE",
        action="append",
        default=[],
        help="override one value of params.yaml; may be given several times",
    )
    add_json(parser)


def add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", metavar="DIR", help="the project's folder (default: XTITAN_HOME, or the current one)")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object on stdout")


def workspace(options: argparse.Namespace) -> tuple[Home, Params]:
    """Folders and parameters that the options ask for.

    Raises:
        ParamsError: params.yaml or an override is wrong.
    """
    home = Home.from_environment()
    return home, load_params(home.params, list(getattr(options, "overrides", [])))


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, indent=1, sort_keys=True, default=str) + "\n")


def print_line(line: str) -> None:
    """Print one line of a result on stdout."""
    sys.stdout.write(line + "\n")


def progress(line: str) -> None:
    """Print one line of progress on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
