"""When ledger and venue are compared: on every new connection, and every few seconds while the gate is closed."""

from __future__ import annotations

import logging

from live_runner.buying.gate import Gate
from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import Limits
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.loop.contracts import ContractHandler
from live_runner.reconcile.recovery import recover
from live_runner.venue.client import VenueClient
from xtitan_core.clock import Clock

_log = logging.getLogger("live_runner")

RECOVER_EVERY_SECONDS = 5.0


class Reconciler:
    """Runs recovery, opens the gate when it shows that ledger and venue agree, and follows what is open."""

    def __init__(
        self,
        clock: Clock,
        limits: Limits,
        latch: KillLatch,
        gate: Gate,
        bookkeeping: Bookkeeping,
        contracts: ContractHandler,
    ) -> None:
        self._clock, self._limits, self._latch, self._gate = clock, limits, latch, gate
        self._bookkeeping, self._contracts = bookkeeping, contracts
        self._ran_at = 0.0

    async def begin(self, client: VenueClient) -> None:
        """Reconcile on a new connection, where no contract is followed yet. Raises as ``run``."""
        self._contracts.reset()
        await self.run(client)

    async def run(self, client: VenueClient) -> None:
        """One pass of recovery.

        Raises:
            RecoveryError: the venue is not the one this ledger belongs to.
            LedgerFaultError: the ledger failed; the runner must end.
        """
        report = await recover(client, self._bookkeeping.ledger, self._latch, self._limits, self._clock.now())
        self._ran_at = self._clock.now()
        if not self._gate.arm(report):
            _log.warning("not trading yet: %s", "; ".join(report.waiting))
        self._bookkeeping.catch_up()
        await self._contracts.follow_open(client)

    def suspend(self) -> None:
        """Close the gate until the next pass of recovery."""
        self._gate.disarm()

    async def run_if_due(self, client: VenueClient) -> None:
        """Reconcile again while the gate is closed. Raises as ``run``."""
        if not self._gate.armed and self._clock.now() - self._ran_at >= RECOVER_EVERY_SECONDS:
            await self.run(client)
