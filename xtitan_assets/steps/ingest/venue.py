"""What the pipeline asks the venue: whether it answers, its time, its symbols; and whether its feed may be stored.

The client is imported inside ``public_socket``: the command line imports this module at every start and rarely
connects.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from xtitan_assets.steps.ingest.ticks import days_on_disk, midnight
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.interrupts import attended
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY
from xtitan_core.files import write_atomically

if TYPE_CHECKING:
    from xtitan_core.deriv.client import DerivClient

DERIV_DOMAINS = ("deriv.com", "derivws.com", "binaryws.com")


class VenueUnreachable(StepError):
    """The venue cannot be reached; trying again later may help."""

    def __init__(self, url: str, cause: Exception) -> None:
        start = "check the network" if is_deriv(url) else "start it with `paper_exchange serve`, or set venue.url"
        reason = " ".join(str(cause).partition(";")[0].split())[:160]
        super().__init__(f"{url}: the venue cannot be reached ({reason}); {start}")


def is_deriv(url: str) -> bool:
    """True when the address belongs to Deriv."""
    host = urlsplit(url).hostname or ""
    return any(host == domain or host.endswith("." + domain) for domain in DERIV_DOMAINS)


def require_permission(params: Params) -> None:
    """Refuse to store Deriv's feed without the acknowledgement.

    Raises:
        StepError: the venue is Deriv and ``venue.acknowledge_deriv_terms`` is false.
    """
    if is_deriv(params.venue.url) and not params.venue.acknowledge_deriv_terms:
        raise StepError(
            f"{params.venue.url}: Deriv's API terms restrict storing its feed; read them and set "
            "venue.acknowledge_deriv_terms=true, or use the paper exchange"
        )


@asynccontextmanager
async def public_socket(params: Params) -> AsyncIterator[DerivClient]:
    """A read-only connection to the venue's public socket.

    Raises:
        VenueUnreachable: it cannot be reached, or the connection is lost on the way.
    """
    from xtitan_core.deriv.budgets import PROCESS_BUDGETS
    from xtitan_core.deriv.client import DerivClient
    from xtitan_core.deriv.endpoints import public_socket_url
    from xtitan_core.deriv.errors import ConnectionLost, DerivClientError
    from xtitan_core.deriv.verbs import READ_ONLY

    require_permission(params)
    try:
        # Deriv publishes request budgets that a client must keep; the paper exchange enforces its own.
        budgets = PROCESS_BUDGETS if is_deriv(params.venue.url) else None
        client = await DerivClient.connect(public_socket_url(params.venue.url), READ_ONLY, budgets=budgets)
    except (OSError, DerivClientError) as error:
        raise VenueUnreachable(params.venue.url, error) from error
    try:
        yield client
    except ConnectionLost as error:
        raise VenueUnreachable(params.venue.url, error) from error
    finally:
        await client.close()


def venue_epoch(params: Params) -> int:
    """The venue's own time, epoch seconds.

    Raises:
        StepError: it cannot be reached or does not answer.
    """

    async def ask() -> int:
        async with public_socket(params) as client:
            return int((await client.request({"time": 1}))["time"])

    return attended(ask())


def active_symbols(home: Home, params: Params) -> dict[str, Any]:
    """Ask what the venue trades now and write the answer to ``data/raw/active_symbols.json``.

    Returns:
        ``{"symbols": [...], "open": n, "path": ...}``.

    Raises:
        StepError: unreachable, or ``data.symbol`` is unknown to the venue.
    """

    async def ask() -> list[dict[str, Any]]:
        async with public_socket(params) as client:
            return list((await client.request({"active_symbols": "brief"}))["active_symbols"])

    rows = attended(ask())
    names = sorted(str(row["underlying_symbol"]) for row in rows)
    if params.data.symbol not in names:
        raise StepError(f"{params.venue.url} does not trade {params.data.symbol}; it has {', '.join(names)}")
    path = home.data / "raw" / "active_symbols.json"
    write_atomically(path, (json.dumps(rows, indent=1, sort_keys=True) + "\n").encode(), durable=False)
    return {"symbols": names, "open": sum(bool(row.get("exchange_is_open")) for row in rows), "path": str(path)}


def bundle_epoch(home: Home, params: Params) -> int:
    """Venue time for a bundle's manifest: the venue's clock, or, with no venue in reach, the end of the newest day.

    Packaging must work offline (`dvc repro`), and the end of the data is never later than the venue's time.

    Raises:
        StepError: no venue and no ticks.
    """
    try:
        return venue_epoch(params)
    except VenueUnreachable:
        stored = days_on_disk(home, params.data.symbol)
        if not stored:
            raise StepError(
                f"no ticks of {params.data.symbol} on disk and no venue at {params.venue.url} to ask for the time; "
                "run `xtitan run ingest` first"
            ) from None
        return midnight(stored[-1]) + DAY
