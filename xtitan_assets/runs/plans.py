"""What `xtitan run JOB` executes: one Dagster run for each day the job needs, then the job itself.

Days come from the venue's clock where something is downloaded and from the disk everywhere else, so everything but
`ingest` and `retrain` works offline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from xtitan_assets.steps.ingest.ticks import day_of, days_on_disk, training_days, warm_up_days
from xtitan_assets.steps.ingest.venue import venue_epoch
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import SYMBOLS, Params
from xtitan_assets.workspace.paths import Home

NEEDS = {
    "ingest": ("ingest",),
    "symbols": ("symbols",),
    "quotes": ("quotes",),
    "prepare": ("prepare",),
    "dataset": ("prepare", "dataset"),
    "train": ("train",),
    "package": ("package",),
    "evaluate": ("evaluate",),
    "register": ("register",),
    "retrain": ("symbols", "ingest", "prepare", "retrain"),
    "shadow": ("shadow",),
    "promote": ("promote",),
    "release": ("release",),
}
"""Dagster jobs that each command runs, in order."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One Dagster run.

    Attributes:
        job: name of the Dagster job.
        partition: key of the one symbol-day it is about; None for unpartitioned jobs.
        tags: range tags, for a run over many partitions.
        config: configuration of assets, beside the overrides.
    """

    job: str
    partition: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)


Runs = Callable[[], list[PlannedRun]]


def plan(job: str, home: Home, params: Params, config: Mapping[str, object] | None = None) -> list[Runs]:
    """The runs of a command, as functions: later ones look at the disk only when the earlier ones are done.

    Args:
        job: a key of ``NEEDS``.
        config: asset configuration of the last run.

    Raises:
        StepError: unknown job.
    """
    if job not in NEEDS:
        raise StepError(f"no job {job!r}; choose one of {', '.join(NEEDS)}")
    steps: list[Runs] = []
    for name in NEEDS[job]:
        match name:
            case "ingest":
                steps.append(lambda: _per_day("ingest", params.data.symbol, closed_days(params)))
            case "prepare":
                steps.append(lambda: _per_day("prepare", params.data.symbol, wanted_days(home, params)))
            case "quotes":
                steps.append(lambda: _quote_days(home, params))
            case _:
                last = config if name == NEEDS[job][-1] and config else {}
                steps.append(lambda name=name, last=last: [PlannedRun(name, config=last)])  # type: ignore[misc]
    return steps


def closed_days(params: Params) -> list[date]:
    """The newest ``data.days`` closed days at the venue, oldest first; the first of them serve as warm-up.

    Raises:
        StepError: the venue cannot be reached.
    """
    today = day_of(venue_epoch(params))
    return [today - timedelta(days=back) for back in range(params.data.days, 0, -1)]


def wanted_days(home: Home, params: Params) -> list[date]:
    """The newest days on disk that can be trained on.

    Raises:
        StepError: too few of them.
    """
    warm = warm_up_days(params.features.anchor_bars, params.features.bar_seconds)
    return training_days(home, params.data.symbol, params.data.days, warm)


def _per_day(job: str, symbol: str, wanted: list[date]) -> list[PlannedRun]:
    """One run for each day: a quarter of a second more than a range run, and every day keeps its own check results."""
    from xtitan_assets.workspace.partitions import key

    if symbol not in SYMBOLS:
        raise StepError(f"{symbol} has no partitions; set data.symbol to one of {', '.join(SYMBOLS)}")
    return [PlannedRun(job, key(symbol, day)) for day in wanted]


def _quote_days(home: Home, params: Params) -> list[PlannedRun]:
    """Every day the journal covers, or the newest day of ticks when there is no journal yet."""
    from xtitan_assets.steps.shadow.journal_pull import journal_source, pull

    report = pull(home, journal_source(home))
    if report.last_epoch:
        first, last = day_of(report.first_epoch), day_of(report.last_epoch)
    else:
        stored = days_on_disk(home, params.data.symbol)
        if not stored:
            raise StepError(
                "no journal and no ticks: there is no day to collect quotes for; run `xtitan run ingest` first"
            )
        first = last = stored[-1]
    tags = {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
    return [PlannedRun("quotes", tags=tags)]
