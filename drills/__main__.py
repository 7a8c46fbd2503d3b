"""``python -m drills [NAME …]``: run the drills; exit code 0 only when every claim held."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("gate", "seeds", "fair", "payouts", "malformed", "many_clients", "faults")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which drills (default: all of {', '.join(NAMES)})")
    parser.add_argument("--json", type=Path, metavar="F", help="write the figures to F")
    args = parser.parse_args()
    unknown = set(args.names) - set(NAMES)
    if unknown:
        print(f"error: unknown drill {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}", file=sys.stderr)
        return 2
    if args.json:
        try:
            # Tried before the work starts, because it can take hours.
            args.json.open("a").close()
        except OSError as problem:
            print(f"error: cannot write {args.json}: {problem.strerror}; name another file", file=sys.stderr)
            return 2
    figures: dict[str, Any] = {}
    for name in args.names or NAMES:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        figures[name] = importlib.import_module(f"drills.{name}").drill()
        print(f"   {'holds' if figures[name]['holds'] else 'FAILS'} ({time.monotonic() - started:.0f} s)", flush=True)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if all(f["holds"] for f in figures.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("error: interrupted; start it again", file=sys.stderr)
        sys.exit(130)
