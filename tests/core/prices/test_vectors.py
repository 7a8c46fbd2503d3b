"""Probabilities against 196 published rows: closed forms checked with QuantLib, discrete monitoring by quadrature."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from xtitan_core.contracts import PATH, ContractType
from xtitan_core.prices import EXACT_BELOW_TICKS, fair_probability
from xtitan_core.symbols import SECONDS_PER_YEAR

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "option_pricing_extended.csv"
BGK_ERROR = {60: 2e-3, 150: 7e-4, 300: 4e-4, 450: 3e-4, 900: 2e-4}
"""Error of the shifted closed form itself, by ticks monitored."""

CALL_AND_PUT_AT_A_STRIKE = {ContractType.CALL: ContractType.HIGHER, ContractType.PUT: ContractType.LOWER}


@dataclass(frozen=True)
class Row:
    kind: ContractType
    ticks: int
    arguments: dict[str, float | None]
    continuous: float
    bgk: float
    discrete: float


def rows() -> list[Row]:
    if not VECTORS.exists():
        pytest.skip("the pricing vectors are not on this machine")

    def optional(text: str) -> float | None:
        return float(text) if text else None

    found = []
    with VECTORS.open() as f:
        for r in csv.DictReader(f):
            step, kind = int(r["tick_seconds"]), ContractType(r["contract"])
            arguments = {
                "sigma_tick": float(r["sigma_annual"]) * math.sqrt(step / SECONDS_PER_YEAR),
                "ticks": int(r["seconds"]) // step,
                "upper": optional(r["barrier_hi"]),
                "lower": optional(r["barrier_lo"]),
                "spot": float(r["spot"]),
                "pip": 0.0,
            }
            figures = (float(r[name]) for name in ("p_continuous", "p_bgk", "p_discrete_quadrature"))
            found.append(Row(CALL_AND_PUT_AT_A_STRIKE.get(kind, kind), int(r["seconds"]) // step, arguments, *figures))
    return found


def test_every_continuous_probability_is_within_1e_11() -> None:
    found = rows()
    assert len(found) == 196
    for row in found:
        p = fair_probability(row.kind, monitoring="continuous", **row.arguments)
        assert p == pytest.approx(row.continuous, abs=1e-11), row


def test_contracts_that_look_at_the_end_alone_do_not_depend_on_the_monitoring() -> None:
    for row in rows():
        if row.kind not in PATH:
            assert fair_probability(row.kind, **row.arguments) == pytest.approx(row.discrete, abs=1e-11), row


def test_below_sixty_ticks_the_recursion_is_exact() -> None:
    chosen = [row for row in rows() if row.kind in PATH and row.ticks < EXACT_BELOW_TICKS]
    assert {row.ticks for row in chosen} == {5}
    for row in chosen:
        assert fair_probability(row.kind, **row.arguments) == pytest.approx(row.discrete, abs=1e-9), row


@pytest.mark.parametrize("ticks", BGK_ERROR)
def test_from_sixty_ticks_on_shifted_barriers_err_by_no_more_than_their_own_error(ticks: int) -> None:
    chosen = [row for row in rows() if row.kind in PATH and row.ticks == ticks]
    assert chosen
    for row in chosen:
        p = fair_probability(row.kind, **row.arguments)
        assert p == pytest.approx(row.bgk, abs=1e-11), row
        assert p == pytest.approx(row.discrete, abs=BGK_ERROR[ticks]), row


def test_a_continuous_formula_would_give_away_more_than_ten_points() -> None:
    worst = max(abs(row.continuous - row.discrete) for row in rows() if row.kind in PATH)
    assert worst == pytest.approx(0.116, abs=5e-4)
