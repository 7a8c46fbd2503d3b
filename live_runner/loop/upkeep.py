"""What happens between two frames: the latch, the registry, expiry, and whether the runner has done what it was told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from live_runner.loop.parts import Parts
from live_runner.loop.warmup import warm
from live_runner.models.keeper import Offer
from live_runner.models.source import SourceError
from xtitan_core.clock import monotonic
from xtitan_core.deriv.errors import DerivClientError
from xtitan_core.features.spec import FeatureError
from xtitan_core.journal import HaltRecord, RoleRecord

_log = logging.getLogger("live_runner")


class Upkeep:
    """Keeps models, latch and limits of the run current.

    The registry is asked in the background; its answer is applied here, between two decisions.
    """

    def __init__(self, parts: Parts, stop: Callable[[str], None]) -> None:
        self.p, self._stop = parts, stop
        self._halted: bool | None = None
        self._asking: asyncio.Task[Offer] | None = None
        self._asked_at = 0.0
        self._asked_wall = 0.0
        self._resolved = False
        self._registry_problem = ""

    async def start_models(self) -> None:
        """Load the models once, before the first decision.

        Raises:
            ModelError: a bundle that the registry names is refused.
        """
        if self._resolved:
            return
        epoch = int(self.p.clock.now())
        try:
            self._note(self.p.keeper.apply(await self.p.keeper.ask(), epoch, strict=True))
        except SourceError as error:
            self._complain(str(error))
            self._note(self.p.keeper.offline(epoch))
        self._resolved = True
        self._asked_at, self._asked_wall = self.p.clock.now(), monotonic()
        if self.p.keeper.roles.champion is None:
            _log.info("no champion: shadow-only, nothing will be bought")

    async def warm_models(self) -> None:
        """Warm the features that loaded models want, drop those that none wants."""
        wanted = {model.session.spec_sha256: model.session.spec for _, model in self.p.keeper.roles.loaded()}
        self.p.market.keep_only(set(wanted))
        for spec in wanted.values():
            try:
                await warm(self.p.settings, self.p.market, spec)
            except (DerivClientError, FeatureError) as error:
                _log.warning("features could not be warmed: %s; trying again later", error)

    async def run(self) -> None:
        """Between two frames. Cheap when there is nothing to do."""
        p = self.p
        if p.latch.halted is not self._halted:
            self._halted = p.latch.halted
            self._note_halt(self._halted)
        self.expire()
        now = p.clock.now()
        if self._asking is not None:
            if self._asking.done():
                await self._take_offer(self._asking)
                self._asking = None
        elif (
            now - self._asked_at >= p.settings.registry_poll_seconds
            and monotonic() - self._asked_wall >= p.settings.registry_poll_wall_seconds
        ):
            self._asked_at, self._asked_wall = now, monotonic()
            self._asking = asyncio.create_task(p.keeper.ask(), name="registry")

    def expire(self) -> None:
        """Take expired models out of their roles; asked before every decision, so that none is made by one."""
        if expired := self.p.keeper.expire(int(self.p.clock.now())):
            self._note(expired)

    def check_limits(self) -> None:
        """Stop once the run has done what ``--stop-after-…`` asked for."""
        s, tally, trades = self.p.settings, self.p.engine.tally, self.p.books.tally
        for limit, count, name in (
            (s.stop_after_shadow, tally.shadow_settled, "shadow settlements"),
            (s.stop_after_trades, trades.settled, "settled trades"),
            (s.stop_after_slots, tally.slots, "slots"),
        ):
            if limit is not None and count >= limit:
                self._stop(f"{count} {name}")
                return

    async def close(self) -> None:
        """Drop a question that is still open."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _note(self, records: list[RoleRecord]) -> None:
        self.p.books.journal.add(*records)
        for record in records:
            _log.info(
                "%s slot: %s version %s %s (%s)",
                record.role,
                record.model_name,
                record.model_version,
                record.bundle_id[:12] or "removed",
                record.reason,
            )

    def _note_halt(self, halted: bool) -> None:
        latch = self.p.latch
        record = HaltRecord(epoch=int(self.p.clock.now()), halted=halted, reason=latch.reason, by=latch.by)
        self.p.books.journal.add(record)
        if halted:
            _log.warning("HALTED by %s: %s", latch.by, latch.reason)

    async def _take_offer(self, task: asyncio.Task[Offer]) -> None:
        try:
            offer = task.result()
        except SourceError as error:
            self._complain(str(error))
            return
        self._registry_problem = ""
        if records := self.p.keeper.apply(offer, int(self.p.clock.now())):
            self._note(records)
        await self.warm_models()

    def _complain(self, problem: str) -> None:
        """Log a registry problem once, not at every poll."""
        if problem != self._registry_problem:
            _log.warning("%s; going on with what is loaded", problem)
        self._registry_problem = problem
