"""The 337 payouts recorded on Deriv from 2017 to 2026, repriced with one commission per date, symbol, type, duration."""

from __future__ import annotations

from collections import Counter

import pytest

from drills.payouts import OBSERVED, Unmatched, Verdict, reprice


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    if not OBSERVED.exists():
        pytest.skip("the observed payouts are not beside this checkout")
    return reprice(OBSERVED)


def test_323_of_337_match_to_the_cent_and_the_others_are_explained(verdicts: list[Verdict]) -> None:
    assert len(verdicts) == 337
    left = Counter(verdict.reason for verdict in verdicts if not verdict.matched)
    assert left == {
        Unmatched.NOT_OFFERED: 5,
        Unmatched.FOREX_FORWARD: 8,
        Unmatched.SPOT_UNKNOWN: 1,
    }
