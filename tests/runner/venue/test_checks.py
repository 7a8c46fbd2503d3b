"""The venue's clock and account, checked against what the settings promise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from live_runner.config import ConfigError, Settings
from live_runner.venue.checks import StartError, check_environment, check_session, choose_account
from live_runner.venue.clock import VenueClock
from live_runner.venue.history import budgets_of
from xtitan_core.clock import monotonic
from xtitan_core.deriv.client import DerivClient
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.rest import Account, PaperTime, RestClient


def connection(kind: str = "demo", paper: PaperTime | None = None, answer: Any = None) -> DerivClient:
    """As much of a connection as these functions look at."""

    async def request(_: Any) -> Any:
        return answer

    return cast(DerivClient, SimpleNamespace(kind=kind, paper=paper, request=request))


def accounts(*rows: Account) -> RestClient:
    async def listed() -> list[Account]:
        return list(rows)

    return cast(RestClient, SimpleNamespace(accounts=listed))


PAPER = PaperTime(1_772_409_600, 0.0, "lockstep")
DEMO = Settings(environment="demo", account="DOT1")


async def test_in_lockstep_time_is_what_the_exchange_says() -> None:
    clock = VenueClock()
    await clock.follow(connection(paper=PAPER))
    assert clock.lockstep
    assert clock.now() == 1_772_409_600
    clock.reach(1_772_409_604)
    clock.reach(1_772_409_602)  # a tick and its instant name the same moment; neither goes back
    assert clock.now() == 1_772_409_604
    await clock.follow(connection(paper=PAPER))
    assert clock.now() == 1_772_409_604


async def test_scaled_time_starts_at_the_exchanges_and_is_not_pushed() -> None:
    clock = VenueClock()
    await clock.follow(connection(paper=PaperTime(5_000.0, 50.0, "scaled")))
    assert 5_000.0 <= clock.now() < 5_100.0
    clock.reach(9_000)
    assert clock.now() < 5_200.0


async def test_scaled_time_does_not_stand_still_while_the_socket_opens() -> None:
    """At 50 times the wall, a tenth of a second lost would make every tick look five seconds fresher than it is."""
    clock = VenueClock()
    await clock.follow(connection(paper=PaperTime(5_000.0, 50.0, "scaled", heard=monotonic() - 0.2)))
    assert 5_010.0 <= clock.now() < 5_100.0


async def test_a_venue_whose_time_lies_before_the_journals_is_another_exchange_session() -> None:
    clock, client = VenueClock(), connection(paper=PAPER)
    await clock.follow(client)
    clock.reach(1_772_409_600 + 90)  # an exchange that was started anew while the runner lived
    check_session(client, clock, 1_772_409_600 + 30)
    with pytest.raises(StartError, match="another exchange session"):
        check_session(client, clock, 1_772_409_600 + 90)


@pytest.mark.parametrize("wrong", [(0,), (0, 1), ()])
async def test_one_wrong_answer_to_time_does_not_move_our_clock(wrong: tuple[int, ...]) -> None:
    asked = 0

    async def request(_: Any) -> Any:
        nonlocal asked
        asked += 1
        return {"time": 1_800_000_000 - 86_400 * asked * (asked - 1 in wrong)}

    client = cast(DerivClient, SimpleNamespace(kind="demo", paper=None, request=request))
    clock = VenueClock()
    await clock.follow(client)
    assert abs(clock.now() - 1_800_000_000) < 5
    assert asked == 2 + len(wrong)


async def test_a_venue_that_tells_another_time_each_time_is_not_believed() -> None:
    times = iter(range(1_800_000_000, 1_900_000_000, 1_000))

    async def request(_: Any) -> Any:
        return {"time": next(times)}

    clock = VenueClock()
    with pytest.raises(FrameError, match="contradict"):
        await clock.follow(cast(DerivClient, SimpleNamespace(kind="demo", paper=None, request=request)))


async def test_at_deriv_the_wall_clock_is_corrected_by_the_venues_time() -> None:
    clock = VenueClock()
    await clock.follow(connection(answer={"time": 1_800_000_000}))
    assert abs(clock.now() - 1_800_000_000) < 5
    assert not clock.lockstep


@pytest.mark.parametrize(
    ("settings", "client"),
    [
        (Settings(), connection()),
        (DEMO, connection(paper=PAPER)),
        (DEMO, connection(kind="real")),
        (Settings(), connection(kind="real", paper=PAPER)),
    ],
)
def test_a_connection_of_another_environment_is_refused(settings: Settings, client: DerivClient) -> None:
    with pytest.raises(ConfigError):
        check_environment(client, settings)


def test_the_configured_environment_is_accepted() -> None:
    check_environment(connection(paper=PAPER), Settings())
    check_environment(connection(), DEMO)


async def test_only_a_demo_account_that_exists_is_chosen() -> None:
    one, two = Account("DOT1", "demo", "USD", 1), Account("DOT2", "demo", "USD", 1)
    real = Account("ROT1", "real", "USD", 1)
    assert await choose_account(accounts(one, two), Settings()) == one
    assert await choose_account(accounts(one, two), Settings(account="DOT2")) == two
    with pytest.raises(StartError, match="DOT9"):
        await choose_account(accounts(one), Settings(account="DOT9"))
    with pytest.raises(StartError, match="ROT1 is real"):
        await choose_account(accounts(real), Settings(account="ROT1"))
    with pytest.raises(StartError, match="lists no accounts"):
        await choose_account(accounts(), Settings())


def test_derivs_budgets_hold_everywhere_but_on_paper() -> None:
    assert budgets_of(Settings()) is None
    assert budgets_of(DEMO) is not None
