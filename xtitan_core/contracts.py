"""Contract types and their settlement: the one definition that labels, backtest, shadow store and exchange share.

Time rules (Deriv's explanation pages, confirmed on frames recorded from the new API, September 2026):

* entry = first tick **strictly after** the start second; a tick stamped with the start second does not count;
* a duration in ticks counts from the entry tick (number 0): the n-th tick after it is the exit;
* a duration in seconds ends at start + duration; the exit is the last tick at or before that second, and the
  contract settles when the first tick after it arrives;
* a contract in ticks that has not ended five minutes after its start is refunded, and so is one in seconds with fewer
  than two ticks in its life;
* ties lose for CALL and PUT; touching a barrier counts as touching; equality with a barrier loses both sides of
  EXPIRYRANGE/EXPIRYMISS.

Everything works on scalars and on numpy arrays alike, so one code path settles one contract or labels a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Epochs = npt.NDArray[np.int64]
Quotes = npt.NDArray[np.float64]


TICK_CONTRACT_LIMIT_SECONDS = 300
"""A contract in ticks that has not ended so long after its start is refunded: the market stood still."""


class ContractError(ValueError):
    """A contract that cannot exist, for example a touch contract without a barrier."""


class ContractType(StrEnum):
    """Deriv's contract types that x.titan settles."""

    CALL = "CALL"
    PUT = "PUT"
    CALLE = "CALLE"
    PUTE = "PUTE"
    ONETOUCH = "ONETOUCH"
    NOTOUCH = "NOTOUCH"
    RANGE = "RANGE"
    UPORDOWN = "UPORDOWN"
    EXPIRYRANGE = "EXPIRYRANGE"
    EXPIRYMISS = "EXPIRYMISS"


class DurationUnit(StrEnum):
    """Units of a duration; calendar units are plain seconds because the indices never close."""

    TICKS = "t"
    SECONDS = "s"
    MINUTES = "m"
    HOURS = "h"
    DAYS = "d"


UNIT_SECONDS = {DurationUnit.SECONDS: 1, DurationUnit.MINUTES: 60, DurationUnit.HOURS: 3_600, DurationUnit.DAYS: 86_400}

RISE_FALL = frozenset({ContractType.CALL, ContractType.PUT, ContractType.CALLE, ContractType.PUTE})
ONE_BARRIER = frozenset({ContractType.ONETOUCH, ContractType.NOTOUCH})
TWO_BARRIERS = frozenset({ContractType.RANGE, ContractType.UPORDOWN, ContractType.EXPIRYRANGE, ContractType.EXPIRYMISS})
OPPOSITE = {
    ContractType.CALL: ContractType.PUT,
    ContractType.PUT: ContractType.CALL,
    ContractType.CALLE: ContractType.PUTE,
    ContractType.PUTE: ContractType.CALLE,
    ContractType.ONETOUCH: ContractType.NOTOUCH,
    ContractType.NOTOUCH: ContractType.ONETOUCH,
    ContractType.RANGE: ContractType.UPORDOWN,
    ContractType.UPORDOWN: ContractType.RANGE,
    ContractType.EXPIRYRANGE: ContractType.EXPIRYMISS,
    ContractType.EXPIRYMISS: ContractType.EXPIRYRANGE,
}


@dataclass(frozen=True, slots=True)
class Contract:
    """What is bought, without price or time.

    Attributes:
        contract_type: Deriv's type.
        duration: a positive number of ``unit``.
        unit: ticks or a time unit.
        barrier: offset of the (upper) barrier from the entry quote, in price units; None for rise/fall.
        barrier2: offset of the lower barrier; None unless the type has two.
    """

    contract_type: ContractType
    duration: int
    unit: DurationUnit
    barrier: float | None = None
    barrier2: float | None = None

    def __post_init__(self) -> None:
        if self.duration <= 0:
            raise ContractError(f"duration must be positive, got {self.duration}{self.unit}")
        wanted = 1 if self.contract_type in ONE_BARRIER else 2 if self.contract_type in TWO_BARRIERS else 0
        given = (self.barrier is not None) + (self.barrier2 is not None)
        if given != wanted or (wanted == 1 and self.barrier is None):
            raise ContractError(f"{self.contract_type} takes {wanted} barrier(s), got {given}")
        if wanted == 2 and not self.barrier2 < 0 < self.barrier:  # type: ignore[operator]
            raise ContractError(f"{self.contract_type} needs one barrier on either side of the entry")

    @property
    def in_ticks(self) -> bool:
        """True when the duration counts ticks."""
        return self.unit is DurationUnit.TICKS

    @property
    def seconds(self) -> int:
        """Duration in seconds.

        Raises:
            ContractError: for a duration in ticks.
        """
        if self.in_ticks:
            raise ContractError("a duration in ticks has no fixed length in seconds")
        return self.duration * UNIT_SECONDS[self.unit]


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one contract ended.

    Attributes:
        won: True, False, or None for a refund.
        entry_epoch, entry: the entry tick.
        exit_epoch, exit: the tick that decided it.
    """

    won: bool | None
    entry_epoch: int
    entry: float
    exit_epoch: int
    exit: float


def entry_index(epochs: Epochs, start: Any) -> Any:
    """Index of the entry tick: the first tick strictly after ``start`` (``len(epochs)`` when it is not there yet)."""
    return np.searchsorted(epochs, start, side="right")


def exit_index(epochs: Epochs, start: Any, contract: Contract) -> Any:
    """Index of the tick that ends the contract; may lie at or past ``len(epochs)`` for durations in ticks."""
    if contract.in_ticks:
        return entry_index(epochs, start) + contract.duration
    return np.searchsorted(epochs, np.asarray(start) + contract.seconds, side="right") - 1


def wins(
    contract_type: ContractType,
    entry: Any,
    exit: Any,
    high: Any = None,
    low: Any = None,
    upper: Any = None,
    lower: Any = None,
) -> Any:
    """Win condition of each type; scalars or arrays.

    Args:
        entry: entry quote.
        exit: exit quote.
        high, low: extremes of the ticks *after* the entry, up to and including the exit (path types only).
        upper, lower: absolute barriers. A one-barrier type takes ``upper`` when it lies above the entry.

    Returns:
        bool or boolean array.
    """
    match contract_type:
        case ContractType.CALL:
            return exit > entry
        case ContractType.PUT:
            return exit < entry
        case ContractType.CALLE:
            return exit >= entry
        case ContractType.PUTE:
            return exit <= entry
        case ContractType.ONETOUCH:
            return high >= upper if upper is not None else low <= lower
        case ContractType.NOTOUCH:
            return high < upper if upper is not None else low > lower
        case ContractType.RANGE:
            return (high < upper) & (low > lower)
        case ContractType.UPORDOWN:
            return (high >= upper) | (low <= lower)
        case ContractType.EXPIRYRANGE:
            return (exit < upper) & (exit > lower)
        case ContractType.EXPIRYMISS:
            return (exit > upper) | (exit < lower)


def barriers(contract: Contract, entry: Any, decimals: int | None = None) -> tuple[Any, Any]:
    """Absolute (upper, lower) barriers for an entry quote; None where the type has none."""
    upper: Any = None
    lower: Any = None
    if contract.contract_type in TWO_BARRIERS:
        upper, lower = entry + contract.barrier, entry + contract.barrier2
    elif contract.barrier is not None:
        if contract.barrier > 0:
            upper = entry + contract.barrier
        else:
            lower = entry + contract.barrier
    if decimals is not None:
        upper = None if upper is None else np.round(upper, decimals)
        lower = None if lower is None else np.round(lower, decimals)
    return upper, lower


def settle(
    contract: Contract, start: int, epochs: Epochs, quotes: Quotes, decimals: int | None = None
) -> Settlement | None:
    """Settle one contract against the ticks known so far.

    Args:
        contract: what was bought.
        start: start second (purchase time).
        epochs: tick epochs, strictly increasing, int64, shape (n,).
        quotes: tick quotes, float64, shape (n,).
        decimals: price precision used to round barriers; None leaves them exact.

    Returns:
        The settlement, or None while it is still open. A contract in seconds is decided only once a tick after its
        end has arrived; a path contract that touches is decided at the touching tick. A refund has ``won is None``:
        fewer than two ticks between start and end, or a contract in ticks that ran into the five-minute limit.
    """
    n = len(epochs)
    i = int(entry_index(epochs, start))
    if i >= n:
        return None
    j = int(exit_index(epochs, start, contract))
    entry_epoch, entry = int(epochs[i]), float(quotes[i])

    def at(k: int, won: bool | None) -> Settlement:
        return Settlement(won, entry_epoch, entry, int(epochs[k]), float(quotes[k]))

    if contract.in_ticks:
        limit = int(np.searchsorted(epochs, start + TICK_CONTRACT_LIMIT_SECONDS, side="right"))
        void = limit if limit <= min(j, n - 1) else None
        ended = j < n
    else:
        ended = bool(epochs[-1] > start + contract.seconds)
        void = max(i, j) if ended and j <= i else None
    upper, lower = barriers(contract, entry, decimals)
    touch_wins = contract.contract_type in (ContractType.ONETOUCH, ContractType.UPORDOWN)
    if touch_wins or contract.contract_type in (ContractType.NOTOUCH, ContractType.RANGE):
        path = quotes[i + 1 : (j + 1 if void is None else void)]
        hit = np.zeros(len(path), dtype=bool)
        if upper is not None:
            hit |= path >= upper
        if lower is not None:
            hit |= path <= lower
        if hit.any():
            return at(i + 1 + int(np.argmax(hit)), touch_wins)
        if void is None:
            return at(j, not touch_wins) if ended else None
    if void is not None:
        return at(void, None)
    if not ended:
        return None
    return at(j, bool(wins(contract.contract_type, entry, float(quotes[j]), upper=upper, lower=lower)))


def outcomes(
    contract: Contract, starts: Epochs, epochs: Epochs, quotes: Quotes, decimals: int | None = None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], Epochs]:
    """Settle many contracts of one kind at once: the labels.

    Returns:
        ``(won, known, exit_epochs)``, each of shape (len(starts),). ``known`` is False where the ticks end before
        the contract does or it would be refunded; ``won`` is False there and must not be used.
    """
    n = len(epochs)
    i = np.asarray(entry_index(epochs, starts), dtype=np.int64)
    j = np.asarray(exit_index(epochs, starts, contract), dtype=np.int64)
    known = (i < n) & (j < n) & (j > i)
    if not contract.in_ticks and n:
        known &= epochs[-1] > np.asarray(starts) + contract.seconds
    ii, jj = np.where(known, i, 0), np.where(known, j, 0)
    if contract.in_ticks and n:
        known &= epochs[jj] <= np.asarray(starts) + TICK_CONTRACT_LIMIT_SECONDS
    if n == 0:
        return np.zeros(len(i), bool), known, np.zeros(len(i), np.int64)
    entry, exit_ = quotes[ii], quotes[jj]
    upper, lower = barriers(contract, entry, decimals)
    high = low = None
    if contract.contract_type not in RISE_FALL:
        high, low = _path_extremes(quotes, ii, jj)
    won = wins(contract.contract_type, entry, exit_, high, low, upper, lower) & known
    return np.asarray(won, dtype=bool), known, np.where(known, epochs[jj], 0)


def _path_extremes(quotes: Quotes, first: Epochs, last: Epochs) -> tuple[Quotes, Quotes]:
    """Highest and lowest quote of ``quotes[first+1 .. last]`` for each pair, by the longest span's sliding window."""
    span = int((last - first).max(initial=0))
    high = np.full(len(first), -np.inf)
    low = np.full(len(first), np.inf)
    for k in range(1, span + 1):
        at = np.minimum(first + k, last)
        inside = first + k <= last
        q = quotes[at]
        high = np.where(inside, np.maximum(high, q), high)
        low = np.where(inside, np.minimum(low, q), low)
    return high, low
