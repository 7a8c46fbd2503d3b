"""``paper_exchange serve``: open the exchange on one port."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

from paper_exchange.commands import faults
from paper_exchange.commands.instants import instant, window
from paper_exchange.commands.profiles import PROFILES, expand
from paper_exchange.errors import SetupError
from paper_exchange.exchange import Exchange
from paper_exchange.fidelity.assumptions import parse_assumptions
from paper_exchange.markets.plant import DEFAULT_PHI
from paper_exchange.markets.recording import read_ticks
from paper_exchange.markets.world import World, build_world
from paper_exchange.net.idle import parse_idle_rule
from paper_exchange.net.server import listen, serve
from paper_exchange.record import Recorder
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings
from xtitan_core.clock import wall

MAX_SPEED = 50

REPLAYED = "R_100"
"""The symbol a replay plays by default."""

LOCKSTEP_BUDGET_FACTOR = 1_000
"""Lockstep runs thousands of times faster than the wall; budgets per venue minute would stop any client."""

SECOND_COMMISSION = "demo"
"""What a recorded demo account was quoted; DOT90000002 has it, so that a strategy can be judged at both."""

_EXAMPLES = """\
examples:
  paper_exchange serve                                   every fair market, lockstep, port 8700
  paper_exchange serve --market planted --seed 7         adds the PLANTED symbols, whose edges are known
  paper_exchange serve --profile live                    time runs as fast as the wall, Deriv's budgets count
  paper_exchange serve --profile hostile --fault-seed 7  one message in fifty goes wrong
  paper_exchange serve --market replay:ticks.csv.gz      replays epoch,quote[,simulated] as R_100

A client takes the token "paper" and any Deriv-App-ID. What really happened: GET /paper/truth.
"""


def define(commands: Any) -> None:
    """Add the command to the parser."""
    run = commands.add_parser(
        "serve",
        help="open the exchange",
        description="Open the exchange on one port, REST and websockets alike, until SIGTERM or Ctrl-C.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "--profile",
        choices=tuple(PROFILES),
        default="fast",
        help="options in one word, the others win over it: "
        + "; ".join(f"{name}: {profile.purpose}" for name, profile in PROFILES.items())
        + " (default %(default)s)",
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
    _add_market_options(run)
    run.add_argument(
        "--commission",
        default="recorded",
        help="of payout, on the first account: a fraction, or a schedule of commissions.csv (default %(default)s: what "
        "Deriv was seen to quote on the day, 0.012 on volatility indices until May 2026)",
    )
    run.add_argument("--account", default="DOT90000001", help="name of the first account (default %(default)s)")
    faults.add_options(run)
    _add_venue_options(run)
    run.add_argument("--json", action="store_true", help="ready line as JSON")
    run.add_argument("--quiet", action="store_true", help="no log at all")
    run.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"], help="log on stderr"
    )


def _add_market_options(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--market",
        default="fair",
        metavar="fair|planted|replay:FILE",
        help="fair: every market of Deriv's, fair (default); planted: these and the PLANTED ones; replay:FILE: a csv, "
        "csv.gz or parquet of epoch,quote[,simulated] in place of --symbol",
    )
    run.add_argument("--symbol", default=REPLAYED, help="symbol that a replay plays (default %(default)s)")
    run.add_argument(
        "--planted-phi", type=float, default=DEFAULT_PHI, help="momentum of PLANTED_100 (default %(default)s)"
    )
    run.add_argument(
        "--edge-until", type=instant, default=None, metavar="ISO", help="the planted edges are gone from then on"
    )
    run.add_argument(
        "--edge-half-life",
        type=float,
        default=None,
        metavar="DAYS",
        help="what the planted edges rest on halves in so many days, such as the momentum, whose win rate falls faster",
    )
    run.add_argument(
        "--start", type=instant, default=None, metavar="ISO", help="first instant, UTC (default 2026-03-02)"
    )
    run.add_argument("--history-days", type=int, default=5, help="days of ticks before the start (default %(default)s)")


def _add_venue_options(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--assume",
        action="append",
        default=[],
        metavar="KEY=CHOICE",
        help="answer an open question about Deriv otherwise; docs/fidelity.md lists them; may be given several times",
    )
    run.add_argument(
        "--maintenance",
        type=window,
        action="append",
        default=[],
        metavar="ISO/ISO",
        help="from one instant to the other sockets are closed and nobody is let in; may be given several times",
    )
    run.add_argument(
        "--record", type=Path, metavar="DIR", help="write every frame and everything that really happened into a folder"
    )
    run.add_argument(
        "--idle-close",
        default=None,
        metavar="SECONDS[:CODE]|never",
        help="close a websocket that sent no request for so many wall seconds (default 120), with code 1000, 1001, 1006 "
        "(no close frame) or 1011",
    )


def run(options: argparse.Namespace) -> int:
    """Open the exchange and serve until a signal stops it.

    Raises:
        SetupError: the options make no exchange, the port is taken, or the recording could not be written to its end.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.CRITICAL if options.quiet else options.log_level.upper(),
        format="%(levelname)s %(name)s: %(message)s",
    )
    exchange = exchange_of(options)
    idle = None if options.idle_close is None else parse_idle_rule(options.idle_close)
    listener = listen(options.host, options.port)
    try:
        recorder = None if options.record is None else Recorder(options.record, lambda: exchange.epoch)
    except SetupError:
        listener.close()
        raise
    if recorder is not None:
        exchange.record(recorder)
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
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        asyncio.run(serve(exchange, listener, rate=options.speed, ready=ready, log_level=options.log_level, idle=idle))
    finally:
        if recorder is not None:
            recorder.close()
    return 0


def options_of(*arguments: str) -> argparse.Namespace:
    """The parsed options of these arguments of ``serve``."""
    top = argparse.ArgumentParser()
    define(top.add_subparsers())
    return top.parse_args(expand(["serve", *arguments]))


def exchange_of(options: argparse.Namespace) -> Exchange:
    """The exchange that these options describe, not yet listening.

    Raises:
        SetupError: they contradict each other, or name something that does not exist.
    """
    name = options.account
    if re.fullmatch("DOT[0-9]{1,10}", name) is None or name == "DOT90000002":
        raise SetupError(f"{name!r} is no account name here; choose DOT and up to ten digits, not DOT90000002")
    lockstep = options.speed is None
    factor = LOCKSTEP_BUDGET_FACTOR if lockstep else 1
    return Exchange(
        _world(options),
        [Account(name, options.commission), Account("DOT90000002", SECOND_COMMISSION)],
        Settings(
            seed=options.seed,
            lockstep=lockstep,
            budget_factor=factor,
            assume=parse_assumptions(options.assume),
            maintenance=tuple(options.maintenance),
        ),
        faults.asked_for(options),
    )


def _world(options: argparse.Namespace) -> World:
    kind, _, file = options.market.partition(":")
    if kind not in ("fair", "planted", "replay") or (kind == "replay") != bool(file):
        raise SetupError(f"unknown market {options.market!r}; choose fair, planted or replay:FILE")
    if kind != "replay" and options.symbol != REPLAYED:
        raise SetupError("--symbol names what a replay plays; add --market replay:FILE, or leave it out")
    planted = (options.planted_phi, options.edge_until, options.edge_half_life)
    if kind != "planted" and planted != (DEFAULT_PHI, None, None):
        raise SetupError(
            "--planted-phi and --edge-* are about planted markets; add --market planted, or leave them out"
        )
    return build_world(
        seed=options.seed,
        today=wall(),
        planted=kind == "planted",
        phi=options.planted_phi,
        edge_until=options.edge_until,
        edge_half_life=options.edge_half_life,
        start=options.start,
        history_days=options.history_days,
        recording=read_ticks(Path(file)) if kind == "replay" else None,
        recorded_symbol=options.symbol,
    )


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
