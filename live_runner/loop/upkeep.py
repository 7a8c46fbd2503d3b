"""What happens between two frames: the registry, expiry, the latch, and a reconciliation when one is due."""

from __future__ import annotations

import asyncio
import logging

from live_runner.config import Settings
from live_runner.guards.latch import KillLatch
from live_runner.journal.writer import Journal
from live_runner.loop.feed import TickFeed
from live_runner.loop.reconciler import Reconciler
from live_runner.models.keeper import Offer, RoleKeeper
from live_runner.models.source import SourceError
from live_runner.venue.client import VenueClient
from xtitan_core.clock import Clock, monotonic
from xtitan_core.deriv.errors import DerivClientError
from xtitan_core.features.spec import FeatureError
from xtitan_core.journal import HaltRecord, RoleRecord

_log = logging.getLogger("live_runner")


class ModelUpkeep:
    """Keeps the roles in step with the registry and the features in step with the roles.

    The registry is asked in the background; its answer is applied here, between two decisions.
    """

    def __init__(self, settings: Settings, clock: Clock, keeper: RoleKeeper, feed: TickFeed, journal: Journal) -> None:
        self._settings, self._clock, self._keeper, self._feed, self._journal = settings, clock, keeper, feed, journal
        self._asking: asyncio.Task[Offer] | None = None
        self._asked_at = 0.0
        self._asked_wall = 0.0
        self._resolved = False
        self._registry_problem = ""

    async def start(self) -> None:
        """Load the models once, before the first decision.

        Raises:
            ModelError: a bundle that the registry names is refused.
        """
        if self._resolved:
            return
        epoch = int(self._clock.now())
        try:
            self._note(self._keeper.apply(await self._keeper.ask(), epoch, strict=True))
        except SourceError as error:
            self._warn_once(str(error))
            self._note(self._keeper.offline(epoch))
        self._resolved = True
        self._asked_at, self._asked_wall = self._clock.now(), monotonic()
        if self._keeper.roles.champion is None:
            _log.info("no champion: shadow-only, nothing will be bought")

    async def warm(self) -> None:
        """Warm the features that loaded models want, drop those that none wants."""
        wanted = {model.onnx.spec_sha256: model.onnx.spec for _, model in self._keeper.roles.loaded()}
        self._feed.market.keep_only(set(wanted))
        for spec in wanted.values():
            try:
                await self._feed.warm(spec)
            except (DerivClientError, FeatureError) as error:
                _log.warning("features could not be warmed: %s; trying again later", error)

    def expire(self) -> None:
        """Take expired models out of their roles; called before every decision, so that an expired model makes none."""
        if expired := self._keeper.expire(int(self._clock.now())):
            self._note(expired)

    async def poll(self) -> None:
        """Ask the registry when it is time, and apply its answer once it is there. Cheap when nothing is due."""
        now = self._clock.now()
        if self._asking is not None:
            if self._asking.done():
                await self._take_offer(self._asking)
                self._asking = None
        elif (
            now - self._asked_at >= self._settings.registry_poll_seconds
            and monotonic() - self._asked_wall >= self._settings.registry_poll_wall_seconds
        ):
            self._asked_at, self._asked_wall = now, monotonic()
            self._asking = asyncio.create_task(self._keeper.ask(), name="registry")

    async def close(self) -> None:
        """Cancel a request to the registry that is still waiting for its answer."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _take_offer(self, task: asyncio.Task[Offer]) -> None:
        try:
            offer = task.result()
        except SourceError as error:
            self._warn_once(str(error))
            return
        self._registry_problem = ""
        if records := self._keeper.apply(offer, int(self._clock.now())):
            self._note(records)
        await self.warm()

    def _note(self, records: list[RoleRecord]) -> None:
        self._journal.add(*records)
        for record in records:
            _log.info(
                "%s slot: %s version %s %s (%s)",
                record.role,
                record.model_name,
                record.model_version,
                record.bundle_id[:12] or "removed",
                record.reason,
            )

    def _warn_once(self, problem: str) -> None:
        """Log a registry problem once, not at every poll."""
        if problem != self._registry_problem:
            _log.warning("%s; going on with what is loaded", problem)
        self._registry_problem = problem


class Upkeep:
    """Everything that is not a frame of its own: journals the latch, keeps the models, reconciles when that is due."""

    def __init__(
        self, clock: Clock, latch: KillLatch, journal: Journal, models: ModelUpkeep, reconciler: Reconciler
    ) -> None:
        self._clock, self._latch, self._journal = clock, latch, journal
        self._models, self._reconciler = models, reconciler
        self._halted: bool | None = None

    async def run(self, client: VenueClient) -> None:
        """Between two frames. Cheap when there is nothing to do."""
        if self._latch.halted is not self._halted:
            self._halted = self._latch.halted
            self._note_halt(self._halted)
        self._models.expire()
        await self._models.poll()
        await self._reconciler.run_if_due(client)

    async def wake(self, client: VenueClient) -> None:
        """As ``run``, when nothing came from the venue; also looks for a ``HALT`` file and writes the journal."""
        self._latch.poll()  # for journal and status; the gate polls by itself before every purchase
        await self.run(client)
        self._journal.flush()

    def distrust(self) -> None:
        """Something the venue sent cannot be read: close the gate until the next reconciliation."""
        self._reconciler.suspend()

    def leave(self) -> None:
        """The connection is lost: close the gate and write the journal."""
        self._reconciler.suspend()
        self._journal.flush()

    def _note_halt(self, halted: bool) -> None:
        latch = self._latch
        self._journal.add(HaltRecord(epoch=int(self._clock.now()), halted=halted, reason=latch.reason, by=latch.by))
        if halted:
            _log.warning("HALTED by %s: %s", latch.by, latch.reason)
