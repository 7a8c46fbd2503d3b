"""Scripted faults."""

from __future__ import annotations

import pytest

from paper_exchange.errors import SetupError
from paper_exchange.faults import Faults


def test_the_nth_buy_from_now_and_only_it() -> None:
    faults = Faults()
    assert not faults.holds_this_buy()
    faults.script("hold_buy_answer", 3)
    assert [faults.holds_this_buy() for _ in range(6)] == [False, False, True, False, False, False]
    faults.script("hold_buy_answer", 1)
    assert faults.holds_this_buy()


@pytest.mark.parametrize(("fault", "after"), [("explode", 1), ("hold_buy_answer", 0)])
def test_unknown_faults_and_counts_are_refused(fault: str, after: int) -> None:
    with pytest.raises(SetupError):
        Faults().script(fault, after)
