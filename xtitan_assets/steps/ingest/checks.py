"""Checks of one symbol-day of ticks, in numpy: order, duplicates, gaps, spikes.

They run for every partition, so they cost milliseconds; Great Expectations runs once per dataset
(``dataset/expectations.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.ingest.download import find_gaps
from xtitan_assets.steps.ingest.ticks import midnight, read_day
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.symbols import Symbol, symbol

MAX_MISSING = 0.02
"""Share of a day's ticks that may be missing; recordings of Deriv's feed lose a few in 588,064."""
MAX_GAP_SECONDS = 600
"""Longest hole: ten bars of a minute. Longer ones leave indicators on stale bars."""
SPIKE_Z = 8.0
"""Nominal standard deviations of a return that make it a spike: one in 10^15 Gaussian ticks."""
MAX_SPIKES = 3
"""Spikes of one day that are recorded and let through; a broken feed makes two for each bad tick."""


def order(epochs: Epochs, quotes: Quotes, known: Symbol, day: date) -> Finding:
    """Epochs strictly increase, lie in the day and on the symbol's grid; quotes are finite and positive."""
    start = midnight(day)
    backward = int(np.count_nonzero(np.diff(epochs) <= 0))
    outside = int(np.count_nonzero((epochs < start) | (epochs >= start + DAY)))
    off_grid = int(np.count_nonzero(epochs % known.tick_seconds))
    bad = int(np.count_nonzero(~np.isfinite(quotes) | (quotes <= 0)))
    details = {"not_increasing": backward, "outside_day": outside, "off_grid": off_grid, "bad_quotes": bad}
    # A recording may hold a few off-grid ticks (feed hiccups); the rest would corrupt every bar after it.
    passed = backward == 0 and outside == 0 and bad == 0 and off_grid <= 0.001 * len(epochs)
    return Finding(passed, ", ".join(f"{name} {count}" for name, count in details.items()), details)


def duplicates(epochs: Epochs, quotes: Quotes, known: Symbol, day: date) -> Finding:
    """No epoch twice."""
    extra = int(len(epochs) - len(np.unique(epochs)))
    return Finding(extra == 0, f"{extra} repeated epochs", {"duplicates": extra})


def gaps(epochs: Epochs, quotes: Quotes, known: Symbol, day: date) -> Finding:
    """At most 2 % of the grid is missing and no hole is longer than ten minutes."""
    start = midnight(day)
    holes = find_gaps(np.unique(epochs), start, start + DAY, known.tick_seconds)
    missing = sum(gap.missing for gap in holes)
    longest = max((gap.before - gap.after for gap in holes), default=0)
    share = missing / (DAY // known.tick_seconds)
    passed = share <= MAX_MISSING and longest <= MAX_GAP_SECONDS
    details = {"missing": missing, "share": share, "longest_seconds": longest, "holes": len(holes)}
    return Finding(passed, f"{missing} ticks missing in {len(holes)} holes, longest {longest} s", details)


def spikes(epochs: Epochs, quotes: Quotes, known: Symbol, day: date) -> Finding:
    """Returns beyond eight nominal standard deviations of their time step are recorded; more than three fail."""
    steps = np.maximum(np.diff(epochs) / known.tick_seconds, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.abs(np.diff(np.log(quotes))) / (known.tick_sigma * np.sqrt(steps))
    at = np.flatnonzero(z > SPIKE_Z)
    details = {
        "spikes": len(at),
        "largest_z": float(np.nan_to_num(z, nan=np.inf).max(initial=0.0)),
        "epochs": [int(epochs[i + 1]) for i in at[:20]],
    }
    return Finding(len(at) <= MAX_SPIKES, f"{len(at)} returns beyond {SPIKE_Z:g} sigma", details)


Check = Callable[[Epochs, Quotes, Symbol, date], Finding]


def check_days(home: Home, check: Check, partitions: list[tuple[str, date]]) -> Finding:
    """Run one check over symbol-days; the first that fails decides the summary.

    Returns:
        A finding whose details are keyed by ``symbol date``.

    Raises:
        StepError: a file is missing or broken.
    """
    findings = {f"{name} {day}": check(*read_day(home, name, day), symbol(name), day) for name, day in partitions}
    failed = {where: finding for where, finding in findings.items() if not finding.passed}
    worst = next(iter(failed.items()), None)
    advice = "; delete that day in data/raw/ticks and ingest it again, or choose other days"
    summary = f"{worst[0]}: {worst[1].summary}{advice}" if worst else f"{len(findings)} symbol-days pass"
    return Finding(not failed, summary, {where: finding.details for where, finding in findings.items()})


def freshness(home: Home, symbols: list[str], venue_now: int, limit_days: int = 2) -> Finding:
    """Each symbol's newest closed day on disk is at most ``limit_days`` behind the venue's yesterday."""
    from xtitan_assets.steps.ingest.ticks import day_of, days_on_disk

    today = day_of(venue_now)
    behind = {}
    for name in symbols:
        stored = days_on_disk(home, name)
        behind[name] = (today - stored[-1]).days - 1 if stored else -1
    late = sorted(name for name, lag in behind.items() if lag < 0 or lag > limit_days)
    return Finding(not late, f"behind: {', '.join(late)}" if late else "every symbol is fresh", {"days_behind": behind})
