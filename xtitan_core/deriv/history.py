"""Ticks of the past, page by page, newest page first (a venue answers a range with its *latest* ticks)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xtitan_core.deriv import fields, requests
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import DerivError, FrameError
from xtitan_core.deriv.fields import Frame
from xtitan_core.deriv.protocol import MAX_DECIMALS

Epochs = npt.NDArray[np.int64]
Quotes = npt.NDArray[np.float64]

RETRY_DELAYS = (2.0, 5.0, 15.0, 30.0)
"""Wall seconds to wait after a refusal that passes by itself."""
PASSING_REFUSALS = frozenset({"RateLimit", "Timeout", "CallError", "WrongResponse"})
PAGE_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class TickPage:
    """Consecutive ticks: epochs int64 strictly increasing, quotes float64 finite and positive, same length."""

    epochs: Epochs
    quotes: Quotes
    pip_size: int


def parse_history(frame: Frame) -> TickPage:
    """A ``history`` frame as arrays. Of several ticks in one second the last is kept.

    Raises:
        FrameError: on other shapes, unordered times, or quotes that are not finite and positive.
    """
    history = fields.inner(frame, "history")
    epochs, quotes = _array(history, "times", np.int64, int), _array(history, "prices", np.float64, int, float)
    if len(epochs) != len(quotes):
        raise FrameError(f"{len(epochs)} times but {len(quotes)} prices")
    if not np.all((epochs >= 0) & (epochs <= fields.MAX_EPOCH)):
        raise FrameError("a time that is no epoch")
    if not np.all((quotes > 0) & (quotes <= fields.MAX_NUMBER)):
        raise FrameError("a price that is not finite and positive")
    steps = np.diff(epochs)
    if np.any(steps < 0):
        raise FrameError("times that run backwards")
    last = np.append(steps > 0, True)[: len(epochs)]
    return TickPage(epochs[last], quotes[last], fields.integer(frame, "pip_size", 0, MAX_DECIMALS))


async def tick_pages(client: DerivClient, symbol: str, start: int, end: int) -> AsyncIterator[TickPage]:
    """Pages covering start <= epoch <= end, newest first, without overlap; empty pages are left out.

    To resume after an interruption call again with ``end`` one below the oldest epoch received.

    Raises:
        DerivError, RequestTimeout, ConnectionLost, FrameError: as ``DerivClient.request``.
    """
    while start <= end:
        page = parse_history(await _ask(client, requests.ticks_history(symbol, start, end)))
        inside = (page.epochs >= start) & (page.epochs <= end)
        if not inside.any():
            return
        page = TickPage(page.epochs[inside], page.quotes[inside], page.pip_size)
        yield page
        end = int(page.epochs[0]) - 1


async def fetch_ticks(
    client: DerivClient,
    symbol: str,
    start: int,
    end: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Epochs, Quotes, int]:
    """All ticks with start <= epoch <= end.

    Args:
        client: any connection; the public socket is enough.
        symbol: underlying.
        start, end: venue epochs, both inclusive.
        progress: called after each page with (ticks so far, oldest epoch so far).

    Returns:
        ``(epochs, quotes, pip_size)``: int64 strictly increasing, float64, and the number of decimals of a quote
        (0 when there are no ticks).

    Raises:
        DerivError, RequestTimeout, ConnectionLost, FrameError: as ``DerivClient.request``.
    """
    pages: list[TickPage] = []
    count = 0
    async for page in tick_pages(client, symbol, start, end):
        if pages and page.pip_size != pages[0].pip_size:
            raise FrameError(f"{symbol}: pip_size changes from {page.pip_size} to {pages[0].pip_size}")
        pages.append(page)
        count += len(page.epochs)
        if progress is not None:
            progress(count, int(page.epochs[0]))
    if not pages:
        return np.empty(0, np.int64), np.empty(0, np.float64), 0
    pages.reverse()
    return np.concatenate([p.epochs for p in pages]), np.concatenate([p.quotes for p in pages]), pages[0].pip_size


async def _ask(client: DerivClient, payload: dict[str, Any]) -> dict[str, Any]:
    """One page; refusals that pass by themselves are waited out."""
    for delay in RETRY_DELAYS:
        try:
            return await client.request(payload, PAGE_TIMEOUT)
        except DerivError as error:
            if error.code not in PASSING_REFUSALS:
                raise
        await asyncio.sleep(delay)
    return await client.request(payload, PAGE_TIMEOUT)


def _array(history: Frame, key: str, dtype: type[np.generic], *types: type) -> npt.NDArray[Any]:
    """A list of JSON numbers of these types as an array of ``dtype``."""
    values = history.get(key)
    if not isinstance(values, list):
        raise FrameError(f"history.{key} is not a list")
    if not set(map(type, values)) <= set(types):  # exactly these: a truth value is no number
        raise FrameError(f"history.{key} is not a list of numbers")
    try:
        return np.array(values, dtype)
    except OverflowError:
        raise FrameError(f"history.{key} holds a number of an impossible size") from None
