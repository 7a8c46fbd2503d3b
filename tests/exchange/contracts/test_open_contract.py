"""Contracts between purchase and settlement: ticks missing, late, or equal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.pricing import Price
from paper_exchange.contracts.terms import Terms
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.symbols import symbol

START = 1_000_000


def contract(kind: str = "CALL", duration: int = 5, unit: str = "t", **conditions: Any) -> OpenContract:
    terms_of = Contract(ContractType(kind), duration, DurationUnit(unit), **conditions)
    terms = Terms(symbol("R_100"), terms_of, "stake", Decimal(10), START)
    price = Price(Decimal("10.00"), Decimal("19.53"), 0.5)
    return OpenContract(1, 2, "DOT90000001", terms, terms.contract, price, 0.012, START, 640.0, START)


def run(bought: OpenContract, ticks: list[tuple[int, float]]) -> int | None:
    """Feed ticks; epoch (relative to the start) at which the contract was over."""
    for second, quote in ticks:
        if bought.on_tick(START + second, quote):
            return second
    return None


def test_five_ticks_count_from_the_entry() -> None:
    bought = contract()
    assert run(bought, [(2 * k, 640.0 + k) for k in range(1, 9)]) == 12
    assert bought.entry == (START + 2, 641.0)
    assert bought.settlement is not None
    assert (bought.settlement.exit_epoch, bought.settlement.won) == (START + 12, True)
    assert bought.proceeds() == Decimal("19.53")


@pytest.mark.parametrize(("kind", "pays"), [("CALL", "0"), ("PUT", "0"), ("CALLE", "19.53"), ("PUTE", "19.53")])
def test_ties(kind: str, pays: str) -> None:
    bought = contract(kind, 1)
    assert run(bought, [(2, 640.0), (4, 640.0)]) == 4
    assert bought.proceeds() == Decimal(pays)


def test_missing_ticks_only_delay_a_tick_contract() -> None:
    bought = contract(duration=2)
    assert run(bought, [(40, 640.0), (90, 640.5), (200, 641.0)]) == 200
    assert bought.proceeds() == Decimal("19.53")


@pytest.mark.parametrize("ticks", [[(2, 640.0), (302, 641.0)], [(301, 640.0)], [(2, 640.0), (4, 641.0), (301, 642.0)]])
def test_a_tick_contract_not_over_in_five_minutes_is_refunded(ticks: list[tuple[int, float]]) -> None:
    bought = contract(duration=2)
    assert run(bought, ticks) == ticks[-1][0]
    assert bought.settlement is not None
    assert bought.settlement.won is None
    assert bought.proceeds() == Decimal("10.00")


def test_seconds_exit_on_the_last_tick_at_or_before_the_end() -> None:
    bought = contract("PUT", 15, "s")
    ticks = [(2, 640.0), (4, 641.0), (14, 639.0), (16, 650.0)]
    assert run(bought, ticks) == 16
    assert bought.settlement is not None
    assert (bought.settlement.exit_epoch, bought.settlement.exit) == (START + 14, 639.0)
    on_the_second = contract("PUT", 16, "s")
    assert run(on_the_second, [(2, 640.0), (16, 639.0), (18, 650.0)]) == 18
    assert on_the_second.settlement is not None
    assert on_the_second.settlement.exit_epoch == START + 16


@pytest.mark.parametrize("ticks", [[(16, 641.0)], [(4, 640.0), (18, 641.0)]])
def test_fewer_than_two_ticks_refund_the_stake(ticks: list[tuple[int, float]]) -> None:
    bought = contract(duration=15, unit="s")
    assert run(bought, ticks) == ticks[-1][0]
    assert bought.proceeds() == Decimal("10.00")
    assert bought.status == "open"
    bought.sold_for = bought.proceeds()
    assert bought.status == "cancelled"


def test_expected_end_of_a_tick_contract_follows_what_is_known() -> None:
    bought = contract()
    assert bought.end == START + 12
    bought.on_tick(START + 6, 640.0)
    assert bought.end == START + 16


@pytest.mark.parametrize(
    ("kind", "won"), [("ONETOUCH", True), ("NOTOUCH", False), ("UPORDOWN", True), ("RANGE", False)]
)
def test_a_path_contract_is_over_with_the_tick_that_reaches_a_barrier(kind: str, won: bool) -> None:
    barriers = {"barrier": 1.0} if kind.endswith("TOUCH") else {"barrier": 1.0, "barrier2": -1.0}
    bought = contract(kind, 2, "m", **barriers)
    before = bought.levels
    assert before == (None, None)
    assert run(bought, [(2, 641.0), (4, 640.5), (6, 641.99), (8, 642.0), (10, 640.0)]) == 8
    assert bought.levels[0] == 642.0
    assert bought.settlement is not None
    assert (bought.settlement.won, bought.settlement.exit_epoch) == (won, START + 8)
    assert bought.exit == (START + 8, 642.0)


@pytest.mark.parametrize(
    ("kind", "won"), [("ONETOUCH", False), ("NOTOUCH", True), ("UPORDOWN", False), ("RANGE", True)]
)
def test_one_that_reaches_none_waits_for_its_end(kind: str, won: bool) -> None:
    barriers = {"barrier": 1.0} if kind.endswith("TOUCH") else {"barrier": 1.0, "barrier2": -1.0}
    bought = contract(kind, 2, "m", **barriers)
    assert run(bought, [(2, 641.0), (4, 640.5), (120, 641.5), (122, 650.0)]) == 122
    assert bought.settlement is not None
    assert (bought.settlement.won, bought.settlement.exit_epoch) == (won, START + 120)


def test_a_level_counts_from_the_entry_tick_on() -> None:
    below = contract("ONETOUCH", 5, "t", barrier=639.0, absolute=True, below=True)
    assert below.levels == (None, 639.0)
    assert run(below, [(2, 638.9)]) == 2
    assert below.proceeds() == Decimal("19.53")
    above = contract("ONETOUCH", 5, "t", barrier=641.0, absolute=True, below=False)
    assert run(above, [(2 * k, 640.0) for k in range(1, 9)]) == 12
    assert above.proceeds() == Decimal("0.00")


def test_digits_count_the_entry_as_the_first_tick() -> None:
    bought = contract("DIGITMATCH", 3, "t", digit=7)
    assert bought.end == START + 6
    assert run(bought, [(2, 640.01), (4, 640.02), (6, 640.07), (8, 640.0)]) == 6
    assert bought.proceeds() == Decimal("19.53")


def test_a_contract_sold_back_says_so() -> None:
    bought = contract("CALL", 60, "s")
    run(bought, [(2, 640.0), (4, 641.0)])
    bought.resale, bought.sold_for = (START + 4, 641.0), Decimal("12.00")
    assert (bought.status, bought.exit) == ("sold", (START + 4, 641.0))
