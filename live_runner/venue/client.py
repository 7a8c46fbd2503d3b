"""What the runner needs of a connection to the venue.

``xtitan_core.deriv.client.DerivClient`` is one; ``live_runner.venue.fake.FakeConnection`` is one for tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from xtitan_core.deriv.rest import PaperTime


class ReadingClient(Protocol):
    """What recovery needs: answers to requests, and which connection they came from."""

    generation: int
    closed: asyncio.Event

    async def request(self, payload: Mapping[str, Any], timeout: float = ...) -> dict[str, Any]: ...  # noqa: ASYNC109


class TradingClient(ReadingClient, Protocol):
    """What the gate needs: quotes, and the one call that buys."""

    def start_buy(self, proposal_id: str, price_cents: int) -> asyncio.Future[dict[str, Any]]: ...


class VenueClient(TradingClient, Protocol):
    """What the trading loop needs: streams, lockstep, and what kind of venue it is connected to."""

    kind: str | None
    paper: PaperTime | None
    events: asyncio.Queue[dict[str, Any] | None]

    async def subscribe(self, payload: Mapping[str, Any], timeout: float = ...) -> dict[str, Any]: ...  # noqa: ASYNC109

    async def enter_lockstep(self) -> dict[str, Any]: ...

    def ack_instant(self, epoch: int) -> None: ...

    async def close(self) -> None: ...
