"""Follows open contracts and compares each one's final state with its booked cash rows."""

from __future__ import annotations

import logging
from typing import Any

from live_runner.guards.latch import KillLatch
from live_runner.ledger import Ledger
from live_runner.reconcile.follow import Follower, disagreement
from live_runner.venue.client import VenueClient
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import DerivClientError
from xtitan_core.deriv.protocol import OpenContract

_log = logging.getLogger("live_runner")


class ContractHandler:
    """The contracts that are followed on the present connection; a difference to the ledger halts the runner."""

    def __init__(self, ledger: Ledger, latch: KillLatch) -> None:
        self._ledger, self._latch = ledger, latch
        self._follower = Follower()

    def reset(self) -> None:
        """A new connection: nothing is followed on it yet."""
        self._follower.reset()

    async def follow_open(self, client: VenueClient) -> None:
        """Follow every contract that is open by the ledger and not followed yet."""
        for intent in self._ledger.intents.open_contracts():
            if intent.contract_id is not None and intent.contract_id not in self._follower:
                await self.follow(client, intent.contract_id, intent.intent_id)

    async def follow(self, client: VenueClient, contract_id: int, intent_id: int) -> None:
        """Subscribe to one contract. Without its stream it is settled by its cash rows, and nothing is compared."""
        self._follower.watch(contract_id, intent_id)
        try:
            self.handle(client, await client.subscribe(requests.open_contract(contract_id)))
        except DerivClientError as error:
            _log.warning("contract %d cannot be followed: %s", contract_id, error)

    def handle(self, client: VenueClient, frame: dict[str, Any]) -> None:
        """One ``proposal_open_contract`` frame.

        Raises:
            FrameError: when the frame cannot be read.
        """
        state = OpenContract.from_frame(frame)
        intent_id = None if state is None else self._follower.ended(state)
        if state is None or intent_id is None:
            return
        problem = disagreement(state, self._ledger.intents.get(intent_id))
        if problem is not None:
            self._latch.halt(problem, "follower")
