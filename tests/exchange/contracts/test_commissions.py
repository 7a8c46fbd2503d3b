"""The shipped table of commissions, and what an account makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from paper_exchange.contracts.commissions import flat, schedule, schedules
from paper_exchange.errors import SetupError
from paper_exchange.venue.accounts import Account
from xtitan_core.contracts import DurationUnit
from xtitan_core.symbols import SYMBOLS

START = 1_772_409_600
TICKS, SECONDS, MINUTES, DAYS = DurationUnit.TICKS, DurationUnit.SECONDS, DurationUnit.MINUTES, DurationUnit.DAYS


def day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def recorded(date: str, name: str, kind: str, duration: int, unit: DurationUnit) -> float:
    return schedules()["recorded"].rate(day(date), name, kind, duration, unit)


@pytest.mark.parametrize(
    ("date", "name", "kind", "duration", "unit", "rate"),
    [
        ("2017-04-17", "R_10", "DIGITMATCH", 5, TICKS, 0.010),
        ("2020-04-22", "R_100", "HIGHER", 60, SECONDS, 0.012),
        ("2026-03-02", "R_100", "CALL", 5, TICKS, 0.012),
        ("2026-06-06", "R_100", "DIGITODD", 1, TICKS, 0.012),
        ("2026-06-07", "R_100", "DIGITODD", 1, TICKS, 0.020),
        ("2026-06-07", "R_10", "DIGITODD", 1, TICKS, 0.015),
        ("2026-06-07", "1HZ100V", "DIGITODD", 1, TICKS, 0.012),
        ("2026-06-15", "R_100", "CALL", 5, TICKS, 0.020),
        ("2026-09-27", "1HZ100V", "CALL", 5, TICKS, 0.026),
        ("2026-09-27", "1HZ100V", "CALL", 1, MINUTES, 0.031),
        ("2026-09-27", "1HZ100V", "HIGHER", 60, MINUTES, 0.031),
        ("2026-09-27", "1HZ100V", "NOTOUCH", 60, MINUTES, 0.020),
        ("2026-09-29", "JD100", "DIGITOVER", 1, TICKS, 0.250),
        ("2026-09-29", "frxXAUUSD", "PUT", 1, DAYS, 0.0515),
    ],
)
def test_what_was_quoted_when(date: str, name: str, kind: str, duration: int, unit: DurationUnit, rate: float) -> None:
    assert recorded(date, name, kind, duration, unit) == rate


def test_every_symbol_has_a_commission_in_every_schedule() -> None:
    for table in schedules().values():
        for name in SYMBOLS:
            assert 0 < table.rate(START, name, "CALL", 15, MINUTES) < 0.06


def test_units_of_time_are_one_duration() -> None:
    hour = [
        recorded("2026-09-27", "1HZ100V", "CALL", n, DurationUnit(u)) for n, u in ((3600, "s"), (60, "m"), (1, "h"))
    ]
    assert len(set(hour)) == 1


def test_a_number_is_a_flat_schedule() -> None:
    assert schedule("0.0311").rate(START, "R_100", "CALL", 5, TICKS) == 0.0311
    assert flat(0.0).rate(START, "anything", "RANGE", 1, DAYS) == 0.0


@pytest.mark.parametrize("wrong", ["-0.1", "0.4", "nan", "recordd", ""])
def test_nonsense_is_refused_in_one_line(wrong: str) -> None:
    with pytest.raises(SetupError) as caught:
        schedule(wrong)
    assert "\n" not in str(caught.value)
    assert "choose" in str(caught.value)


def test_an_account_takes_a_number_or_a_name() -> None:
    assert Account("DOT1", 0.02).schedule.rate(START, "R_10", "CALL", 5, TICKS) == 0.02
    assert Account("DOT1", "demo").schedule.rate(START, "R_10", "CALL", 5, TICKS) == 0.031
    with pytest.raises(SetupError):
        Account("DOT1", "free")


QUOTE = {
    "proposal": 1, "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD",
    "duration": 5, "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip


def test_the_quote_and_the_purchase_follow_the_schedule(venue: Any) -> None:
    market = venue(commission="recorded", start=day("2026-06-15"))
    socket, public = market.connect("DOT90000001"), market.connect()
    dearer = socket.ask(QUOTE)["proposal"]
    assert dearer["payout"] == public.ask(QUOTE)["proposal"]["payout"] == 19.23
    assert socket.ask({"buy": dearer["id"], "price": 10})["buy"]["payout"] == 19.23
    digits = {**QUOTE, "contract_type": "DIGITODD", "duration": 1}
    assert socket.ask(digits)["proposal"]["payout"] == 19.23
    assert socket.ask({**digits, "underlying_symbol": "R_25"})["proposal"]["payout"] == 19.53
