"""The market of an exchange: its symbols, and where time starts and ends."""

from __future__ import annotations

from dataclasses import dataclass, replace

from paper_exchange.errors import SetupError
from paper_exchange.markets import simulate
from paper_exchange.markets.calendar import Calendar, calendar_of
from paper_exchange.markets.plant import DEFAULT_PHI, Plant
from paper_exchange.markets.recording import EARLIEST, Ticks, replay
from paper_exchange.markets.series import TickSource
from xtitan_core.clock import DAY, midnight
from xtitan_core.symbols import SYMBOLS, symbol

DEFAULT_START = 1_772_409_600
"""2026-03-02T00:00:00Z. It is fixed, so that a seed alone identifies a market."""

MIN_AGE_DAYS = 90
"""Paper time starts at least this long before the host's today."""


@dataclass(frozen=True, slots=True)
class World:
    """A market ready to trade.

    Attributes:
        sources: one tick source per symbol, in the catalogue's order.
        start: epoch of the first "now".
        end: last epoch time may reach.
        recorded_end: True when ``end`` is the end of a recording.
    """

    sources: dict[str, TickSource]
    start: int
    end: int
    recorded_end: bool = False

    def calendar(self, name: str) -> Calendar:
        """Opening hours of one of the world's symbols."""
        return calendar_of(self.sources[name].symbol)


def build_world(
    *,
    seed: int,
    today: float,
    planted: bool = False,
    phi: float = DEFAULT_PHI,
    edge_until: int | None = None,
    edge_half_life: float | None = None,
    start: int | None = None,
    history_days: int = 5,
    recording: Ticks | None = None,
    recorded_symbol: str = "R_100",
) -> World:
    """Assemble a market.

    Args:
        seed: decides every simulated tick.
        today: the host's epoch seconds; paper time has to stay well before it.
        planted: add the symbols with a known edge.
        phi: autocorrelation of PLANTED_100's returns.
        edge_until: epoch from which no planted symbol has an edge any more.
        edge_half_life: days in which the planted edges halve, counted from the start.
        start: first epoch; by default ``DEFAULT_START`` or where the recording begins.
        history_days: whole UTC days of ticks before the day of ``start``.
        recording: ticks to replay as ``recorded_symbol``.
        recorded_symbol: the symbol that is replayed.

    Raises:
        SetupError: when time would start less than 90 days ago, or the arguments contradict each other.
    """
    if not 1 <= history_days <= 400:
        raise SetupError(f"history of {history_days} days is not possible; choose --history-days between 1 and 400")
    plant = Plant(phi=phi, until=edge_until, half_life=edge_half_life)
    sources: dict[str, TickSource] = {}
    end = midnight(today) - DAY - 1
    recorded_end = False
    if recording is not None:
        if start is not None:
            raise SetupError("a replay starts where its recording does; leave out --start")
        if recorded_symbol not in SYMBOLS or SYMBOLS[recorded_symbol].planted:
            raise SetupError(f"cannot replay as {recorded_symbol!r}; choose --symbol among Deriv's symbols")
        series, start = replay(symbol(recorded_symbol), recording, seed, history_days)
        sources[recorded_symbol] = series
        if series.last_epoch is not None and series.last_epoch <= end:
            end, recorded_end = series.last_epoch, True
    if start is None:
        start = DEFAULT_START
    if start > today - MIN_AGE_DAYS * DAY:
        raise SetupError(
            f"paper time would start at epoch {start}, less than {MIN_AGE_DAYS} days ago; "
            "choose an earlier --start or an older recording"
        )
    if start < EARLIEST:
        raise SetupError(f"paper time would start at epoch {start}, before 2000; choose a later --start")
    first_day = midnight(start) - history_days * DAY
    plant = replace(plant, since=start)
    for name, entry in SYMBOLS.items():
        if name not in sources and (planted or not entry.planted):
            sources[name] = simulate(entry, seed, first_day, plant)
    return World({name: sources[name] for name in SYMBOLS if name in sources}, start, end, recorded_end)
