"""`xtitan sample`: enough days of a paper market on disk, for `dvc repro` on a fresh clone."""

from __future__ import annotations

import argparse

from xtitan_assets.commands.options import Subparsers, add_workspace, print_json, print_line, progress, workspace


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "sample",
        help="make a sample market, no exchange needed",
        description="Start a paper exchange for as long as it takes to download data.days days of "
        "data.symbol into data/raw/ticks. Does nothing when enough days are there already.",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated market (default 1)")
    add_workspace(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    from xtitan_assets.steps.ingest.sample import sample

    home, params = workspace(options)
    report = sample(home, params, options.seed, progress)
    if options.json:
        print_json(report.as_metadata())
    else:
        what = f"{report.rows} ticks made" if report.made else "already there"
        print_line(f"{report.symbol}: {report.days[0]} to {report.days[-1]}, {what}")
    return 0
