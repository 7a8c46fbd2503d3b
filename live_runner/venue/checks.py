"""The venue as the runner first meets it: the account, the clock, the symbol, and history from the public socket."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from live_runner.config import ConfigError, Settings
from xtitan_core.clock import Clock, ManualClock, ScaledClock, WallClock, monotonic, wall
from xtitan_core.deriv import fields, requests
from xtitan_core.deriv.budgets import PROCESS_BUDGETS, Budgets
from xtitan_core.deriv.client import READ_ONLY, DerivClient
from xtitan_core.deriv.endpoints import public_socket_url
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.history import Epochs, Quotes, fetch_ticks
from xtitan_core.deriv.rest import Account, RestClient

BACKWARDS_S = 60
"""Seconds the venue's time may lie before the journal's newest record: latencies and corrected clocks."""

TIME_ANSWERS = 4
"""How often the venue is asked for its time until two answers in a row agree."""
TIME_AGREES_S = 2.0
"""Seconds by which they may differ: the venue tells whole seconds, and one answer may take longer than the other."""


class StartError(RuntimeError):
    """The runner cannot start like this; one line that says what to do."""


class VenueClock:
    """The venue's time for everybody who holds this object, whatever connection it currently comes from."""

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

    async def follow(self, client: DerivClient) -> None:
        """Take the time from a new connection: the paper exchange's own, or the wall corrected by ``time``.

        Raises:
            DerivClientError: when the venue does not tell its time, or tells a different one each time.
        """
        paper = client.paper
        if paper is None:
            self._clock, self.lockstep = WallClock(await _offset(client)), False
        elif paper.mode != "lockstep":
            # Opening the socket took time, and here a tenth of a second may be five.
            since = (monotonic() - paper.heard) * paper.rate
            self._clock, self.lockstep = ScaledClock(paper.epoch + since, paper.rate), False
        else:
            before = self._clock.now() if self.lockstep else 0.0
            self._clock, self.lockstep = ManualClock(max(paper.epoch, before)), True


async def _offset(client: DerivClient) -> float:
    """Venue time minus the wall's, as two answers in a row agree on: one wrong answer must not move our clock."""
    before = math.inf
    for _ in range(TIME_ANSWERS):
        offset = fields.epoch(await client.request(requests.time()), "time") - wall()
        if abs(offset - before) <= TIME_AGREES_S:
            return offset
        before = offset
    raise FrameError(f"{TIME_ANSWERS} answers to time contradict each other")


def budgets_of(settings: Settings) -> Budgets | None:
    """Request budgets to stay inside; the paper exchange has none of Deriv's."""
    return None if settings.environment == "paper" else PROCESS_BUDGETS


async def choose_account(rest: RestClient, settings: Settings) -> Account:
    """The account to trade on, checked against the environment.

    Raises:
        VenueError: the venue cannot be reached or refuses the token.
        StartError: there is no such account, or it is not of the environment's kind.
    """
    accounts = await rest.accounts()
    names = ", ".join(account.account_id for account in accounts) or "none"
    if not settings.account:
        if not accounts:
            raise StartError(f"{settings.venue} lists no accounts for this token; check the token")
        chosen = accounts[0]
    else:
        found = [account for account in accounts if account.account_id == settings.account]
        if not found:
            raise StartError(f"account {settings.account} is not among the token's accounts ({names}); check --account")
        chosen = found[0]
    if chosen.account_type != "demo":
        raise StartError(
            f"account {chosen.account_id} is {chosen.account_type}, environment {settings.environment} trades demo "
            "accounts only; choose another account"
        )
    return chosen


def check_environment(client: DerivClient, settings: Settings) -> None:
    """Refuse a connection that is not of the configured environment.

    Raises:
        ConfigError: naming both.
    """
    if settings.environment == "paper" and client.paper is None:
        raise ConfigError(
            f'{settings.venue} is not a paper exchange; set environment = "demo" and the account\'s token'
        )
    if settings.environment == "demo" and client.paper is not None:
        raise ConfigError(f'{settings.venue} is a paper exchange; set environment = "paper"')
    if client.kind != "demo":
        raise ConfigError(
            f"the venue opened a {client.kind} socket, environment is {settings.environment}; stop and check"
        )


def check_session(client: DerivClient, clock: VenueClock, last_epoch: int) -> None:
    """Refuse a venue whose time lies before what the journal holds: its market is not the one recorded there.

    Args:
        client: a connection whose time ``clock`` follows.
        clock: in lockstep it never goes back, so there the connection's own time is looked at.
        last_epoch: newest venue time in the journal or seen in this run.

    Raises:
        StartError: naming both times.
    """
    now = client.paper.epoch if clock.lockstep and client.paper is not None else clock.now()
    if now < last_epoch - BACKWARDS_S:
        raise StartError(
            f"the venue's time is {int(now)}, {last_epoch} was reached here already: this is another exchange "
            "session; use another journal and state folder"
        )


async def check_symbol(client: DerivClient, symbol: str) -> None:
    """Refuse a symbol that the venue does not have or that is closed now.

    Raises:
        StartError: naming what there is.
        DerivClientError: when the venue does not answer.
    """
    frame = await client.request(requests.active_symbols())
    listed = frame.get("active_symbols")
    if not isinstance(listed, list):
        raise FrameError("active_symbols is not a list")
    rows = {fields.text(row, "underlying_symbol"): row for row in listed if isinstance(row, dict)}
    if symbol not in rows:
        raise StartError(f"unknown symbol {symbol!r} at this venue; choose one of {', '.join(sorted(rows))}")
    if not fields.flag(rows[symbol], "exchange_is_open") or fields.flag(rows[symbol], "is_trading_suspended"):
        raise StartError(
            f"the market of {symbol} is closed; start again when it opens, or restart the replay that has ended"
        )


@asynccontextmanager
async def public_client(settings: Settings) -> AsyncIterator[DerivClient]:
    """A read-only connection that needs no account; it never takes part in lockstep."""
    url = public_socket_url(settings.venue)
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
