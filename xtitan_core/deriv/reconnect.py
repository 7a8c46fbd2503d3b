"""Reconnecting: a fresh one-time password and a new generation for every connection, at a pace the venue allows.

websockets' own reconnect iterator is not used: it would reopen the consumed address, and it resets its delay after
every successful open (measured: 1,595 reconnects a second against a venue that accepts and closes).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from xtitan_core.clock import monotonic
from xtitan_core.deriv.budgets import Budgets, ByAddress
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import VenueError
from xtitan_core.deriv.rest import RestClient
from xtitan_core.randomness import jitter

_log = logging.getLogger("xtitan.deriv.session")  # as in 0.1.0: log lines and filters name it


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to come back, in wall seconds.

    Attributes:
        min_interval: least time between two connection attempts (each costs a REST call).
        delays: wait after the 1st, 2nd, ... attempt in a row that did not last; the last one repeats.
        spread: a random part of up to this share is added to each delay.
        stable_after: a connection that lived this long was a success and starts the delays over.
    """

    min_interval: float = 5.0
    delays: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    spread: float = 0.5
    stable_after: float = 30.0


DERIV_PACE = Pace()
PAPER_PACE = Pace(min_interval=0.1, delays=(0.1, 0.2, 0.4, 0.8), stable_after=5.0)


@dataclass(slots=True)
class Backoff:
    """The pure part: when the next attempt may start. Times are monotonic seconds."""

    pace: Pace = DERIV_PACE
    failures: int = field(default=0, init=False)
    last_attempt: float | None = field(default=None, init=False)

    def attempt(self, now: float) -> None:
        """An attempt to connect starts."""
        self.last_attempt = now

    def ended(self, lived: float) -> None:
        """It ended after ``lived`` seconds of being connected (0 when it never was)."""
        self.failures = 1 if lived >= self.pace.stable_after else self.failures + 1

    def delay(self, now: float, random_share: float) -> float:
        """Seconds to wait before the next attempt; ``random_share`` lies in [0, 1)."""
        if self.last_attempt is None:
            return 0.0
        wait = 0.0
        if self.failures:
            wait = self.pace.delays[min(self.failures, len(self.pace.delays)) - 1]
            wait *= 1 + self.pace.spread * random_share
        return max(wait, self.last_attempt + self.pace.min_interval - now)


async def connections(
    rest: RestClient,
    account_id: str,
    verbs: frozenset[str],
    *,
    budgets: Budgets | ByAddress | None = "by address",
    pace: Pace = DERIV_PACE,
    keepalive: float = 5.0,
    max_failures: int | None = None,
) -> AsyncIterator[DerivClient]:
    """Connections to one account, one after the other, for as long as the caller iterates.

    The caller serves each client until it is closed (``None`` from ``events``) and then takes the next one; generations
    count 1, 2, 3, ... Leaving the loop closes the last connection; iterate inside ``contextlib.aclosing`` so that it
    does so at once::

        async with aclosing(connections(rest, account, TRADING)) as clients:
            async for client in clients:
                await serve(client)

    Args:
        rest: gives each connection its own one-time password.
        account_id: whose socket.
        verbs, budgets, keepalive: as ``DerivClient.connect``.
        pace: how fast to reconnect.
        max_failures: give up after this many attempts in a row that did not last; None never gives up.

    Raises:
        VenueError: at once when the very first attempt fails (a wrong address or account is the user's to fix) or the
            venue refuses for good; later only after ``max_failures``.
    """
    backoff = Backoff(pace)
    generation = 0
    while True:
        await asyncio.sleep(backoff.delay(monotonic(), jitter(1.0)))
        started = monotonic()
        backoff.attempt(started)
        try:
            grant = await rest.otp(account_id)
            client = await DerivClient.connect(
                grant.url,
                verbs,
                generation=generation + 1,
                budgets=budgets,
                paper=grant.paper,
                keepalive=keepalive,
            )
        except VenueError as error:
            backoff.ended(0.0)
            tired = max_failures is not None and backoff.failures >= max_failures
            if generation == 0 or not error.transient or tired:
                raise
            _log.warning("reconnect failed (%s): %s", error.code, error)
            continue
        generation += 1
        opened = monotonic()
        try:
            yield client
        finally:
            await client.close()
        backoff.ended(monotonic() - opened)
        _log.warning("connection %d ended (%s)", generation, client.close_reason)
        if max_failures is not None and backoff.failures > max_failures:
            raise VenueError("Unreachable", f"{max_failures} connections in a row did not last; check the venue")
