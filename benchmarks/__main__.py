"""``python -m benchmarks [NAME …]``: run the measurements and print them; ``--json F`` writes them as data."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("runner_footprint", "lockstep", "exchange_core", "exchange_sockets", "features")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which measurements (default: all of {', '.join(NAMES)})")
    parser.add_argument("--json", type=Path, metavar="F", help="write the figures to F")
    args = parser.parse_args()
    unknown = set(args.names) - set(NAMES)
    if unknown:
        print(
            f"error: unknown measurement {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}", file=sys.stderr
        )
        return 2
    if args.json:
        try:
            # Tried before the work starts, because it can take hours.
            args.json.open("a").close()
        except OSError as problem:
            print(f"error: cannot write {args.json}: {problem.strerror}; name another file", file=sys.stderr)
            return 2
    figures: dict[str, Any] = {"machine": f"{platform.machine()} {platform.python_version()}"}
    for name in args.names or NAMES:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        figures[name] = importlib.import_module(f"benchmarks.{name}").measure()
        for key, value in figures[name].items():
            print(f"   {key:<52} {value}", flush=True)
        print(f"   ({time.monotonic() - started:.0f} s)", flush=True)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("error: interrupted; start it again", file=sys.stderr)
        sys.exit(130)
