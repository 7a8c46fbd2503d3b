"""`xtitan certificate`: print a promotion's certificate and recompute it from the exported trades."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from xtitan_assets import lineage
from xtitan_assets.commands.options import Subparsers, add_home, say
from xtitan_assets.paths import Home
from xtitan_assets.steps.errors import StepError


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "certificate",
        help="print the newest certificate and recompute it",
        description="Print the certificate of the newest evaluation in data/reports, then recompute its bankrolls from "
        "the exported trades with certificate_check.py, a script of the standard library. Exit code 1 on a difference.",
    )
    add_home(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    reports = Home.from_environment().reports
    certificate, text, trades = reports / "certificate.json", reports / "certificate.txt", reports / "shadow_trades.csv"
    for needed in (certificate, trades):
        if not needed.exists():
            raise StepError(f"{needed}: not there; a promotion writes it (`xtitan promote`)")
    if text.exists():
        say(text.read_text().rstrip())
    script = Path(lineage.PROJECT / "xtitan_assets" / "certificate_check.py")
    return subprocess.run([sys.executable, "-I", str(script), str(certificate), str(trades)], check=False).returncode
