"""A sample market for `dvc repro` on a fresh clone, downloaded from a paper exchange that runs for that long only."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from xtitan_assets.steps.ingest.download import collect
from xtitan_assets.steps.ingest.ticks import day_of, days_on_disk, training_days, warm_up_days
from xtitan_assets.steps.ingest.venue import venue_epoch
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params, VenueParams
from xtitan_assets.workspace.paths import Home
from xtitan_core.symbols import UnknownSymbolError, symbol

EXCHANGE_START_SECONDS = 60.0
"""Longest wait for the exchange's ready line."""


@dataclass(frozen=True, slots=True)
class SampleReport(Report):
    """What the sample stage left on disk.

    Attributes:
        made: False when enough days were there already.
        rows: ticks downloaded now.
    """

    symbol: str
    made: bool
    rows: int
    days: tuple[str, ...]

    def as_metadata(self) -> dict[str, Any]:
        return {"symbol": self.symbol, "made": self.made, "rows": self.rows, "days": list(self.days)}


def sample(
    home: Home, params: Params, seed: int = 1, progress: Callable[[str], None] = lambda line: None
) -> SampleReport:
    """Make sure there are enough days of ``data.symbol`` on disk; a seeded paper exchange supplies what is missing.

    Raises:
        StepError: unknown symbol, or the exchange does not start.
    """
    name = params.data.symbol
    try:
        planted = symbol(name).planted
    except UnknownSymbolError as error:
        raise StepError(str(error)) from None
    warm = warm_up_days(params.features.anchor_bars, params.features.bar_seconds)
    try:
        training_days(home, name, params.data.days, warm)
    except StepError:
        pass
    else:
        present = days_on_disk(home, name)[-params.data.days :]
        return SampleReport(name, False, 0, tuple(str(day) for day in present))
    count = params.data.days
    with paper_exchange("planted" if planted else "fair", seed, count) as url:
        local = params.model_copy(update={"venue": VenueParams(url=url)})
        today = day_of(venue_epoch(local))
        days = [today - timedelta(days=k) for k in range(count, 0, -1)]
        reports = collect(home, local, name, days, progress)
    return SampleReport(name, True, sum(r.rows for r in reports if not r.kept), tuple(str(r.day) for r in reports))


@contextmanager
def paper_exchange(market: str, seed: int, history_days: int) -> Iterator[str]:
    """A `paper_exchange serve` process on a free loopback port; yields its URL and stops it afterwards.

    Raises:
        StepError: it is not installed or does not get ready.
    """
    beside = Path(sys.executable).parent / "paper_exchange"
    program = str(beside) if beside.exists() else shutil.which("paper_exchange")
    if program is None:
        raise StepError("paper_exchange is not installed; run `make install`")
    options = ["--port", "0", "--market", market, "--seed", str(seed), "--history-days", str(history_days)]
    process = subprocess.Popen(
        [program, "serve", *options, "--speed", "lockstep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(EXCHANGE_START_SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("paper_exchange ready"):
                break
        else:
            reason = (process.stderr.read().strip().splitlines() or ["no ready line"])[-1]
            raise StepError(f"paper_exchange did not start ({reason}); run `paper_exchange serve` to see why")
        watchdog.cancel()
        fields = dict(part.split("=", 1) for part in line.split() if "=" in part)
        yield fields["url"]
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
