"""What is offered and for how long, in which words it is refused, and when a contract ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from paper_exchange.contracts.terms import Terms, named_symbol, parse_terms
from paper_exchange.errors import CallError
from paper_exchange.markets.calendar import calendar_of
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.symbols import SYMBOLS

NOW = 1_789_347_036
BASE = {
    "amount": 10,
    "basis": "stake",
    "contract_type": "CALL",
    "currency": "USD",
    "duration": 15,
    "duration_unit": "s",
    "underlying_symbol": "R_50",
}


SPOT = 92.0305


def parse(at: int = NOW, **change: Any) -> Terms:
    request = {k: v for k, v in {**BASE, **change}.items() if v is not None}
    asked = named_symbol(request, SYMBOLS)
    spot = SPOT if asked.name == "R_50" else asked.initial_price
    return parse_terms(request, asked, at, "USD", spot=spot, calendar=calendar_of(asked))


def refusal(at: int = NOW, **change: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        parse(at, **change)
    return caught.value


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"underlying_symbol": "R_101"}, "OfferingsInvalidSymbol"),
        ({"underlying_symbol": "BOOM500"}, "OfferingsInvalidSymbol"),
        ({"contract_type": "ASIANU"}, "InvalidOfferings"),
        ({"contract_type": "MULTUP"}, "InvalidOfferings"),
        ({"contract_type": "ONETOUCH", "underlying_symbol": "JD25", "barrier": "+1"}, "InvalidOfferings"),
        ({"contract_type": "DIGITODD", "underlying_symbol": "frxEURUSD"}, "InvalidOfferings"),
        ({"currency": "EUR"}, "ContractBuyValidationError"),
        ({"amount": None}, "ContractBuyValidationError"),
        ({"basis": None}, "ContractBuyValidationError"),
        ({"duration": None}, "ContractBuyValidationError"),
        ({"multiplier": 10}, "ContractBuyValidationError"),
        ({"date_expiry": NOW + 60}, "DuplicateExpiry"),
        ({"amount": 10.001}, "RoundingExceedPermittedEpsilon"),
        ({"amount": 1e300}, "StakeLimits"),
        ({"duration": 14}, "TradingDurationNotAllowed"),
        ({"duration": 86_401}, "TradingDurationNotAllowed"),
        ({"duration": 366, "duration_unit": "d"}, "TradingDurationNotAllowed"),
        ({"duration": 1, "duration_unit": "d", "underlying_symbol": "JD25"}, "TradingDurationNotAllowed"),
        ({"duration": 14, "duration_unit": "m", "underlying_symbol": "frxEURUSD"}, "TradingDurationNotAllowed"),
        ({"duration": 5, "duration_unit": "t", "underlying_symbol": "frxEURUSD"}, "TradingDurationNotAllowed"),
        ({"duration": 0, "duration_unit": "m"}, "TradingDurationNotAllowed"),
        ({"duration": 0, "duration_unit": "t"}, "TicksNumberLimits"),
        ({"duration": 11, "duration_unit": "t"}, "TicksNumberLimits"),
        ({"duration": None, "date_expiry": NOW + 14}, "TradingDurationNotAllowed"),
        ({"duration": None, "date_expiry": NOW}, "SameExpiryStartTime"),
        ({"duration": None, "date_expiry": NOW - 1}, "PastExpiryTime"),
    ],
)
def test_refusals(change: dict[str, Any], expected: str) -> None:
    assert refusal(**change).code == expected


@pytest.mark.parametrize(
    ("duration", "unit"), [(15, "s"), (1, "m"), (24, "h"), (1, "d"), (365, "d"), (1, "t"), (10, "t"), (86_400, "s")]
)
def test_durations_offered(duration: int, unit: str) -> None:
    assert parse(duration=duration, duration_unit=unit).contract.duration == duration


def test_seconds_are_the_default_unit() -> None:
    assert parse(duration=60, duration_unit=None).contract.unit is DurationUnit.SECONDS


def test_a_fixed_end_stays_where_it_is() -> None:
    terms = parse(duration=None, date_expiry=NOW + 60)
    assert terms.shortcode(Decimal(20), NOW + 9) == f"CALL_R_50_20_{NOW + 9}_{NOW + 60}F_S0P_0"
    assert terms.at(NOW + 9, SPOT) == Contract(ContractType.CALL, 51, DurationUnit.SECONDS)
    with pytest.raises(CallError, match="TradingDurationNotAllowed"):
        terms.at(NOW + 50, SPOT)


@pytest.mark.parametrize(("kind", "least"), [("HIGHER", 5), ("ONETOUCH", 5), ("DIGITODD", 1)])
def test_ticks_are_refused_in_the_recorded_words(kind: str, least: int) -> None:
    barrier = None if kind == "DIGITODD" else "+0.1"
    error = refusal(contract_type=kind, duration=11, duration_unit="t", barrier=barrier)
    assert (error.code, error.message) == ("TicksNumberLimits", f"Number of ticks must be between {least} and 10")
    assert parse(contract_type=kind, duration=least, duration_unit="t", barrier=barrier).contract.duration == least


@pytest.mark.parametrize("kind", ["ONETOUCH", "NOTOUCH", "RANGE", "UPORDOWN", "EXPIRYRANGE", "EXPIRYMISSE"])
def test_types_with_a_path_or_two_barriers_start_at_two_minutes(kind: str) -> None:
    barriers: dict[str, Any] = {"barrier": "+1", "barrier2": None if "TOUCH" in kind else "-1"}
    error = refusal(contract_type=kind, duration=119, **barriers)
    assert error.message == "Trading is not offered for this duration."
    assert parse(contract_type=kind, duration=2, duration_unit="m", **barriers).contract.seconds == 120


DAY_START = NOW // 86_400 * 86_400


@pytest.mark.parametrize("days", [1, 7, 365])
def test_a_contract_of_days_ends_with_the_trading_day(days: int) -> None:
    terms = parse(duration=days, duration_unit="d")
    end = DAY_START + (days + 1) * 86_400 - 1
    assert terms.end(NOW) == end
    assert terms.at(NOW, SPOT) == Contract(ContractType.CALL, end - NOW, DurationUnit.SECONDS)
    tomorrow = terms.restamped(NOW + 86_400)
    assert tomorrow.end(NOW + 86_400) == end + 86_400
    assert tomorrow.longcode != terms.longcode


def test_days_of_24_hours_can_be_simulated() -> None:
    asked = named_symbol(BASE, SYMBOLS)
    request = {**BASE, "duration": 2, "duration_unit": "d"}
    terms = parse_terms(request, asked, NOW, "USD", spot=SPOT, rolling_days=True)
    assert terms.end(NOW) == NOW + 2 * 86_400
    assert terms.at(NOW, SPOT).seconds == 2 * 86_400


def test_an_end_more_than_a_day_away_must_end_a_trading_day() -> None:
    end = DAY_START + 3 * 86_400 - 1
    assert parse(duration=None, date_expiry=end).at(NOW, SPOT).seconds == end - NOW
    assert refusal(duration=None, date_expiry=end - 1).code == "TradingDayEndExpiry"
    assert refusal(duration=None, date_expiry=end + 400 * 86_400).code == "TradingDurationNotAllowed"


MONDAY = 1_789_344_000 - 1_789_344_000 % 604_800 + 4 * 86_400
"""A Monday, 00:00 UTC."""
EURO = {"underlying_symbol": "frxEURUSD", "duration_unit": "m"}
GOLD = {"underlying_symbol": "frxXAUUSD", "duration_unit": "m"}


@pytest.mark.parametrize(
    ("at", "change", "code", "message"),
    [
        (MONDAY - 3_600, {**EURO, "duration": 15}, "MarketIsClosed", "This market is presently closed."),
        (
            MONDAY + 22 * 3_600, {**EURO, "duration": 15}, "TradingSuspendedSpecificHours",
            "Trading on forex contracts with duration less than 5 hours is not available from 21:00:00 to 23:59:59",
        ),
        (
            MONDAY + 22 * 3_600, {**GOLD, "duration": 5}, "TradingNotAvailable",
            "Trading is not available from 21:00:00 to 23:59:59.",
        ),
        (
            MONDAY + 20 * 3_600, {**EURO, "duration": 241}, "SameTradingDayExpiry",
            "Contracts on this market with a duration of under 24 hours must expire on the same trading day.",
        ),
        (MONDAY, {**EURO, "duration": 14}, "TradingDurationNotAllowed", "Trading is not offered for this duration."),
        (MONDAY, {**GOLD, "duration": 4}, "TradingDurationNotAllowed", "Trading is not offered for this duration."),
    ],
)  # fmt: skip
def test_forex_and_gold_keep_hours(at: int, change: dict[str, Any], code: str, message: str) -> None:
    error = refusal(at, **change)
    assert (error.code, error.message) == (code, message)


def test_forex_and_gold_in_their_hours() -> None:
    assert parse(MONDAY, **EURO | {"duration": 15}).contract.seconds == 900
    assert parse(MONDAY, **GOLD | {"duration": 5}).contract.seconds == 300
    daily = parse(MONDAY + 3 * 86_400, **EURO | {"duration": 1, "duration_unit": "d"})
    assert daily.end(MONDAY + 3 * 86_400) == MONDAY + 4 * 86_400 + 20 * 3_600 + 55 * 60, "Friday closes early"
