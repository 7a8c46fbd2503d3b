"""Entry point of ``xtitan``: says what to install on a host that has the base dependencies only."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line, or explain in one line why it cannot run here."""
    try:
        from xtitan_assets.cli import main as run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("xtitan_", "live_runner", "paper_exchange")):
            raise
        print(
            f"error: {error.name} is not installed, so this is a trading host; "
            "the pipeline needs: pip install 'xtitan[pipeline]'",
            file=sys.stderr,
        )
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
