"""The venue's time, taken from each connection in turn."""

from __future__ import annotations

import math

from live_runner.venue.client import VenueClient
from xtitan_core.clock import Clock, ManualClock, ScaledClock, WallClock, monotonic, wall
from xtitan_core.deriv import fields, requests
from xtitan_core.deriv.errors import FrameError

TIME_ANSWERS = 4
"""How often the venue is asked for its time until two answers in a row agree."""
TIME_AGREES_S = 2.0
"""Seconds by which they may differ: the venue answers in whole seconds, and answers take unequal times."""


class VenueClock:
    """The venue's time; one object for the whole run, which follows each new connection."""

    def __init__(self) -> None:
        self._clock: Clock = WallClock()
        self.lockstep = False

    def now(self) -> float:
        """Venue time in epoch seconds."""
        return self._clock.now()

    def reach(self, epoch: int) -> None:
        """In lockstep, time has come to ``epoch``; elsewhere it runs by itself."""
        if isinstance(self._clock, ManualClock) and epoch > self._clock.now():
            self._clock.set(epoch)

    async def follow(self, client: VenueClient) -> None:
        """Take the time from a new connection: the paper exchange's own, or the wall corrected by ``time``.

        Raises:
            DerivClientError: when the venue does not answer, or its answers contradict each other.
        """
        paper = client.paper
        if paper is None:
            self._clock, self.lockstep = WallClock(await _offset(client)), False
        elif paper.mode != "lockstep":
            # Opening the socket took time: at a rate of 50, a tenth of a second is five seconds of venue time.
            since = (monotonic() - paper.read_at) * paper.rate
            self._clock, self.lockstep = ScaledClock(paper.epoch + since, paper.rate), False
        else:
            before = self._clock.now() if self.lockstep else 0.0
            self._clock, self.lockstep = ManualClock(max(paper.epoch, before)), True


async def _offset(client: VenueClient) -> float:
    """Venue time minus the wall's, as two answers in a row agree on: one wrong answer must not move our clock."""
    before = math.inf
    for _ in range(TIME_ANSWERS):
        offset = fields.epoch(await client.request(requests.time()), "time") - wall()
        if abs(offset - before) <= TIME_AGREES_S:
            return offset
        before = offset
    raise FrameError(f"{TIME_ANSWERS} answers to time contradict each other")
