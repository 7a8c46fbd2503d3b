"""Command line: the parser and the way to each command's module."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from paper_exchange.commands import oracle, serve, verify
from paper_exchange.commands.profiles import expand
from paper_exchange.errors import ExchangeError
from xtitan_core import __version__

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count it: 128 and the signal's number."""

COMMANDS: Mapping[str, tuple[Callable[[Any], None], Callable[[argparse.Namespace], int]]] = {
    "serve": (serve.define, serve.run),
    "oracle": (oracle.define, oracle.run),
    "verify": (verify.define, verify.run),
}


class _Parser(argparse.ArgumentParser):
    """Prints a usage error as one line, like every other error; argparse uses this class for subcommands too."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The command line's definition."""
    top = _Parser(
        prog="paper_exchange",
        description="A local Deriv: the new API's REST and websockets over a simulated, planted or replayed market.",
    )
    top.add_argument("--version", action="version", version=f"paper_exchange {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for define, _ in COMMANDS.values():
        define(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = parser().parse_args(expand(sys.argv[1:] if arguments is None else arguments))
    _, run = COMMANDS[options.command]
    try:
        code = run(options)
        sys.stdout.flush()
        return code
    except ExchangeError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        # Files and addresses that cannot be used are setup errors; what is left is standard output, closed or full.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter tries, and complains, once more at its end
        print(f"error: cannot write: {problem.strerror}; see where the output goes", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # Once it listens, serve ends cleanly on its own; this is Ctrl-C before that, or in another command.
        print("error: interrupted; start it again", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
