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
    "json": ("/json/", "/decoding.py"),
    "validation": ("/protocol/requests.py", "/schema.py", "/re/", "/budgets.py"),
    "terms": ("/terms.py", "/offerings.py", "/barriers.py", "/longcodes.py", "/commissions.py", "/calendar.py"),
    "pricing": ("/pricing.py", "/prices/", "/money.py"),
    "booking": ("/accounts.py", "/open_contract.py", "/contracts/", "/events.py", "/enum.py"),
    "frames": ("/venue/state.py", "/exchange.py", "/connections.py", "/frames.py", "/trading/", "/views.py"),
    "calls": ("/calls/", "/venue/lockstep.py", "/venue/hooks.py", "/fidelity/", "/faults/"),
    "ids": ("/randomness.py", "/hashlib.py"),
    "market": ("/series.py", "/markets/", "/symbols.py", "/world.py", "/numpy/"),
    "socket": (
        "/asyncio/", "/uvicorn/", "/websockets/", "/gateway.py", "/sockets.py", "/batching.py", "/selectors.py",
        "/idle.py",
    ),
}  # fmt: skip
"""What the source files are for; a file of none of these counts as "other"."""
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
