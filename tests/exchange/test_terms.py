"""What is offered, in which words it is refused, and how a contract is spelled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from paper_exchange.errors import CallError
from paper_exchange.terms import Terms, parse_terms
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


def parse(**change: Any) -> Terms:
    request = {k: v for k, v in {**BASE, **change}.items() if v is not None}
    return parse_terms(request, SYMBOLS, NOW, "USD")


def code(**change: Any) -> str:
    with pytest.raises(CallError) as caught:
        parse(**change)
    return caught.value.code


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"underlying_symbol": "R_101"}, "OfferingsInvalidSymbol"),
        ({"contract_type": "ONETOUCH", "barrier": "+1"}, "InvalidOfferings"),
        ({"contract_type": "DIGITODD"}, "InvalidOfferings"),
        ({"barrier": "+0.1"}, "InvalidBarrier"),
        ({"barrier2": "-0.1"}, "InvalidBarrier"),
        ({"currency": "EUR"}, "ContractBuyValidationError"),
        ({"amount": None}, "ContractBuyValidationError"),
        ({"basis": None}, "ContractBuyValidationError"),
        ({"duration": None}, "ContractBuyValidationError"),
        ({"multiplier": 10}, "ContractBuyValidationError"),
        ({"date_expiry": NOW + 60}, "ContractBuyValidationError"),
        ({"amount": 10.001}, "RoundingExceedPermittedEpsilon"),
        ({"amount": 1e300}, "StakeLimits"),
        ({"duration": 14}, "TradingDurationNotAllowed"),
        ({"duration": 86_401}, "TradingDurationNotAllowed"),
        ({"duration": 2, "duration_unit": "d"}, "TradingDurationNotAllowed"),
        ({"duration": 0, "duration_unit": "m"}, "TradingDurationNotAllowed"),
        ({"duration": 0, "duration_unit": "t"}, "TicksNumberLimits"),
        ({"duration": 11, "duration_unit": "t"}, "TicksNumberLimits"),
        ({"duration": None, "date_expiry": NOW + 14}, "TradingDurationNotAllowed"),
        ({"duration": None, "date_expiry": NOW - 1}, "TradingDurationNotAllowed"),
    ],
)
def test_refusals(change: dict[str, Any], expected: str) -> None:
    assert code(**change) == expected


@pytest.mark.parametrize(
    ("duration", "unit"), [(15, "s"), (1, "m"), (24, "h"), (1, "d"), (1, "t"), (10, "t"), (86_400, "s")]
)
def test_durations_offered(duration: int, unit: str) -> None:
    assert parse(duration=duration, duration_unit=unit).contract.duration == duration


def test_seconds_are_the_default_unit() -> None:
    assert parse(duration=60, duration_unit=None).contract.unit is DurationUnit.SECONDS


@pytest.mark.parametrize(
    ("change", "longcode", "shortcode"),
    [
        (
            {},
            "Win payout if Volatility 50 Index is strictly higher than entry spot at 15 seconds after contract start "
            "time.",
            f"CALL_R_50_18.83_{NOW}_{NOW + 15}_S0P_0",
        ),
        (
            {"contract_type": "PUTE", "duration": 1, "duration_unit": "m"},
            "Win payout if Volatility 50 Index is lower than or equal to entry spot at 1 minute after contract start "
            "time.",
            f"PUTE_R_50_18.83_{NOW}_{NOW + 60}_S0P_0",
        ),
        (
            {"contract_type": "PUT", "duration": 5, "duration_unit": "t"},
            "Win payout if Volatility 50 Index after 5 ticks is strictly lower than entry spot.",
            f"PUT_R_50_18.83_{NOW}_5T_S0P_0",
        ),
        (
            {"contract_type": "CALLE", "duration": 1, "duration_unit": "t"},
            "Win payout if Volatility 50 Index after 1 tick is higher than or equal to entry spot.",
            f"CALLE_R_50_18.83_{NOW}_1T_S0P_0",
        ),
    ],
)
def test_spelling(change: dict[str, Any], longcode: str, shortcode: str) -> None:
    terms = parse(**change)
    assert terms.longcode == longcode
    assert terms.shortcode(Decimal("18.83"), NOW) == shortcode


def test_whole_payouts_lose_their_decimals_in_a_shortcode() -> None:
    assert parse().shortcode(Decimal("20.00"), NOW).startswith("CALL_R_50_20_")
    assert parse().shortcode(Decimal("19.50"), NOW).startswith("CALL_R_50_19.5_")


def test_a_fixed_end_stays_where_it_is() -> None:
    terms = parse(duration=None, date_expiry=NOW + 60)
    assert terms.shortcode(Decimal(20), NOW + 9) == f"CALL_R_50_20_{NOW + 9}_{NOW + 60}F_S0P_0"
    assert terms.at(NOW + 9) == Contract(ContractType.CALL, 51, DurationUnit.SECONDS)
    with pytest.raises(CallError, match="TradingDurationNotAllowed"):
        terms.at(NOW + 50)
