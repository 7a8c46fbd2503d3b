"""How one contract ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xtitan_core.contracts.contract import Contract
from xtitan_core.contracts.types import (
    DIGITS,
    HIGHER_LOWER,
    PATH,
    TICK_CONTRACT_LIMIT_SECONDS,
    TWO_BARRIERS,
    ContractError,
    ContractType,
    Epochs,
    Quotes,
)


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
    return epochs.searchsorted(start, side="right")


def exit_index(epochs: Epochs, start: Any, contract: Contract) -> Any:
    """Index of the tick that ends the contract; may lie at or past ``len(epochs)`` for durations in ticks."""
    if contract.in_ticks:
        counted = contract.duration - (contract.contract_type in DIGITS)  # digits count the entry tick as the first
        return entry_index(epochs, start) + counted
    return epochs.searchsorted(np.asarray(start) + contract.seconds, side="right") - 1


def last_digit(quote: Any, decimals: int | None) -> Any:
    """Last digit of a quote written with all its decimals; scalars or arrays, int64.

    Raises:
        ContractError: when the number of decimals is not given.
    """
    if decimals is None:
        raise ContractError("a last digit needs the number of decimals of a quote")
    return np.rint(np.asarray(quote) * 10.0**decimals).astype(np.int64) % 10


def wins(
    contract_type: ContractType,
    entry: Any,
    exit: Any,
    high: Any = None,
    low: Any = None,
    upper: Any = None,
    lower: Any = None,
    last: Any = None,
    digit: int | None = None,
) -> Any:
    """Win condition of each type; scalars or arrays.

    Args:
        entry: entry quote.
        exit: exit quote.
        high, low: extremes of the ticks from the entry to the exit, both included (path types only).
        upper, lower: barrier levels. HIGHER and LOWER take ``upper``; a touch type takes ``upper`` when the barrier
            lies above, else ``lower``.
        last: last digit of the exit quote (digit types only).
        digit: the predicted digit.

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
        case ContractType.HIGHER:
            return exit > upper
        case ContractType.LOWER:
            return exit < upper
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
        case ContractType.EXPIRYRANGEE:
            return (exit <= upper) & (exit >= lower)
        case ContractType.EXPIRYMISSE:
            return (exit >= upper) | (exit <= lower)
        case ContractType.DIGITMATCH:
            return last == digit
        case ContractType.DIGITDIFF:
            return last != digit
        case ContractType.DIGITOVER:
            return last > digit
        case ContractType.DIGITUNDER:
            return last < digit
        case ContractType.DIGITODD:
            return last % 2 == 1
        case ContractType.DIGITEVEN:
            return last % 2 == 0


def barriers(contract: Contract, entry: Any, decimals: int | None = None) -> tuple[Any, Any]:
    """Levels (upper, lower) of the barriers for an entry quote; None where the type has none.

    The one barrier of HIGHER and LOWER is ``upper``; that of a touch contract is ``upper`` when it lies above.
    """
    if contract.barrier is None:
        return None, None
    origin = 0.0 if contract.absolute else entry
    first = origin + contract.barrier
    second = None if contract.barrier2 is None else origin + contract.barrier2
    if decimals is not None:
        first = np.round(first, decimals)
        second = None if second is None else np.round(second, decimals)
    if contract.contract_type in TWO_BARRIERS or contract.contract_type in HIGHER_LOWER:
        return first, second
    below = contract.below if contract.absolute else contract.barrier < 0
    return (None, first) if below else (first, None)


def settle(
    contract: Contract, start: int, epochs: Epochs, quotes: Quotes, decimals: int | None = None
) -> Settlement | None:
    """Settle one contract against the ticks known so far.

    Args:
        contract: what was bought.
        start: start second (purchase time).
        epochs: tick epochs, strictly increasing, int64, shape (n,).
        quotes: tick quotes, float64, shape (n,).
        decimals: price precision used to round barriers and to read last digits; None leaves barriers exact.

    Returns:
        The settlement, or None while it is still open. A contract in seconds is decided only once a tick after its
        end has arrived; a path contract that touches is decided at the touching tick. A refund has ``won is None``:
        fewer than two ticks between start and end, or a contract in ticks that ran into the five-minute limit.

    Raises:
        ContractError: for a digit contract without ``decimals``.
    """
    kind, n = contract.contract_type, len(epochs)
    i = int(entry_index(epochs, start))
    if i >= n:
        return None
    j = int(exit_index(epochs, start, contract))
    entry_epoch, entry = int(epochs[i]), float(quotes[i])

    def at(k: int, won: bool | None) -> Settlement:
        return Settlement(won, entry_epoch, entry, int(epochs[k]), float(quotes[k]))

    end = j + 1
    if contract.in_ticks:
        limit = int(epochs.searchsorted(start + TICK_CONTRACT_LIMIT_SECONDS, side="right"))
        void = limit if limit <= min(j, n - 1) else None
        end = min(end, limit)
        ended = j < n
    else:
        ended = bool(epochs[-1] > start + contract.seconds)
        void = max(i, j) if ended and j <= i else None
    upper, lower = barriers(contract, entry, decimals)
    if kind in PATH:
        touch_wins = kind in (ContractType.ONETOUCH, ContractType.UPORDOWN)
        path = quotes[i:end]
        hit = np.zeros(len(path), dtype=bool)
        if upper is not None:
            hit |= path >= upper
        if lower is not None:
            hit |= path <= lower
        if hit.any():
            return at(i + int(np.argmax(hit)), touch_wins)
        if void is None:
            return at(j, not touch_wins) if ended else None
    if void is not None:
        return at(void, None)
    if not ended:
        return None
    exit_ = float(quotes[j])
    last = last_digit(exit_, decimals) if kind in DIGITS else None
    return at(j, bool(wins(kind, entry, exit_, upper=upper, lower=lower, last=last, digit=contract.digit)))
