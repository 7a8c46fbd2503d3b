"""cProfile results, grouped by subject."""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

SUBJECTS = {
    "json": ("/json/", "/protocol/decoding.py"),
    "validation": ("/protocol/", "/re/", "/venue/budgets.py"),
    "terms": (
        "/contracts/terms.py", "/contracts/offerings.py", "/contracts/barriers.py", "/contracts/longcodes.py",
        "/contracts/commissions.py", "/markets/calendar.py",
    ),
    "pricing": ("/contracts/pricing.py", "/prices/", "/money.py"),
    "booking": ("/venue/accounts.py", "/contracts/", "/venue/events.py", "/enum.py"),
    "frames": ("/paper_exchange/venue/", "/paper_exchange/trading/", "/paper_exchange/exchange.py"),
    "calls": ("/calls/", "/fidelity/", "/faults/"),
    "ids": ("/randomness.py", "/hashlib.py"),
    "market": ("/markets/", "/symbols.py", "/numpy/"),
    "socket": (
        "/asyncio/", "/uvicorn/", "/websockets/", "/paper_exchange/net/", "/selectors.py",
    ),
}  # fmt: skip
"""Parts of a source file's path by subject, the first match counts; a file that matches none counts as "other"."""
WAITING = ("<method 'poll' of 'select.epoll' objects>",)


def subject_of(file: str) -> str:
    """The subject a source file belongs to."""
    return next((subject for subject, parts in SUBJECTS.items() if any(part in file for part in parts)), "other")


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """Each subject's share of the time, largest first; what builtins take counts for their callers."""
    totals: defaultdict[str, float] = defaultdict(float)
    entries: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (file, _, name), (_, _, own, _, callers) in entries.items():
        if name in WAITING:
            continue
        if file != "~":
            totals[subject_of(file)] += own
            continue
        for (caller, _, _), (_, _, part, _) in callers.items():
            totals[subject_of(caller)] += part
    whole = sum(totals.values())
    return {subject: total / whole for subject, total in sorted(totals.items(), key=lambda item: -item[1])}


def profiled(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` under the profiler and print the shares as one line of JSON."""
    profile = cProfile.Profile()
    profile.enable()
    asyncio.run(work)
    profile.disable()
    print(json.dumps(shares(profile)), flush=True)
