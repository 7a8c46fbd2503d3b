"""On a fair market nobody wins: the proof in a reduced form, the law it rests on, and four houses it must catch."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from drills import long_paths
from drills.fair import Table, lowest_commission, show, tabulate, tabulate_resale
from drills.fair_cases import chance_of, law_of
from drills.fair_forex import show as show_forex
from drills.fair_forex import simulated
from drills.rounded_law import Law
from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.pricing import Price, quote
from paper_exchange.contracts.terms import Terms
from xtitan_core.contracts import PATH, ContractType
from xtitan_core.prices import bid_for_payout, fair_probability
from xtitan_core.randomness import stream
from xtitan_core.symbols import SYMBOLS

T = ContractType
R_100, FAST, JUMPS = SYMBOLS["R_100"], SYMBOLS["1HZ100V"], SYMBOLS["JD100"]
LONGEST = 70
"""Looks of the longest path: past the hand-over from the recursion to the shifted closed form."""


@pytest.fixture(scope="module")
def table() -> Table:
    return tabulate([(R_100, 640.0), (JUMPS, JUMPS.initial_price)], longest=LONGEST)


def test_no_family_duration_or_side_has_a_positive_expected_value(table: Table, capsys) -> None:
    assert show(table)
    assert "player wins" not in capsys.readouterr().out
    sides = {side for _, _, side in table}
    assert sides == {t.value for t in T}
    for expiry in ("tick", "intraday", "daily"):
        assert ("callput", expiry, "CALL") in table
    assert {("touchnotouch", "tick", "NOTOUCH"), ("staysinout", "intraday", "RANGE")} <= set(table)


def test_the_house_takes_what_it_says_and_little_more(table: Table) -> None:
    # The best price of each row is near the commission, or the proof would be about a house that nobody buys from.
    for row in table.values():
        assert -0.1 < row.value < -0.005


def test_no_bid_is_above_what_the_contract_is_worth() -> None:
    resale = tabulate_resale([(R_100, 640.0), (R_100, 32.0), (JUMPS, JUMPS.initial_price)])
    assert show(resale)
    assert len(resale) == 14


def winners(table: Table) -> set[str]:
    return {side for (_, _, side), row in table.items() if row.value > 0}


def test_a_house_that_prices_as_if_it_watched_all_the_time_is_caught(capsys) -> None:
    def continuous(terms: Terms, spot: float, now: int, commission: float) -> Price:
        return quote(terms, spot, now, commission, "continuous")

    found = tabulate([(R_100, 640.0)], continuous, LONGEST)
    assert winners(found) == {"NOTOUCH", "RANGE"}
    assert found["touchnotouch", "tick", "NOTOUCH"].value > 0.1
    assert not show(found)
    assert "<-- the player wins" in capsys.readouterr().out


def test_a_house_that_gives_ties_away_is_caught() -> None:
    def generous(terms: Terms, spot: float, now: int, commission: float) -> Price:
        kind = {T.CALLE: T.CALL, T.PUTE: T.PUT}.get(terms.contract.contract_type, terms.contract.contract_type)
        return quote(replace(terms, contract=replace(terms.contract, contract_type=kind)), spot, now, commission)

    assert winners(tabulate([(FAST, 700.0)], generous, LONGEST)) == {"CALLE", "PUTE"}


def test_a_house_that_forgets_the_way_to_the_entry_tick_is_caught() -> None:
    def forgetful(terms: Terms, spot: float, now: int, commission: float) -> Price:
        if terms.contract.absolute and terms.contract.in_ticks:
            terms = replace(terms, contract=replace(terms.contract, duration=terms.contract.duration - 1))
        return quote(terms, spot, now, commission)

    assert "ONETOUCH" in winners(tabulate([(R_100, 640.0)], forgetful, LONGEST))


def test_a_house_whose_bids_overlook_ties_is_caught() -> None:
    def plain(contract: OpenContract, now: int, last: float) -> Decimal:
        kind, end = contract.contract.contract_type, contract.start + contract.contract.seconds
        upper = contract.quotes[0] if contract.contract.barrier is None else contract.contract.barrier
        below = contract.contract.below
        p = fair_probability(
            kind,
            sigma_tick=R_100.tick_sigma,
            ticks=(end - now) // 2,
            upper=None if below else upper,
            lower=upper if below else contract.contract.barrier2,
            spot=last,
            pip=0.01,
            levels="plain",
        )
        return bid_for_payout(contract.price.payout, p, contract.commission)

    assert winners(tabulate_resale([(R_100, 640.0)], plain)) == set()
    assert {"CALL", "PUT", "RANGE"} <= winners(tabulate_resale([(R_100, 32.0)], plain))


@pytest.mark.parametrize("levels", [(64_300,), (63_700,), (64_400, 63_650)])
def test_the_bounds_of_long_paths_lie_above_the_odds_and_near_them(levels: tuple[int, ...], monkeypatch) -> None:
    monkeypatch.setattr(long_paths, "SPARSE_LOOKS", 200)
    monkeypatch.setattr(long_paths, "CLOSE_LOOKS", 100)
    law, looks = law_of(R_100), 1_000
    for kind in (T.RANGE, T.UPORDOWN) if len(levels) == 2 else (T.NOTOUCH, T.ONETOUCH):
        bound, odds = (f(kind, law, 64_000, looks, levels) for f in (long_paths.at_most, chance_of))
        assert odds < bound < odds + 2 * 0.6 / math.sqrt(200)


def test_a_house_that_gives_a_little_of_a_year_away_is_caught() -> None:
    def generous(terms: Terms, spot: float, now: int, commission: float) -> Price:
        return quote(terms, spot, now, 0.0 if terms.contract.contract_type in PATH else commission)

    table = tabulate([(SYMBOLS["R_75"], 34_000.0)], generous, durations={"daily": ((365, "d"),)})
    assert {"ONETOUCH", "NOTOUCH"} <= winners(table) <= {t.value for t in PATH}


def test_forex_is_simulated_and_a_house_that_pays_too_much_is_caught(capsys) -> None:
    def generous(terms: Terms, spot: float, now: int, commission: float) -> Price:
        price = quote(terms, spot, now, commission)
        return replace(price, payout=price.payout * 2)

    for house, holds in ((quote, True), (generous, False)):
        rows = list(simulated(house, lowest_commission, symbols=[SYMBOLS["frxXAUUSD"]], weeks=3, every=60))
        assert {(row.duration, row.side) for row in rows} >= {("5m", "CALL"), ("1d", "PUT")}
        assert show_forex(rows) is holds
    assert "player wins" in capsys.readouterr().out


@pytest.mark.parametrize("quote_pips", [64_000, 3_200])
def test_the_true_odds_are_those_of_simulated_rounded_quotes(quote_pips: int) -> None:
    law, looks, n = law_of(R_100), 5, 400_000
    rng = stream(1, "true odds", quote_pips)
    unit = max(1, round(quote_pips * law.sigma * math.sqrt(looks)))
    upper, lower = quote_pips + unit, quote_pips - 2 * unit
    price = quote_pips + rng.uniform(-0.5, 0.5, n)
    seen = np.empty((looks, n))
    for k in range(looks):
        price *= np.exp(law.sigma * rng.standard_normal(n) - law.sigma**2 / 2)
        seen[k] = np.rint(price)
    last, high, low = seen[-1], seen.max(axis=0), seen.min(axis=0)
    digit = last % 10
    simulated = {
        (T.CALL, (quote_pips,), None): last > quote_pips,
        (T.PUT, (quote_pips,), None): last < quote_pips,
        (T.CALLE, (quote_pips,), None): last >= quote_pips,
        (T.PUTE, (quote_pips,), None): last <= quote_pips,
        (T.HIGHER, (upper,), None): last > upper,
        (T.LOWER, (lower,), None): last < lower,
        (T.ONETOUCH, (upper,), None): high >= upper,
        (T.NOTOUCH, (lower,), None): low > lower,
        (T.RANGE, (upper, lower), None): (high < upper) & (low > lower),
        (T.UPORDOWN, (upper, lower), None): (high >= upper) | (low <= lower),
        (T.EXPIRYRANGE, (upper, lower), None): (last < upper) & (last > lower),
        (T.EXPIRYRANGEE, (upper, lower), None): (last <= upper) & (last >= lower),
        (T.EXPIRYMISS, (upper, lower), None): (last > upper) | (last < lower),
        (T.EXPIRYMISSE, (upper, lower), None): (last >= upper) | (last <= lower),
        (T.DIGITMATCH, (), 3): digit == 3,
        (T.DIGITDIFF, (), 3): digit != 3,
        (T.DIGITOVER, (), 6): digit > 6,
        (T.DIGITUNDER, (), 2): digit < 2,
        (T.DIGITODD, (), None): digit % 2 == 1,
        (T.DIGITEVEN, (), None): digit % 2 == 0,
    }
    assert {kind for kind, _, _ in simulated} == set(T)
    for (kind, levels, named), won in simulated.items():
        p = chance_of(kind, law, quote_pips, looks, levels, named)
        assert won.mean() == pytest.approx(p, abs=4.5 * math.sqrt(p * (1 - p) / n)), kind


def test_digits_of_a_market_slower_than_its_pip_remember_the_last_one() -> None:
    digits = Law(2e-5).last_digits(64_005, 1)
    assert digits.sum() == pytest.approx(1.0)
    assert digits[5] > 0.25
    assert law_of(R_100).last_digits(64_005, 1) == pytest.approx(np.full(10, 0.1), abs=1e-9)


def test_jumps_fatten_the_tails_and_leave_the_mean_alone() -> None:
    law = law_of(JUMPS)
    far = round(100_000 * math.exp(8 * law.sigma * math.sqrt(10)))
    assert law.above(100_000, far, 10) > 100 * Law(law.sigma).above(100_000, far, 10)
    # E[price] = integral of the tail probabilities, by a sum over pips of a coarse market.
    coarse = Law(0.01, 1 / 20, 0.3)
    mean = sum(coarse.above(100, k + 0.5, 3) for k in range(3_000))
    assert mean == pytest.approx(100, abs=0.05)
