"""The main job, end to end: from nothing to a promoted model and a runner that trades it."""

from __future__ import annotations

import argparse


def command_line(argv: list[str]) -> int:
    """Parse the options of ``xtitan demo`` and run it; returns the exit code."""
    from xtitan_assets.demo.main import add_arguments, run

    parser = argparse.ArgumentParser(
        prog="xtitan demo",
        description="Train on a market without an edge and on one with a planted edge, let the gate decide, trade what "
        "it promotes, survive a kill -9, and report. It runs the programs themselves: paper exchange, Dagster, MLflow, runner.",
    )
    add_arguments(parser)
    return run(parser.parse_args(argv))
