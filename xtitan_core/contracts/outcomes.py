"""Many contracts of one kind at once: the labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xtitan_core.contracts.contract import Contract
from xtitan_core.contracts.settlement import barriers, entry_index, exit_index, last_digit, wins
from xtitan_core.contracts.types import DIGITS, PATH, TICK_CONTRACT_LIMIT_SECONDS, Epochs, Quotes


def outcomes(
    contract: Contract, starts: Epochs, epochs: Epochs, quotes: Quotes, decimals: int | None = None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], Epochs]:
    """Settle many contracts of one kind at once: the labels.

    Args:
        contract: what is bought each time.
        starts: start seconds, shape (m,), any order.
        epochs, quotes: ticks, shape (n,), epochs strictly increasing.
        decimals: price precision used to round barriers and to read last digits; None leaves barriers exact.

    Returns:
        ``(won, known, exit_epochs)``, each of shape (m,). ``known`` is False where the ticks end before the contract
        does or it would be refunded; ``won`` is False there and must not be used. Cost: O((m + n) log span).

    Raises:
        ContractError: for a digit contract without ``decimals``.
    """
    kind, n = contract.contract_type, len(epochs)
    starts = np.asarray(starts)
    i = np.asarray(entry_index(epochs, starts), dtype=np.int64)
    j = np.asarray(exit_index(epochs, starts, contract), dtype=np.int64)
    if n == 0:
        return np.zeros(len(i), bool), np.zeros(len(i), bool), np.zeros(len(i), np.int64)
    known = (i < n) & (j < n) & (j >= i if kind in DIGITS else j > i)
    if not contract.in_ticks:
        known &= epochs[-1] > starts + contract.seconds
    ii, jj = np.where(known, i, 0), np.where(known, j, 0)
    if contract.in_ticks:
        known &= epochs[jj] <= starts + TICK_CONTRACT_LIMIT_SECONDS
    entry, exit_ = quotes[ii], quotes[jj]
    upper, lower = barriers(contract, entry, decimals)
    high = low = None
    if kind in PATH:
        high, low = window_extremes(quotes, ii, jj)
    last = last_digit(exit_, decimals) if kind in DIGITS else None
    won = wins(kind, entry, exit_, high, low, upper, lower, last, contract.digit) & known
    return np.asarray(won, dtype=bool), known, np.where(known, epochs[jj], 0)


def window_extremes(quotes: Quotes, first: Epochs, last: Epochs) -> tuple[Quotes, Quotes]:
    """Highest and lowest quote of ``quotes[first .. last]``, both included, for each pair; shapes (m,).

    A window is covered by two overlapping blocks whose length is a power of two, and the extremes of all blocks of
    one length come from those of half the length.
    """
    length = last - first + 1
    level = np.frexp(length)[1] - 1  # floor(log2(length)), exact
    high, low = np.empty(len(first)), np.empty(len(first))
    highest = lowest = quotes
    for k in range(int(level.max(initial=-1)) + 1):
        if k:
            half = 1 << (k - 1)
            highest = np.maximum(highest[:-half], highest[half:])
            lowest = np.minimum(lowest[:-half], lowest[half:])
        at = np.flatnonzero(level == k)
        left, right = first[at], last[at] + 1 - (1 << k)
        high[at] = np.maximum(highest[left], highest[right])
        low[at] = np.minimum(lowest[left], lowest[right])
    return high, low
