"""Command line: ``paper_exchange serve`` and ``paper_exchange oracle``."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from paper_exchange.accounts import Account
from paper_exchange.core import Exchange
from paper_exchange.errors import SetupError
from paper_exchange.faults import HOLD_BUY_ANSWER, Faults
from paper_exchange.planted import DEFAULT_PHI, planted_oracle
from paper_exchange.recording import read_ticks
from paper_exchange.server import listen, serve
from paper_exchange.venue import Settings
from paper_exchange.world import World, build_world
from xtitan_core import __version__
from xtitan_core.clock import wall

MAX_SPEED = 50
LOCKSTEP_BUDGET_FACTOR = 1_000
"""Lockstep runs thousands of times faster than the wall, so budgets per venue minute would mean nothing."""

SECOND_COMMISSION = 0.0311
"""What a recorded demo account was quoted; DOT90000002 has it, so that a strategy can be judged at both."""

_EXAMPLES = """\
examples:
  paper_exchange serve                                   R_10 ... 1HZ100V, fair, lockstep, port 8700
  paper_exchange serve --market planted --seed 7         adds PLANTED_100, whose edge is known in closed form
  paper_exchange serve --speed real                      time runs as fast as the wall
  paper_exchange serve --market replay:ticks.csv.gz      replays epoch,quote[,simulated] as R_100

A client takes the token "paper" and any Deriv-App-ID. What really happened: GET /paper/truth.
"""


def parser() -> argparse.ArgumentParser:
    """The command line's definition."""
    top = argparse.ArgumentParser(
        prog="paper_exchange",
        description="A local Deriv: the new API's REST and websockets over a simulated, planted or replayed market.",
    )
    top.add_argument("--version", action="version", version=f"paper_exchange {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "serve",
        help="open the exchange",
        description="Open the exchange on one port, REST and websockets alike, until SIGTERM or Ctrl-C.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    run.add_argument("--port", type=int, default=8700, help="port, 0 picks a free one (default %(default)s)")
    run.add_argument("--seed", type=int, default=1, help="decides every simulated tick (default %(default)s)")
    run.add_argument(
        "--speed",
        type=_speed,
        default=None,
        metavar="lockstep|real|N",
        help="lockstep: time waits for the clients' acknowledgements (default); real: wall speed; N: N times as fast, "
        f"at most {MAX_SPEED}",
    )
    run.add_argument(
        "--market",
        default="fair",
        metavar="fair|planted|replay:FILE",
        help="fair: driftless volatility indices (default); planted: these and PLANTED_100; replay:FILE: a csv, "
        "csv.gz or parquet of epoch,quote[,simulated] in place of --symbol",
    )
    run.add_argument("--symbol", default="R_100", help="symbol that a replay plays (default %(default)s)")
    run.add_argument(
        "--planted-phi", type=float, default=DEFAULT_PHI, help="momentum of PLANTED_100 (default %(default)s)"
    )
    run.add_argument(
        "--start", type=_instant, default=None, metavar="ISO", help="first instant, UTC (default 2026-03-02)"
    )
    run.add_argument("--history-days", type=int, default=5, help="days of ticks before the start (default %(default)s)")
    run.add_argument(
        "--commission", type=float, default=0.012, help="of payout, on the first account (default %(default)s)"
    )
    run.add_argument("--account", default="DOT90000001", help="name of the first account (default %(default)s)")
    run.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar=f"{HOLD_BUY_ANSWER}:N",
        help="book the N-th buy and never answer it",
    )
    run.add_argument("--json", action="store_true", help="ready line as JSON")
    run.add_argument("--quiet", action="store_true", help="no log at all")
    run.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"], help="log on stderr"
    )
    oracle = commands.add_parser(
        "oracle",
        help="what the best possible rule wins on PLANTED_100",
        description="Print the win rate of the best possible rule on PLANTED_100, in closed form (ties not counted): "
        "the share of rise/fall contracts it wins by buying in the direction of the last tick.",
    )
    oracle.add_argument("--ticks", type=int, default=5, help="duration of the contract (default %(default)s)")
    oracle.add_argument("--delay", type=int, default=1, help="ticks from decision to entry (default %(default)s)")
    oracle.add_argument("--planted-phi", type=float, default=DEFAULT_PHI, help="momentum (default %(default)s)")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = parser().parse_args(arguments)
    return _oracle(options) if options.command == "oracle" else _serve(options)


def _oracle(options: argparse.Namespace) -> int:
    try:
        print(planted_oracle(options.planted_phi, options.ticks, options.delay))
    except ValueError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


def _serve(options: argparse.Namespace) -> int:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.CRITICAL if options.quiet else options.log_level.upper(),
        format="%(levelname)s %(name)s: %(message)s",
    )
    try:
        exchange = _exchange(options)
        listener = listen(options.host, options.port)
    except SetupError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    host, port = listener.getsockname()[:2]
    facts = {
        "url": f"http://{f'[{host}]' if ':' in host else host}:{port}",
        "market": options.market,
        "seed": options.seed,
        "speed": "lockstep" if options.speed is None else "real" if options.speed == 1 else f"{options.speed:g}",
        "now": exchange.epoch,
    }

    def ready() -> None:
        line = (
            json.dumps(facts)
            if options.json
            else "paper_exchange ready " + " ".join(f"{k}={v}" for k, v in facts.items())
        )
        print(line, flush=True)

    asyncio.run(serve(exchange, listener, rate=options.speed, ready=ready, log_level=options.log_level))
    return 0


def _exchange(options: argparse.Namespace) -> Exchange:
    if not 0 <= options.commission < 0.4:
        raise SetupError(f"a commission of {options.commission} is not possible; choose one between 0 and 0.4")
    name = options.account
    if not (name.startswith("DOT") and name[3:].isdecimal() and 1 <= len(name[3:]) <= 10) or name == "DOT90000002":
        raise SetupError(f"{name!r} is no account name here; choose DOT and up to ten digits, not DOT90000002")
    lockstep = options.speed is None
    factor = LOCKSTEP_BUDGET_FACTOR if lockstep else 1
    return Exchange(
        _world(options),
        [Account(name, options.commission), Account("DOT90000002", SECOND_COMMISSION)],
        Settings(seed=options.seed, lockstep=lockstep, budget_factor=factor),
        _faults(options.fault),
    )


def _world(options: argparse.Namespace) -> World:
    kind, _, file = options.market.partition(":")
    if kind not in ("fair", "planted", "replay") or (kind == "replay") != bool(file):
        raise SetupError(f"unknown market {options.market!r}; choose fair, planted or replay:FILE")
    return build_world(
        seed=options.seed,
        today=wall(),
        planted=kind == "planted",
        phi=options.planted_phi,
        start=options.start,
        history_days=options.history_days,
        recording=read_ticks(Path(file)) if kind == "replay" else None,
        recorded_symbol=options.symbol,
    )


def _faults(named: Sequence[str]) -> Faults:
    faults = Faults()
    for item in named:
        fault, _, after = item.partition(":")
        if not after.isdecimal():
            raise SetupError(f"fault {item!r} has no count; write it as {HOLD_BUY_ANSWER}:1")
        faults.script(fault, int(after))
    return faults


def _speed(text: str) -> float | None:
    if text == "lockstep":
        return None
    if text == "real":
        return 1.0
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= MAX_SPEED:
        raise argparse.ArgumentTypeError(f"{text!r} is neither lockstep, real nor a number up to {MAX_SPEED}")
    return speed


def _instant(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO date and time, such as 2026-03-02T00:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


if __name__ == "__main__":
    sys.exit(main())
