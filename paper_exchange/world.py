"""The market an exchange opens on: its symbols, where time starts and where it must stop."""

from __future__ import annotations

from dataclasses import dataclass

from paper_exchange.errors import SetupError
from paper_exchange.planted import DEFAULT_PHI
from paper_exchange.recording import EARLIEST, Ticks, replay
from paper_exchange.series import SimulatedSeries, TickSource
from xtitan_core.clock import DAY, midnight
from xtitan_core.symbols import PLANTED_SYMBOL, SYMBOLS, symbol

DEFAULT_START = 1_772_409_600
"""2026-03-02T00:00:00Z. Fixed, so that a seed alone names a market."""

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


def build_world(
    *,
    seed: int,
    today: float,
    planted: bool = False,
    phi: float = DEFAULT_PHI,
    start: int | None = None,
    history_days: int = 5,
    recording: Ticks | None = None,
    recorded_symbol: str = "R_100",
) -> World:
    """Assemble a market.

    Args:
        seed: decides every simulated tick.
        today: the host's epoch seconds; paper time has to stay well before it.
        planted: add the symbol with a known edge.
        phi: autocorrelation of the planted symbol's returns.
        start: first epoch; by default ``DEFAULT_START`` or where the recording begins.
        history_days: whole UTC days of ticks before the day of ``start``.
        recording: ticks to replay as ``recorded_symbol``.
        recorded_symbol: the symbol that is replayed.

    Raises:
        SetupError: when time would start less than 90 days ago, or the arguments contradict each other.
    """
    if not 1 <= history_days <= 400:
        raise SetupError(f"history of {history_days} days is not possible; choose --history-days between 1 and 400")
    if not -1 < phi < 1:
        raise SetupError(f"an autocorrelation of {phi} is not possible; choose --planted-phi between -1 and 1")
    sources: dict[str, TickSource] = {}
    end = midnight(today) - DAY - 1
    recorded_end = False
    if recording is not None:
        if start is not None:
            raise SetupError("a replay starts where its recording does; leave out --start")
        if recorded_symbol not in SYMBOLS or SYMBOLS[recorded_symbol].planted:
            raise SetupError(f"cannot replay as {recorded_symbol!r}; choose --symbol among Deriv's volatility indices")
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
    for name, entry in SYMBOLS.items():
        if name in sources or (entry.planted and not planted):
            continue
        sources[name] = SimulatedSeries(entry, seed, first_day, phi if name == PLANTED_SYMBOL else 0.0)
    return World({name: sources[name] for name in SYMBOLS if name in sources}, start, end, recorded_end)
