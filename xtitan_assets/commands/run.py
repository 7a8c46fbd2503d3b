"""`xtitan run JOB`: execute a Dagster job in this process; it shows up in the UI afterwards."""

from __future__ import annotations

import argparse
import time

from xtitan_assets.commands.options import Subparsers, add_workspace, print_json, print_line, progress, workspace
from xtitan_assets.runs.plans import NEEDS, plan

DESCRIPTION = """\
Execute one of the pipeline's jobs, with the same assets and checks that the Dagster UI shows. Exit code 1 when a step
or a blocking check fails. Jobs:

  symbols    what the venue trades now            evaluate   backtest at quoted payouts
  ingest     download closed days of ticks        register   register the bundle, enter shadow
  prepare    features and labels per day          retrain    ingest ... register, all of it
  dataset    prepare + snapshot for training      shadow     read the journal, weigh the evidence
  train      fit the candidates, calibrate        promote    promote if the gate opened
  package    export to ONNX, sign                 release    record data and model in DVC
  quotes     payouts the runner was quoted
"""


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "run",
        help="execute a job of the pipeline",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("job", metavar="JOB", choices=sorted(NEEDS), help="one of the jobs above")
    add_workspace(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace, config: dict[str, object] | None = None) -> int:
    """Run and report; ``config`` configures the last run's assets."""
    from xtitan_assets.runs.execution import execute

    home, params = workspace(options)
    started = time.monotonic()
    outcomes = execute(home, plan(options.job, home, params, config), options.overrides)
    seconds = round(time.monotonic() - started, 1)
    failure = next((outcome.failure for outcome in outcomes if not outcome.success), "")
    if options.json:
        print_json(
            {
                "job": options.job,
                "success": not failure,
                "failure": failure,
                "seconds": seconds,
                "runs": [outcome.as_json() for outcome in outcomes],
            }
        )
    elif not failure:
        checks = [check for outcome in outcomes for check in outcome.checks]
        warnings = [check for check in checks if not check.passed]
        for check in warnings:
            print_line(f"warning: {check.asset}: {check.name}: {check.description}")
        for made in (made for outcome in outcomes for made in outcome.assets.items()):
            if "decided" in made[1]:
                print_line(f"{made[0]}: {made[1]['decided']}: {made[1].get('why', '')}")
        passed = len(checks) - len(warnings)
        print_line(f"{options.job}: done in {seconds} s, {passed} checks passed, {len(warnings)} warnings")
    if failure:
        progress(f"error: {options.job}: {' '.join(failure.split())}")
        return 1
    return 0
