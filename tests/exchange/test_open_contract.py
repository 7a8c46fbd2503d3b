"""Contracts between purchase and settlement: ticks missing, late, or equal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from paper_exchange.open_contract import OpenContract
from paper_exchange.pricing import Price
from paper_exchange.terms import Terms
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.symbols import symbol

START = 1_000_000


def contract(kind: str = "CALL", duration: int = 5, unit: str = "t") -> OpenContract:
    terms = Terms(symbol("R_100"), Contract(ContractType(kind), duration, DurationUnit(unit)), "stake", Decimal(10))
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
