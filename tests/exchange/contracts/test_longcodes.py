"""How contracts are spelled: the sentence for a person and the compact name for a program."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from paper_exchange.contracts.terms import Terms, parse_terms
from xtitan_core.symbols import symbol

NOW = 1_789_347_036
"""2026-09-14 00:50:36 UTC."""


def terms(**change: Any) -> Terms:
    request = {"amount": 10, "basis": "stake", "currency": "USD", "duration_unit": "s", **change}
    return parse_terms(request, symbol("R_100"), NOW, "USD", spot=640.0)


NAME = "Win payout if Volatility 100 Index"


@pytest.mark.parametrize(
    ("change", "longcode", "shortcode"),
    [
        (
            {"contract_type": "CALL", "duration": 15},
            "is strictly higher than entry spot at 15 seconds after contract start time.",
            f"CALL_R_100_18.83_{NOW}_{NOW + 15}_S0P_0",
        ),
        (
            {"contract_type": "CALL", "date_expiry": NOW + 600},
            "is strictly higher than entry spot at 2026-09-14 01:00:36 GMT.",
            f"CALL_R_100_18.83_{NOW}_{NOW + 600}F_S0P_0",
        ),
        (
            {"contract_type": "PUTE", "duration": 1, "duration_unit": "m"},
            "is lower than or equal to entry spot at 1 minute after contract start time.",
            f"PUTE_R_100_18.83_{NOW}_{NOW + 60}_S0P_0",
        ),
        (
            {"contract_type": "PUT", "duration": 5, "duration_unit": "t"},
            "after 5 ticks is strictly lower than entry spot.",
            f"PUT_R_100_18.83_{NOW}_5T_S0P_0",
        ),
        (
            {"contract_type": "CALLE", "duration": 1, "duration_unit": "t"},
            "after 1 tick is higher than or equal to entry spot.",
            f"CALLE_R_100_18.83_{NOW}_1T_S0P_0",
        ),
        (
            {"contract_type": "CALL", "duration": 3, "duration_unit": "d"},
            "is strictly higher than entry spot at close on 2026-09-17.",
            f"CALL_R_100_18.83_{NOW}_1789689599_S0P_0",
        ),
        (
            {"contract_type": "HIGHER", "duration": 15, "duration_unit": "m", "barrier": "+0.1"},
            "is strictly higher than entry spot plus 0.10 at 15 minutes after contract start time.",
            f"CALL_R_100_18.83_{NOW}_{NOW + 900}_S10P_0",
        ),
        (
            {"contract_type": "LOWER", "duration": 5, "duration_unit": "t", "barrier": "-0.25"},
            "after 5 ticks is strictly lower than entry spot minus 0.25.",
            f"PUT_R_100_18.83_{NOW}_5T_S-25P_0",
        ),
        (
            {"contract_type": "HIGHER", "duration": 3, "duration_unit": "d", "barrier": "650"},
            "is strictly higher than 650.00 at close on 2026-09-17.",
            f"CALL_R_100_18.83_{NOW}_1789689599_650000000_0",
        ),
        (
            {"contract_type": "ONETOUCH", "duration": 2, "duration_unit": "m", "barrier": "+20"},
            "touches entry spot plus 20.00 through 2 minutes after contract start time.",
            f"ONETOUCH_R_100_18.83_{NOW}_{NOW + 120}_S2000P_0",
        ),
        (
            {"contract_type": "NOTOUCH", "duration": 5, "duration_unit": "t", "barrier": "+0.5"},
            "does not touch entry spot plus 0.50 through 5 ticks after first tick.",
            f"NOTOUCH_R_100_18.83_{NOW}_5T_S50P_0",
        ),
        (
            {"contract_type": "EXPIRYMISS", "duration": 2, "duration_unit": "m", "barrier": "+10", "barrier2": "-5"},
            "ends outside entry spot minus 5.00 to entry spot plus 10.00 at 2 minutes after contract start time.",
            f"EXPIRYMISS_R_100_18.83_{NOW}_{NOW + 120}_S1000P_S-500P",
        ),
        (
            {
                "contract_type": "EXPIRYRANGE",
                "duration": 9,
                "duration_unit": "d",
                "barrier": "650",
                "barrier2": "630.5",
            },
            "ends strictly between 630.50 to 650.00 at close on 2026-09-23.",
            f"EXPIRYRANGE_R_100_18.83_{NOW}_1790207999_650000000_630500000",
        ),
        (
            {"contract_type": "RANGE", "duration": 2, "duration_unit": "h", "barrier": "+10", "barrier2": "-5"},
            "stays between entry spot minus 5.00 to entry spot plus 10.00 through 2 hours after contract start time.",
            f"RANGE_R_100_18.83_{NOW}_{NOW + 7_200}_S1000P_S-500P",
        ),
        (
            {"contract_type": "UPORDOWN", "duration": 2, "duration_unit": "m", "barrier": "+2", "barrier2": "-5"},
            "goes outside entry spot minus 5.00 and entry spot plus 2.00 through 2 minutes after contract start time.",
            f"UPORDOWN_R_100_18.83_{NOW}_{NOW + 120}_S200P_S-500P",
        ),
    ],
)
def test_spelling(change: dict[str, Any], longcode: str, shortcode: str) -> None:
    spelled = terms(**change)
    assert spelled.longcode == f"{NAME} {longcode}"
    assert spelled.shortcode(Decimal("18.83"), NOW) == shortcode


@pytest.mark.parametrize(
    ("kind", "digit", "said", "short"),
    [
        ("DIGITMATCH", "4", "4", "_4_0"),
        ("DIGITDIFF", "4", "not 4", "_4_0"),
        ("DIGITOVER", "5", "strictly higher than 5", "_5_0"),
        ("DIGITUNDER", "7", "strictly lower than 7", "_7_0"),
        ("DIGITODD", None, "odd", ""),
        ("DIGITEVEN", None, "even", ""),
    ],
)
def test_digits(kind: str, digit: str | None, said: str, short: str) -> None:
    prediction = {} if digit is None else {"barrier": digit}
    spelled = terms(contract_type=kind, duration=1, duration_unit="t", **prediction)
    assert spelled.longcode == f"Win payout if the last digit of Volatility 100 Index is {said} after 1 ticks."
    assert spelled.shortcode(Decimal("83.33"), NOW) == f"{kind}_R_100_83.33_{NOW}_1T{short}"


def test_whole_payouts_lose_their_decimals_in_a_shortcode() -> None:
    plain = terms(contract_type="CALL", duration=15)
    assert plain.shortcode(Decimal("20.00"), NOW).startswith("CALL_R_100_20_")
    assert plain.shortcode(Decimal("19.50"), NOW).startswith("CALL_R_100_19.5_")
