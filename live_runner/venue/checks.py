"""Start-up checks: is this the venue, the account and the symbol the settings name, and is its market open."""

from __future__ import annotations

from typing import Protocol

from live_runner.config import ConfigError, Settings
from live_runner.errors import RunnerError
from live_runner.venue.client import VenueClient
from live_runner.venue.clock import VenueClock
from xtitan_core.deriv import fields, requests
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.rest import Account

MAX_JOURNAL_AHEAD_S = 60
"""Seconds the journal's newest record may lie after the venue's time: latencies and corrected clocks."""


class StartError(RunnerError, RuntimeError):
    """The runner cannot start like this; one line that says what to do."""


class AccountList(Protocol):
    """What is needed of ``RestClient``: the accounts of the token."""

    async def accounts(self) -> list[Account]: ...


async def choose_account(rest: AccountList, settings: Settings) -> Account:
    """The account to trade on, checked against the environment.

    Raises:
        VenueError: the venue cannot be reached or refuses the token.
        StartError: there is no such account, or it is not of the environment's kind.
    """
    accounts = await rest.accounts()
    names = ", ".join(account.account_id for account in accounts) or "none"
    if not settings.account:
        if not accounts:
            raise StartError(f"{settings.venue_url} lists no accounts for this token; check the token")
        chosen = accounts[0]
    else:
        named = [account for account in accounts if account.account_id == settings.account]
        if not named:
            raise StartError(f"account {settings.account} is not among the token's accounts ({names}); check --account")
        chosen = named[0]
    if chosen.account_type != "demo":
        raise StartError(
            f"account {chosen.account_id} is {chosen.account_type}, environment {settings.environment} trades demo "
            "accounts only; choose another account"
        )
    return chosen


def check_environment(client: VenueClient, settings: Settings) -> None:
    """Refuse a connection that is not of the configured environment.

    Raises:
        ConfigError: naming both.
    """
    if settings.environment == "paper" and client.paper is None:
        raise ConfigError(
            f'{settings.venue_url} is not a paper exchange; set environment = "demo" and the account\'s token'
        )
    if settings.environment == "demo" and client.paper is not None:
        raise ConfigError(f'{settings.venue_url} is a paper exchange; set environment = "paper"')
    if client.kind != "demo":
        raise ConfigError(
            f"the venue opened a {client.kind} socket, environment is {settings.environment}; stop and check"
        )


def check_exchange_run(client: VenueClient, clock: VenueClock, last_epoch: int) -> None:
    """Refuse a venue whose time lies before what the journal holds: its market is not the one recorded there.

    Args:
        client: a connection whose time ``clock`` follows.
        clock: in lockstep it never goes back, so there the connection's own time is looked at.
        last_epoch: newest venue time in the journal or seen in this run.

    Raises:
        StartError: naming both times.
    """
    now = client.paper.epoch if clock.lockstep and client.paper is not None else clock.now()
    if now < last_epoch - MAX_JOURNAL_AHEAD_S:
        raise StartError(
            f"the venue's time is {int(now)}, {last_epoch} was reached here already: this is another exchange "
            "session; use another journal and state folder"
        )


async def check_symbol(client: VenueClient, symbol: str) -> None:
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
