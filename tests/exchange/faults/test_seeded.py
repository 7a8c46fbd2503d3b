"""Faults by seed: the same seed the same faults, and without faults not a byte changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from paper_exchange.errors import SetupError
from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.seeded import ACCOUNT_FAULTS, Mix

QUOTE = {
    "proposal": 1, "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5,
    "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip


def a_day(venue: Any) -> str:
    """Trade as well as the faults allow; the bytes of the whole wire."""
    socket = venue.trader()
    for _ in range(60):
        socket.send(QUOTE)
        for frame in socket.take("proposal"):
            offered = frame.get("proposal")
            if isinstance(offered, dict) and isinstance(offered.get("id"), str):
                socket.send({"buy": offered["id"], "price": 1, "req_id": 1})
                socket.send({"buy": offered["id"], "price": 10, "subscribe": 1, "req_id": 2})
        for request in ({"statement": 1}, {"statement": 1, "offset": 2}, {"portfolio": 1}, {"time": 1}, {"ping": 1}):
            socket.send(request)
        if not socket.take("ping"):
            socket.close()
            socket = venue.trader()
        socket.take()
        venue.advance(4)
    return "\n".join(f"{number} {text}" for number, text in venue.transcript)


def test_the_same_seed_gives_the_same_faults(market: Any) -> None:
    one, two, other = (market(mix=Mix(seed, 0.05)) for seed in (3, 3, 4))
    assert a_day(one) == a_day(two)
    assert one.exchange.faults.fired == two.exchange.faults.fired
    a_day(other)
    assert other.exchange.faults.fired != one.exchange.faults.fired


SCRIPT = """
import hashlib, importlib.util, sys
def load(name):
    spec = importlib.util.spec_from_file_location(name, f"{sys.argv[1]}/{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
make, day = load("conftest").open_market, load("test_seeded").a_day
from paper_exchange.faults.seeded import Mix
print(hashlib.sha256(day(make(mix=Mix(3, 0.05))).encode()).hexdigest())
"""


def test_also_in_another_process_with_another_hash_seed() -> None:
    folder = __file__.rpartition("/")[0]
    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, folder],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(folder).parents[1])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(said[0]) == 65
    assert said[0] == said[1]


def test_without_faults_nothing_changes(market: Any) -> None:
    assert a_day(market()) == a_day(market())
    # Armed hooks that let everything through leave every byte as it is.
    assert a_day(market("request_lost:nth=1000000", "tick_gap:nth=1000000")) == a_day(market())


def test_every_fault_of_the_mix_comes_up(market: Any) -> None:
    fired: set[str] = set()
    for seed in range(8):
        venue = market(mix=Mix(seed, 0.15, FaultName))
        a_day(venue)
        fired |= set(venue.fired)
    # Sockets of a virtual venue log in nowhere.
    login = {FaultName.OTP_REFUSED, FaultName.UPGRADE_REFUSED, FaultName.ACCEPT_THEN_CLOSE}
    assert fired == {str(name) for name in set(FaultName) - login}


def test_the_account_is_left_alone_unless_asked(market: Any) -> None:
    for seed in range(3):
        venue = market(mix=Mix(seed, 0.3))
        a_day(venue)
        assert not set(venue.fired) & set(ACCOUNT_FAULTS)


def test_only_what_was_chosen(market: Any) -> None:
    venue = market(mix=Mix(1, 0.5, [FaultName.ANSWER_LATE, FaultName.TICK_GAP]))
    a_day(venue)
    assert set(venue.fired) == {"answer_late", "tick_gap"}


def test_whatever_goes_wrong_the_books_close(market: Any) -> None:
    for seed in range(3):
        venue = market(mix=Mix(seed, 0.2, FaultName))
        a_day(venue)
        for account in venue.exchange.accounts.values():
            balance = 10_000 + sum(row.amount for row in account.rows)
            assert balance == account.balance
            logged = [e for e in venue.events("booked", "settled", "cash") if e["account_id"] == account.account_id]
            assert [e["transaction_id"] for e in logged] == [row.transaction_id for row in account.rows]


@pytest.mark.parametrize("rate", [0, -1, 1.01, float("nan")])
def test_a_rate_is_a_probability(rate: float) -> None:
    with pytest.raises(SetupError, match="fault rate"):
        Mix(1, rate)
