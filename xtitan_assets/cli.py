"""`xtitan`: the pipeline's command line. Each subcommand is one file in ``commands``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from xtitan_assets.commands import certificate, demo, doctor, keys, ledger, promote, rollback, run, sample, ui
from xtitan_assets.workspace import environment
from xtitan_core.errors import XtitanError

DESCRIPTION = """\
Train, prove, promote: the pipeline side of x.titan.

  xtitan demo            the whole loop on a fair and a planted market
  xtitan run retrain     from ticks to a registered model in shadow
  xtitan run shadow      weigh the evidence in the runner's journal
  xtitan promote         make the shadow model the champion, if the gate opened
  xtitan ui              Dagster and MLflow in the browser
"""
COMMANDS = (run, sample, promote, rollback, ledger, certificate, keys, doctor, ui, demo)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="xtitan", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Returns 0 on success, 1 on a failure that was explained in one line, 2 on wrong usage."""
    environment.apply()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["demo"]:  # the demo parses its own options, --help included
            return demo.dispatch(given[1:])
        options = parser().parse_args(given)
        if getattr(options, "home", None):
            os.environ["XTITAN_HOME"] = os.path.abspath(options.home)
        return int(options.call(options))
    except KeyboardInterrupt:
        print("error: interrupted; what was finished is kept, run it again to go on", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(
            f"error: {where}{error.strerror or error}; check the path, its permissions and the free space",
            file=sys.stderr,
        )
        return 1
    except XtitanError as error:
        # Any other exception is a fault of the program and keeps its traceback.
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
