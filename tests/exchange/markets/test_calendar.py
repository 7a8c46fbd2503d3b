"""Opening hours: the indices always, forex from Monday 00:00 to Friday 20:55 UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from paper_exchange.markets.calendar import ALWAYS_OPEN, CLOSED, FOREX_WEEK, NIGHT, calendar_of
from paper_exchange.markets.world import build_world
from xtitan_core.symbols import SYMBOLS, SymbolKind


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


FRIDAY_CLOSE, MONDAY = at("2026-03-06T20:55"), at("2026-03-09T00:00")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-02T00:00:00", True),
        ("2026-03-04T21:30:00", True),
        ("2026-03-06T20:54:59", True),
        ("2026-03-06T20:55:00", False),
        ("2026-03-07T12:00:00", False),
        ("2026-03-08T23:59:59", False),
        ("2026-03-09T00:00:00", True),
    ],
)
def test_the_forex_week(moment: str, is_open: bool) -> None:
    assert FOREX_WEEK.is_open(at(moment)) is is_open
    assert ALWAYS_OPEN.is_open(at(moment))


def test_when_it_opens_and_closes_next() -> None:
    assert FOREX_WEEK.next_close(at("2026-03-02T00:00")) == FRIDAY_CLOSE
    assert FOREX_WEEK.next_close(FRIDAY_CLOSE - 1) == FRIDAY_CLOSE
    assert FOREX_WEEK.next_close(FRIDAY_CLOSE) == at("2026-03-13T20:55")
    assert FOREX_WEEK.next_open(FRIDAY_CLOSE - 1) == FRIDAY_CLOSE - 1
    assert FOREX_WEEK.next_open(FRIDAY_CLOSE) == MONDAY
    assert MONDAY - FRIDAY_CLOSE == 183_900  # the gap in the recorded candles
    assert ALWAYS_OPEN.next_close(MONDAY) is None
    assert ALWAYS_OPEN.next_open(MONDAY) == MONDAY


@pytest.mark.parametrize(
    ("moment", "refusal"),
    [
        ("2026-03-04T20:59:59", None),
        ("2026-03-04T21:00:00", NIGHT),
        ("2026-03-04T23:59:59", NIGHT),
        ("2026-03-05T00:00:00", None),
        ("2026-03-06T20:54:59", None),
        ("2026-03-06T22:00:00", CLOSED),
        ("2026-03-08T12:00:00", CLOSED),
    ],
)
def test_why_no_forex_contract_can_be_bought(moment: str, refusal: str | None) -> None:
    assert FOREX_WEEK.refusal(at(moment)) == refusal
    assert ALWAYS_OPEN.refusal(at(moment)) is None


@pytest.mark.parametrize(
    ("moment", "days", "end"),
    [
        ("2026-03-02T10:00", 0, "2026-03-02T23:59:59"),
        ("2026-03-02T10:00", 1, "2026-03-03T23:59:59"),
        ("2026-03-05T10:00", 1, "2026-03-06T20:55:00"),
        ("2026-03-05T10:00", 2, "2026-03-09T23:59:59"),
        ("2026-03-06T10:00", 1, "2026-03-09T23:59:59"),
        ("2026-03-06T10:00", 7, "2026-03-13T20:55:00"),
    ],
)
def test_the_last_second_of_a_forex_trading_day(moment: str, days: int, end: str) -> None:
    assert FOREX_WEEK.trading_day_end(at(moment), days) == at(end)


def test_an_index_day_ends_at_midnight_any_day() -> None:
    assert ALWAYS_OPEN.trading_day_end(at("2026-03-06T10:00"), 0) == at("2026-03-06T23:59:59")
    assert ALWAYS_OPEN.trading_day_end(at("2026-03-06T10:00"), 2) == at("2026-03-08T23:59:59")


def test_hours_of_a_day() -> None:
    assert FOREX_WEEK.hours(at("2026-03-05T10:00")) == ("00:00:00", "23:59:59")
    assert FOREX_WEEK.hours(at("2026-03-06T10:00")) == ("00:00:00", "20:55:00")
    assert FOREX_WEEK.hours(at("2026-03-07T10:00")) is None
    assert ALWAYS_OPEN.hours(at("2026-03-07T10:00")) == ("00:00:00", "23:59:59")


def test_every_symbol_has_its_calendar() -> None:
    for entry in SYMBOLS.values():
        assert calendar_of(entry) is (FOREX_WEEK if entry.kind is SymbolKind.FOREX else ALWAYS_OPEN)
    world = build_world(seed=1, today=1_795_000_000.0)
    assert world.calendar("frxXAUUSD") is FOREX_WEEK
    assert world.calendar("R_100") is ALWAYS_OPEN
