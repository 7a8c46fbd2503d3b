"""Forex and metals: trading on weekdays, a daily rhythm, volatility clustering, news, and quotes that repeat.

The price is a martingale whose variance is random. Per minute, its logarithm is the sum of the day's profile (recorded:
EURUSD's 5-minute standard deviation by UTC hour), mean-reverting parts that last from minutes to a week, and a part of
its own; news, 0.8 times a day on average, multiplies it for some minutes. That gives the recorded kurtosis of 14 to 57,
and absolute returns whose autocorrelation is 0.2 to 0.3 at one bar and still 0.1 at sixty.

The price is updated at random seconds, more often when it moves much, by small or by large moves: a second of variance
``v`` brings a small one with probability ``u = q + (1 - q) * w / (w + s^2)``, where ``w`` is the small moves' share of
``v``, ``s`` their usual size and ``q`` their least frequency, and that move has the variance ``w/u``; large ones
likewise without a ``q``. Ticks come at most one a second and irregularly, and one without an update repeats the last
quote. That gives the recorded shares of bars that open within 1e-5 of the last close (44 to 91 %), of bars without any
move (0.3 to 9 %), and the ratio of range to close. How often Deriv's feed ticks is an assumption, about every 1.3 s;
there is no recording of it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from paper_exchange.markets.calendar import WEEK_CLOSE, into_week
from paper_exchange.markets.series import Days, State, round_quotes
from xtitan_core.clock import DAY
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.randomness import stream
from xtitan_core.symbols import SECONDS_PER_YEAR, Symbol

MINUTES = DAY // 60
HOURLY_SD = {0: 2.9, 4: 1.7, 7: 3.7, 10: 3.0, 12: 4.6, 13: 4.9, 15: 4.4, 18: 3.1, 21: 1.7}
"""Recorded standard deviation of frxEURUSD's 5-minute returns by UTC hour, in basis points; all pairs use its shape."""

PARTS = ((0.05, 8.0), (0.07, 60.0), (0.09, 600.0), (0.08, 7_200.0))
"""Variance and time constant (open minutes) of the mean-reverting parts of the log standard deviation."""

OWN_PART = 0.12
"""Variance of each minute's own part."""

NEWS_A_DAY, NEWS_SIZE, NEWS_SPREAD, NEWS_MINUTES = 0.8, 1.6, 0.6, 2.5
"""News: mean number a day, mean and deviation of the log factor on the standard deviation, minutes of its decay."""

WILDEST = 800.0
"""Largest variance of a minute, relative to the mean: 28 standard deviations where the usual is one."""

REPEATS = 0.55
"""Probability of a tick in a second without an update."""

QUIET_UPDATES = 0.10
"""Probability of a small move in a second without any volatility."""


@dataclass(frozen=True, slots=True)
class Moves:
    """How a pair moves: sizes in pips, and the small moves' share of the variance."""

    small: float
    large: float
    share: float


MAJOR = Moves(0.9, 10.0, 0.3)
MOVES: Mapping[str, Moves] = {
    "frxEURUSD": MAJOR,
    "frxGBPUSD": MAJOR,
    # An assumption; there is no recording of it.
    "frxUSDJPY": MAJOR,
    "frxXAUUSD": Moves(4.0, 40.0, 0.4),
}


@dataclass(frozen=True, slots=True)
class _Day:
    """Ticks of one day, empty at the weekend."""

    epochs: list[int]
    quotes: list[float]
    at: dict[int, float]


class ForexSeries:
    """A tick source with irregular ticks on weekdays.

    Args:
        symbol: one of the forex symbols.
        seed: the exchange's seed.
        first_day: UTC midnight where the series begins; its first tick is the first one of an open market.
    """

    last_epoch: int | None = None

    def __init__(self, symbol: Symbol, seed: int, first_day: int) -> None:
        self.symbol, self.first_epoch, self._seed = symbol, first_day, seed
        calm = stream(seed, "volatility", symbol.name).standard_normal(len(PARTS)).tolist()
        begin: State = (
            math.log(symbol.initial_price),
            *(e * math.sqrt(part) for e, (part, _) in zip(calm, PARTS, strict=True)),
        )
        self._days: Days[tuple[Epochs, Quotes], _Day] = Days(begin, self._walk, self._make)

    def quote_at(self, epoch: int) -> float | None:
        return None if epoch < self.first_epoch else self._day(epoch).at.get(epoch)

    def next_epoch(self, after: int) -> int | None:
        at = max(after + 1, self.first_epoch)
        while True:
            epochs = self._day(at).epochs
            i = bisect_left(epochs, at)
            if i < len(epochs):
                return epochs[i]
            at = self._midnight(at) + DAY

    def previous_epoch(self, at: int) -> int | None:
        while at >= self.first_epoch:
            epochs = self._day(at).epochs
            i = bisect_right(epochs, at)
            if i:
                return epochs[i - 1]
            at = self._midnight(at) - 1
        return None

    def between(self, start: int, end: int) -> tuple[Epochs, Quotes]:
        epochs: list[int] = []
        quotes: list[float] = []
        at = max(start, self.first_epoch)
        while at <= end:
            day = self._day(at)
            part = slice(bisect_left(day.epochs, at), bisect_right(day.epochs, end))
            epochs += day.epochs[part]
            quotes += day.quotes[part]
            at = self._midnight(at) + DAY
        return np.asarray(epochs, dtype=np.int64), np.asarray(quotes, dtype=np.float64)

    def _midnight(self, epoch: int) -> int:
        return epoch - (epoch - self.first_epoch) % DAY

    def _day(self, epoch: int) -> _Day:
        return self._days[(epoch - self.first_epoch) // DAY]

    def _walk(self, day: int, state: State) -> tuple[tuple[Epochs, Quotes], State]:
        """Epochs of a day's ticks and their log prices."""
        begin = self.first_epoch + day * DAY
        seconds = min(DAY, WEEK_CLOSE + 1 - into_week(begin))
        if seconds <= 0:
            return (np.empty(0, dtype=np.int64), np.empty(0)), state
        variances, parts = self._variances(day, state[1:])
        variance = np.repeat(variances, 60)[:seconds]
        moves, pip = MOVES[self.symbol.name], float(self.symbol.pip) / self.symbol.initial_price
        random = stream(self._seed, "ticks", self.symbol.name, day)
        moved = np.zeros(seconds)
        for share, size, least in (
            (moves.share, moves.small * pip, QUIET_UPDATES),
            (1 - moves.share, moves.large * pip, 0.0),
        ):
            part = share * variance
            frequency = least + (1 - least) * part / (part + size * size)
            moved += np.where(random.random(seconds) < frequency, part / frequency, 0.0)
        steps = np.sqrt(moved) * random.standard_normal(seconds) - moved / 2
        logs: Quotes = state[0] + np.cumsum(steps)
        ticks = (moved > 0) | (random.random(seconds) < REPEATS)
        ticks[[0, -1]] = True
        at = np.flatnonzero(ticks)
        return (begin + at, logs[at]), (float(logs[-1]), *parts)

    def _variances(self, day: int, parts: State) -> tuple[npt.NDArray[np.float64], State]:
        """Variance a second in each minute of a day, and the mean-reverting parts at its end."""
        random = stream(self._seed, "volatility", self.symbol.name, day)
        logs = (math.sqrt(OWN_PART) * random.standard_normal(MINUTES) - OWN_PART).tolist()
        after = []
        for value, (part, minutes) in zip(parts, PARTS, strict=True):
            keep = math.exp(-1 / minutes)
            scale = math.sqrt(part * (1 - keep * keep))
            for i, e in enumerate(random.standard_normal(MINUTES).tolist()):
                value = keep * value + scale * e
                # Minus the variance, so that exp(2 * part) averages to one.
                logs[i] += value - part
            after.append(value)
        factors = [1.0] * MINUTES
        for minute, e in zip(
            random.integers(MINUTES, size=random.poisson(NEWS_A_DAY)).tolist(),
            random.standard_normal(MINUTES).tolist(),
            strict=False,
        ):
            height = math.exp(2 * (NEWS_SIZE + NEWS_SPREAD * e)) - 1
            for i in range(minute, min(MINUTES, minute + _NEWS_LENGTH)):
                factors[i] += height * math.exp((minute - i) / NEWS_MINUTES)
        mean = self.symbol.volatility**2 / SECONDS_PER_YEAR / _MEAN_FACTOR
        noise = np.fromiter((math.exp(2 * x) for x in logs), dtype=np.float64, count=MINUTES)
        return mean * np.minimum(WILDEST, _PROFILE * noise * np.asarray(factors)), tuple(after)

    def _make(self, day: int, walked: tuple[Epochs, Quotes]) -> _Day:
        epochs, quotes = walked[0].tolist(), round_quotes(self.symbol, walked[1].tolist()).tolist()
        return _Day(epochs, quotes, dict(zip(epochs, quotes, strict=True)))


_NEWS_LENGTH = 16


def _profile() -> npt.NDArray[np.float64]:
    """Variance of each minute of the day relative to the mean, between the middles of the recorded hours."""
    middles = [hour * 60 + 30 for hour in HOURLY_SD]
    deviations: npt.NDArray[np.float64] = np.interp(
        np.arange(MINUTES), middles, list(HOURLY_SD.values()), period=MINUTES
    )
    return deviations * deviations / float(np.mean(deviations * deviations))


_PROFILE = _profile()
_MEAN_FACTOR = 1 + NEWS_A_DAY / MINUTES * (math.exp(2 * NEWS_SIZE + 2 * NEWS_SPREAD**2) - 1) * sum(
    math.exp(-i / NEWS_MINUTES) for i in range(_NEWS_LENGTH)
)
"""What news adds to the mean variance."""
