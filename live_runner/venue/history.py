"""The venue's history of ticks, read from its public socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from live_runner.config import Settings
from xtitan_core.deriv.budgets import PROCESS_BUDGETS, Budgets
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.endpoints import public_socket_url
from xtitan_core.deriv.history import Epochs, Quotes, fetch_ticks
from xtitan_core.deriv.verbs import READ_ONLY


def budgets_of(settings: Settings) -> Budgets | None:
    """Request budgets to stay inside; the paper exchange has none of Deriv's."""
    return None if settings.environment == "paper" else PROCESS_BUDGETS


@asynccontextmanager
async def public_client(settings: Settings) -> AsyncIterator[DerivClient]:
    """A read-only connection that needs no account; it never takes part in lockstep."""
    url = public_socket_url(settings.venue_url)
    client = await DerivClient.connect(url, READ_ONLY, budgets=budgets_of(settings))
    try:
        yield client
    finally:
        await client.close()


async def read_history(settings: Settings, start: int, end: int) -> tuple[Epochs, Quotes]:
    """Ticks of the runner's symbol with start <= epoch <= end, from the public socket.

    Raises:
        DerivClientError: when they cannot be had.
    """
    async with public_client(settings) as client:
        epochs, quotes, _ = await fetch_ticks(client, settings.symbol, start, end)
    return epochs, quotes
