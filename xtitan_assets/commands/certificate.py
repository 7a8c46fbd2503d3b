"""`xtitan certificate`: print a promotion's certificate and recompute it from the exported trades."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from xtitan_assets.commands.options import Subparsers, add_home, print_line
from xtitan_assets.workspace import lineage
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "certificate",
        help="print the newest certificate and recompute it",
        description="Print the certificate of the newest promotion, then recompute its bankrolls from "
        "the exported trades with certificate_check.py, a script of the standard library. Exit code 1 on a difference.",
    )
    add_home(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    reports = Home.from_environment().reports
    newest = reports / "certificate.json"
    if not newest.exists():
        raise StepError(f"{newest}: not there; a promotion writes it (`xtitan promote`)")
    # The trades that belong to the certificate are kept with it; those beside the reports go on growing.
    try:
        bundle_id = str(json.loads(newest.read_text())["bundle_id"])
    except (ValueError, KeyError, TypeError):
        raise StepError(f"{newest}: not a certificate; restore data/reports from a backup") from None
    folder = reports / "certificates" / bundle_id[:16]
    for needed in ("certificate.json", "trades.csv"):
        if not (folder / needed).exists():
            raise StepError(f"{folder / needed}: not there; restore data/reports/certificates from a backup")
    if (reports / "certificate.txt").exists():
        print_line((reports / "certificate.txt").read_text().rstrip())
    sys.stdout.flush()
    script = lineage.PROJECT / "xtitan_assets" / "certificate_check.py"
    arguments = [sys.executable, "-I", str(script), str(folder / "certificate.json"), str(folder / "trades.csv")]
    return subprocess.run(arguments, check=False).returncode
