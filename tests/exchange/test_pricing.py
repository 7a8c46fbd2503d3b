"""Quotes: the ones recorded on the live venue, their limits, and that no contract can be bought with an edge."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from paper_exchange.errors import CallError
from paper_exchange.pricing import bid, probability, quote
from paper_exchange.series import SimulatedSeries
from paper_exchange.terms import Terms
from xtitan_core.contracts import UNIT_SECONDS, Contract, ContractType, DurationUnit, outcomes
from xtitan_core.symbols import symbol

NOW = 1_789_347_036
OBSERVED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "real" / "payouts_observed.csv"


def terms(
    name: str = "R_100",
    kind: str = "CALL",
    duration: int = 5,
    unit: str = "t",
    amount: str = "10",
    basis: str = "stake",
) -> Terms:
    contract = Contract(ContractType(kind), duration, DurationUnit(unit))
    return Terms(symbol(name), contract, basis, Decimal(amount))


@pytest.mark.parametrize(
    ("name", "duration", "unit", "stake", "commission", "payout"),
    [
        ("R_50", 15, "s", "10", 0.0311, "18.83"),
        ("1HZ100V", 5, "t", "34.23", 0.012, "66.87"),
        ("1HZ100V", 5, "t", "10", 0.012, "19.53"),
        ("R_100", 5, "t", "0.35", 0.012, "0.66"),
    ],
)
def test_recorded_payouts(name: str, duration: int, unit: str, stake: str, commission: float, payout: str) -> None:
    price = quote(terms(name, "CALL", duration, unit, stake), 640.0, NOW, commission)
    assert (price.ask, price.payout) == (Decimal(stake), Decimal(payout))


def test_observed_at_the_money_payouts_are_reproduced_within_their_rounding() -> None:
    if not OBSERVED.exists():
        pytest.skip("the observed payouts are not beside this checkout")
    checked = 0
    for row in csv.DictReader(OBSERVED.read_text().splitlines()):
        fits = row["contract_type"] in ("CALL", "PUT") and not row["barrier"] and row["commission"]
        if not fits or row["symbol"] not in ("R_10", "R_25", "R_50", "R_75", "R_100", "1HZ100V"):
            continue
        seconds = int(row["duration"]) * {str(k): v for k, v in UNIT_SECONDS.items()}.get(row["duration_unit"], 1)
        if row["duration_unit"] == "t" or not 15 <= seconds <= 86_400:
            continue
        contract = terms(row["symbol"], row["contract_type"], seconds, "s", row["stake"])
        price = quote(contract, 640.0, NOW, float(row["commission"]))
        # The commission column is rounded to four decimals, worth half a cent at a payout of twenty.
        assert abs(price.payout - Decimal(row["payout"])) <= Decimal("0.01"), row
        checked += 1
    assert checked >= 10


def test_payout_basis_asks_the_stake() -> None:
    price = quote(terms(amount="20", basis="payout"), 640.0, NOW, 0.012)
    assert (price.ask, price.payout) == (Decimal("10.24"), Decimal("20"))


@pytest.mark.parametrize(
    ("amount", "basis", "commission", "code"),
    [
        ("0.34", "stake", 0.012, "StakeLimits"),
        ("0", "stake", 0.012, "StakeLimits"),
        ("0.5", "payout", 0.012, "StakeLimits"),
        ("6000", "stake", 0.012, "PayoutLimits"),
        ("10000.01", "payout", 0.012, "PayoutLimits"),
        ("10", "stake", 0.6, "ContractBuyValidationError"),
        ("10", "payout", 0.6, "ContractBuyValidationError"),
    ],
)
def test_limits(amount: str, basis: str, commission: float, code: str) -> None:
    with pytest.raises(CallError) as caught:
        quote(terms(amount=amount, basis=basis), 640.0, NOW, commission)
    assert caught.value.code == code


@pytest.mark.parametrize("kind", ["CALL", "PUT", "CALLE", "PUTE"])
@pytest.mark.parametrize("duration", [1, 5])
def test_nobody_beats_the_house_on_a_fair_market(kind: str, duration: int) -> None:
    contract = terms("R_100", kind, duration)
    ticks = SimulatedSeries(symbol("R_100"), 11, 1_772_409_600)
    epochs, quotes = ticks.between(1_772_409_600, 1_772_409_600 + 4 * 86_400)
    won, known, _ = outcomes(contract.contract, epochs[::3], epochs, quotes, 2)
    fair = probability(contract, float(quotes.mean()), NOW)
    n = int(known.sum())
    error = (0.25 / n * duration) ** 0.5
    rate = won[known].mean()
    ties = kind in ("CALLE", "PUTE")
    # CALL and PUT are priced without credit for ties, so they win a little less than the price says.
    tied = float(np.mean(quotes[1:] == quotes[:-1]))
    assert fair - (0 if ties else tied) - 4 * error < rate < fair + 4 * error
    price = quote(contract, float(quotes.mean()), NOW, 0.012)
    assert rate * float(price.payout / price.ask) < 1 + 8 * error - 0.01


def test_bid_is_payout_times_probability_less_commission() -> None:
    def value(spot: float, left: float, rise: bool = True) -> Decimal:
        return bid(
            symbol("R_50"), rise=rise, payout=Decimal("18.83"), commission=0.0311, spot=spot, barrier=92.0252, left=left
        )

    assert value(92.0252, 13) == Decimal("8.83")
    assert value(92.0252, 13) < value(92.03, 13) < value(92.06, 13)
    assert value(92.03, 13, rise=False) < Decimal("8.83")
    assert value(93.0, 0) == (Decimal("18.83") * Decimal("0.9689")).quantize(Decimal("0.01"))
    assert value(91.0, 0) == 0
