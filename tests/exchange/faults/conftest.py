"""A virtual venue with faults, and a client that trades on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from paper_exchange.exchange import Exchange
from paper_exchange.faults.injection import Faults
from paper_exchange.faults.script import parse
from paper_exchange.faults.seeded import Mix
from paper_exchange.net.virtual import VirtualSocket, VirtualVenue
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings
from support.worlds import shared_world

ACCOUNT = "DOT90000001"


class Market(VirtualVenue):
    """A virtual venue, and what is asked of it again and again."""

    def trader(self, account: str = ACCOUNT) -> VirtualSocket:
        """A socket of the account that follows its cash and R_100."""
        socket = self.connect(account)
        socket.send({"transaction": 1, "subscribe": 1})
        socket.send({"ticks": "R_100", "subscribe": 1})
        socket.take()
        return socket

    def fault(self, text: str) -> None:
        """Ask for a fault while the venue runs."""
        self.exchange.script(parse(text))
        self.deliver()

    @property
    def fired(self) -> list[str]:
        """Names of the faults that happened."""
        return [str(fault["fault"]) for fault in self.exchange.faults.fired]

    @property
    def bought(self) -> list[Any]:
        """Every contract of the account."""
        return list(self.exchange.accounts[ACCOUNT].contracts.values())

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The truth log, or some kinds of it."""
        return [event for event in self.exchange.events.log if not kinds or event["kind"] in kinds]


def open_market(*faults: str, mix: Mix | None = None, lockstep: bool = False, seed: int = 1) -> Market:
    """A venue with faults written as on the command line."""
    world = shared_world(seed=seed)
    accounts = [Account(ACCOUNT, 0.012), Account("DOT90000002", 0.0311)]
    settings = Settings(seed=seed, lockstep=lockstep, budget_factor=1_000)
    return Market(Exchange(world, accounts, settings, Faults(map(parse, faults), mix)))


@pytest.fixture
def market() -> Callable[..., Market]:
    """Opens venues, see ``open_market``."""
    return open_market
