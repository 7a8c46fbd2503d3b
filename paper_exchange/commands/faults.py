"""The options of ``serve`` about faults."""

from __future__ import annotations

import argparse
from pathlib import Path

from paper_exchange.errors import SetupError
from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.injection import Faults
from paper_exchange.faults.script import parse, read_script
from paper_exchange.faults.seeded import Mix

DEFAULT_RATE = 0.05


def add_options(run: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    run.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:key=value,...]",
        help="commit a fault, for example answer_held:nth=2; docs/exchange.md lists all; may be given several times",
    )
    run.add_argument(
        "--fault-script",
        type=Path,
        metavar="FILE",
        help='commit the faults of a file, a JSON object {"fault": NAME} a line',
    )
    run.add_argument("--fault-seed", type=int, metavar="N", help="commit faults at random, decided by this seed")
    run.add_argument(
        "--fault-rate",
        type=float,
        metavar="P",
        help=f"probability of a random fault on each occasion, with --fault-seed (default {DEFAULT_RATE})",
    )
    run.add_argument(
        "--fault-only",
        default="",
        metavar="NAME,...",
        help="choose random faults from these (default: all but what others do to the account)",
    )


def asked_for(options: argparse.Namespace) -> Faults:
    """The faults that were asked for.

    Raises:
        SetupError: for one that the exchange does not know.
    """
    scripted = [parse(text) for text in options.fault]
    if options.fault_script is not None:
        scripted += read_script(options.fault_script)
    mix = None
    if options.fault_seed is not None:
        rate = DEFAULT_RATE if options.fault_rate is None else options.fault_rate
        mix = Mix(options.fault_seed, rate, _names(options.fault_only))
    elif options.fault_only or options.fault_rate is not None:
        raise SetupError(
            "--fault-rate and --fault-only are about random faults, and there is no --fault-seed; give one"
        )
    return Faults(scripted, mix)


def _names(text: str) -> list[FaultName] | None:
    if not text:
        return None
    try:
        return [FaultName(name.strip()) for name in text.split(",")]
    except ValueError:
        raise SetupError(f"--fault-only {text!r} names an unknown fault; choose from {', '.join(FaultName)}") from None
