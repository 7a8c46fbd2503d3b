"""Dates and times on the command line."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime


def instant(text: str) -> int:
    """Epoch seconds of an ISO date and time, UTC where it names no offset.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO date and time, such as 2026-03-02T00:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def window(text: str) -> tuple[int, int]:
    """Two instants written as ``BEGIN/END``, as epoch seconds.

    Raises:
        argparse.ArgumentTypeError: they are none.
    """
    begin, slash, end = text.partition("/")
    if not slash:
        raise argparse.ArgumentTypeError(f"{text!r} is no window, such as 2026-03-02T02:00/2026-03-02T03:00")
    return instant(begin), instant(end)
