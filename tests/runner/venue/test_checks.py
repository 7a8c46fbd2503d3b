"""The venue's clock and account, checked against what the settings promise."""

from __future__ import annotations

from typing import Any

import pytest

from live_runner.config import ConfigError, Settings
from live_runner.venue.checks import StartError, check_environment, check_exchange_run, choose_account
from live_runner.venue.clock import VenueClock
from live_runner.venue.fake import START, FakeConnection, FakeVenue
from live_runner.venue.history import budgets_of
from xtitan_core.clock import monotonic, wall
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.rest import Account, PaperTime


def connection(kind: str = "demo", *, lockstep: bool = False, scaled: PaperTime | None = None) -> FakeConnection:
    """A connection of this kind, to a paper exchange in lockstep or in scaled time, or to a venue of its own time."""
    client = FakeVenue().connect(kind=kind, lockstep=lockstep)
    client.paper = scaled or client.paper
    return client


class Accounts:
    """The accounts of a token."""

    def __init__(self, *rows: Account) -> None:
        self._rows = list(rows)

    async def accounts(self) -> list[Account]:
        return self._rows


DEMO = Settings(environment="demo", account="DOT1")


async def test_in_lockstep_time_is_what_the_exchange_says() -> None:
    clock = VenueClock()
    await clock.follow(connection(lockstep=True))
    assert clock.lockstep
    assert clock.now() == START
    clock.reach(START + 4)
    clock.reach(START + 2)  # a tick and its instant name the same moment; neither goes back
    assert clock.now() == START + 4
    await clock.follow(connection(lockstep=True))
    assert clock.now() == START + 4


async def test_scaled_time_starts_at_the_exchanges_and_is_not_pushed() -> None:
    clock, began = VenueClock(), monotonic()
    await clock.follow(connection(scaled=PaperTime(5_000.0, 50.0, "scaled")))
    assert 5_000.0 <= clock.now() <= 5_000.0 + 50.0 * (monotonic() - began)
    clock.reach(900_000)
    assert clock.now() <= 5_000.0 + 50.0 * (monotonic() - began)


async def test_scaled_time_does_not_stand_still_while_the_socket_opens() -> None:
    """At 50 times the wall, a tenth of a second lost would make every tick look five seconds fresher than it is."""
    clock, heard = VenueClock(), monotonic() - 0.2
    await clock.follow(connection(scaled=PaperTime(5_000.0, 50.0, "scaled", read_at=heard)))
    assert 5_009.999 <= clock.now() <= 5_000.0 + 50.0 * (monotonic() - heard)


async def test_a_venue_whose_time_lies_before_the_journals_is_another_exchange_session() -> None:
    clock, client = VenueClock(), connection(lockstep=True)
    await clock.follow(client)
    clock.reach(START + 90)  # an exchange that was started anew while the runner lived
    check_exchange_run(client, clock, START + 30)
    with pytest.raises(StartError, match="another exchange session"):
        check_exchange_run(client, clock, START + 90)


def tells(*times: int) -> tuple[FakeConnection, list[int]]:
    """A connection that answers these times, the last one for ever; and the answers it gave."""
    client, waiting, given = connection(), iter(times), list[int]()

    def answer(_: Any) -> int:
        given.append(next(waiting, times[-1]))
        return given[-1]

    client.answers["time"] = answer
    return client, given


T = 1_800_000_000


@pytest.mark.parametrize("wrong", [(0,), (0, 1), ()])
async def test_one_wrong_answer_to_time_does_not_move_our_clock(wrong: tuple[int, ...]) -> None:
    client, given = tells(*(T - 86_400 * (k + 1) for k in wrong), T)
    clock, began = VenueClock(), wall()
    await clock.follow(client)
    assert T - 0.001 <= clock.now() <= T + 0.001 + wall() - began
    assert len(given) == 2 + len(wrong)


async def test_a_venue_that_tells_another_time_each_time_is_not_believed() -> None:
    client, _ = tells(*range(T, T + 100_000_000, 1_000))
    with pytest.raises(FrameError, match="contradict"):
        await VenueClock().follow(client)


async def test_at_deriv_the_wall_clock_is_corrected_by_the_venues_time() -> None:
    client, _ = tells(T)
    clock, began = VenueClock(), wall()
    await clock.follow(client)
    assert T - 0.001 <= clock.now() <= T + 0.001 + wall() - began
    assert not clock.lockstep


@pytest.mark.parametrize(
    ("settings", "client"),
    [
        (Settings(), connection()),
        (DEMO, connection(lockstep=True)),
        (DEMO, connection("real")),
        (Settings(), connection("real", lockstep=True)),
    ],
)
def test_a_connection_of_another_environment_is_refused(settings: Settings, client: FakeConnection) -> None:
    with pytest.raises(ConfigError):
        check_environment(client, settings)


def test_the_configured_environment_is_accepted() -> None:
    check_environment(connection(lockstep=True), Settings())
    check_environment(connection(), DEMO)


async def test_only_a_demo_account_that_exists_is_chosen() -> None:
    one, two = Account("DOT1", "demo", "USD", 1), Account("DOT2", "demo", "USD", 1)
    real = Account("ROT1", "real", "USD", 1)
    assert await choose_account(Accounts(one, two), Settings()) == one
    assert await choose_account(Accounts(one, two), Settings(account="DOT2")) == two
    with pytest.raises(StartError, match="DOT9"):
        await choose_account(Accounts(one), Settings(account="DOT9"))
    with pytest.raises(StartError, match="ROT1 is real"):
        await choose_account(Accounts(real), Settings(account="ROT1"))
    with pytest.raises(StartError, match="lists no accounts"):
        await choose_account(Accounts(), Settings())


def test_derivs_budgets_hold_everywhere_but_on_paper() -> None:
    assert budgets_of(Settings()) is None
    assert budgets_of(DEMO) is not None
