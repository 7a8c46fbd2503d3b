"""The money path under the exchange's seeded faults: lives that once ended badly, and that an ended program is seen.

The full drill is ``make drill ARGS=faults``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drills.faults import live
from live_runner.reconcile.statement import cash_row


@pytest.mark.parametrize("seed", [38, 65, 2])  # a skewed opening, a row before the opening, endless integers
def test_lives_that_once_halted_or_crashed_go_on_to_the_end(seed: int, tmp_path: Path) -> None:
    life = live(seed, 0.08, tmp_path)
    assert life.violations == []
    assert not life.halted
    assert sum(life.fired.values()) > 20


def test_an_exception_that_would_end_the_program_is_a_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = 0

    def fifth_is_too_large(row: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == 5:
            raise OverflowError("int too large to convert to float")
        return cash_row(row)

    monkeypatch.setattr("drills.faults.cash_row", fifth_is_too_large)
    life = live(4, 0.01, tmp_path)
    assert life.violations == ["the program ended 1 times: OverflowError: int too large to convert to float"]
