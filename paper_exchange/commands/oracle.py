"""``paper_exchange oracle``: what the best possible rule wins on a planted symbol."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from paper_exchange.commands.instants import instant
from paper_exchange.errors import SetupError
from paper_exchange.markets.oracles import oracle
from paper_exchange.markets.plant import DEFAULT_PHI, Plant
from paper_exchange.markets.world import DEFAULT_START
from xtitan_core.contracts import ContractType
from xtitan_core.symbols import PLANTED_SYMBOL

_EXAMPLES = """\
examples:
  paper_exchange oracle --ticks 5                                   rise/fall on PLANTED_100: momentum
  paper_exchange oracle --symbol PLANTED_VOL_100 --type ONETOUCH --ticks 10 --barrier 4
  paper_exchange oracle --symbol PLANTED_VOL_100 --type RANGE --ticks 10 --barrier 4 --barrier2 -4
  paper_exchange oracle --symbol PLANTED_DRIFT_100 --type HIGHER --ticks 10 --barrier 1
  paper_exchange oracle --symbol PLANTED_DIGIT_100 --type DIGITMATCH --ticks 1
  paper_exchange oracle --edge-half-life 7 --at 2026-03-16          when the momentum has halved twice
"""


def define(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "oracle",
        help="what the best possible rule wins on a planted symbol",
        description="Print the win rate of a rule that knows the planted law and its state, in closed form or "
        "enumerated (ties not counted). --json adds at which share of all instants it buys and the probability that "
        "the house prices with.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    add("--symbol", default=PLANTED_SYMBOL, help="a planted symbol (default %(default)s)")
    add("--type", default=ContractType.CALL, metavar="TYPE", help="Deriv's contract type (default %(default)s)")
    add("--ticks", type=int, default=5, help="duration of the contract (default %(default)s)")
    add("--barrier", type=float, help="distance of the (upper) barrier from the entry, in tick standard deviations")
    add("--barrier2", type=float, help="distance of the lower barrier, negative")
    add("--digit", type=int, help="prediction of a digit contract")
    add("--delay", type=int, default=1, help="ticks from decision to entry (default %(default)s)")
    add("--planted-phi", type=float, default=DEFAULT_PHI, help="momentum of PLANTED_100 (default %(default)s)")
    add("--edge-until", type=instant, metavar="ISO", help="as given to serve")
    add("--edge-half-life", type=float, metavar="DAYS", help="as given to serve")
    add("--start", type=instant, default=DEFAULT_START, metavar="ISO", help="as given to serve (default 2026-03-02)")
    add("--at", type=instant, metavar="ISO", help="when the oracle decides (default: at the start)")
    add("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Print the win rate.

    Raises:
        SetupError: there is no such contract type, or a parameter of the edges is impossible.
        OracleError: the contract is impossible, or the symbol has no edge in it.
    """
    plant = Plant(
        phi=options.planted_phi,
        until=options.edge_until,
        half_life=options.edge_half_life,
        since=options.start,
    )
    at = options.start if options.at is None else options.at
    if options.type not in list(ContractType):
        raise SetupError(f"unknown contract type {options.type!r}; choose one of {', '.join(ContractType)}")
    best = oracle(
        options.symbol,
        ContractType(options.type),
        options.ticks,
        plant,
        barrier=options.barrier,
        barrier2=options.barrier2,
        digit=options.digit,
        delay=options.delay,
        strength=plant.strength(at),
    )
    sys.stdout.write(f"{json.dumps(asdict(best)) if options.json else best.win_rate}\n")
    return 0
