"""What the house prices with: half a pip never in the buyer's favour, discrete looks, recorded figures."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtitan_core.contracts import DIGITS, OPPOSITE, Contract, ContractType, DurationUnit
from xtitan_core.prices import (
    PriceError,
    bid_for_payout,
    bid_probability,
    digit_probability,
    fair_probability,
    jump_rise_fall_probability,
    last_digit_moves,
    payout_for_stake,
    rise_fall_probability,
    steps_from_spot,
)
from xtitan_core.randomness import stream
from xtitan_core.symbols import SYMBOLS

T = ContractType
R_100, R_50 = SYMBOLS["R_100"], SYMBOLS["R_50"]


def priced(kind: ContractType, **changes: Any) -> dict[str, Any]:
    """Arguments of a ten-tick R_100 contract with its barriers a few pips off the spot."""
    arguments: dict[str, Any] = {"sigma_tick": R_100.tick_sigma, "ticks": 10, "spot": 640.0, "pip": 0.01}
    if kind in (T.HIGHER, T.LOWER):
        arguments["upper"] = 640.2
    elif kind in (T.ONETOUCH, T.NOTOUCH):
        arguments["upper"] = 640.6
    elif kind in (T.RANGE, T.UPORDOWN) or kind.value.startswith("EXPIRY"):
        arguments |= {"upper": 640.6, "lower": 639.5}
    elif kind in (T.DIGITMATCH, T.DIGITDIFF, T.DIGITOVER, T.DIGITUNDER):
        arguments["digit"] = 4
    return arguments | changes


@pytest.mark.parametrize("kind", T)
def test_the_ask_never_counts_less_than_the_truth_and_the_bid_never_more(kind: ContractType) -> None:
    arguments = priced(kind)
    charged = fair_probability(kind, **arguments)
    true = fair_probability(kind, levels="true", **arguments)
    assert charged >= true
    assert charged < true + 0.03
    assert charged + fair_probability(OPPOSITE[kind], **arguments) >= (0.9 if kind in DIGITS else 1 - 1e-12)
    if kind not in DIGITS:
        assert bid_probability(kind, commission=0.0, **arguments) <= true


@settings(deadline=None)
@given(
    kind=st.sampled_from([t for t in T if t not in DIGITS]),
    pip=st.floats(0.001, 0.2),
    ticks=st.sampled_from([1, 2, 5, 10, 59, 60, 300]),
    up=st.integers(1, 8),
    down=st.integers(1, 8),
)
def test_the_order_of_bid_truth_and_ask_holds_for_any_pip(kind, pip, ticks, up, down) -> None:
    changes = {"pip": pip, "ticks": ticks}
    for name, level in (("upper", 640.0 + up * pip), ("lower", 640.0 - down * pip)):
        if name in priced(kind):
            changes[name] = level
    arguments = priced(kind, **changes)
    true = fair_probability(kind, levels="true", **arguments)
    assert fair_probability(kind, **arguments) >= true - 1e-6  # the tie charge is linear in the pip
    assert bid_probability(kind, commission=0.012, **arguments) <= true + 0.006


@pytest.mark.parametrize("kind", [t for t in T if t not in DIGITS and t not in (T.CALL, T.PUT, T.CALLE, T.PUTE)])
def test_true_levels_are_those_of_rounded_quotes(kind: ContractType) -> None:
    # 400,000 paths of an unrounded price whose entry lies anywhere within its pip; only rounded quotes are compared.
    arguments = priced(kind, ticks=5)
    rng = stream(1, "rounded quotes", kind)
    n, sigma = 400_000, R_100.tick_sigma
    pips = 64_000 + rng.uniform(-0.5, 0.5, n)
    upper = round(arguments.get("upper", 0.0) * 100)
    lower = round(arguments.get("lower", 0.0) * 100)
    reached = np.zeros(n, dtype=bool)
    for _ in range(5):
        pips = pips * np.exp(sigma * rng.standard_normal(n) - sigma**2 / 2)
        quote = np.rint(pips)
        reached |= (quote >= upper) | (quote <= lower)
    won = {
        T.HIGHER: quote > upper,
        T.LOWER: quote < upper,
        T.ONETOUCH: reached,
        T.NOTOUCH: ~reached,
        T.UPORDOWN: reached,
        T.RANGE: ~reached,
        T.EXPIRYRANGE: (quote < upper) & (quote > lower),
        T.EXPIRYMISS: (quote > upper) | (quote < lower),
        T.EXPIRYRANGEE: (quote <= upper) & (quote >= lower),
        T.EXPIRYMISSE: (quote >= upper) | (quote <= lower),
    }[kind].mean()
    p = fair_probability(kind, levels="true", **arguments)
    assert won == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / n))


def test_a_one_tick_r_100_call_gets_no_credit_for_its_ties() -> None:
    p = fair_probability(T.CALL, **priced(T.CALL, ticks=1))
    assert payout_for_stake(Decimal(10), p, 0.0201) == Decimal("19.23")
    with_credit = fair_probability(T.CALL, levels="true", **priced(T.CALL, ticks=1))
    assert payout_for_stake(Decimal(10), with_credit, 0.0201) == Decimal("19.70")


@pytest.mark.parametrize("kind", [T.CALLE, T.PUTE])
def test_sides_that_win_ties_pay_for_them(kind: ContractType) -> None:
    one = priced(kind, ticks=1)
    tie = 0.01 / (640 * R_100.tick_sigma * math.sqrt(2 * math.pi))
    expected = rise_fall_probability(R_100.tick_sigma, rise=kind is T.CALLE) + tie / 2
    assert fair_probability(kind, **one) == pytest.approx(expected)
    assert fair_probability(kind, **one) == pytest.approx(fair_probability(kind, levels="true", **one), abs=1e-5)


def test_the_recorded_bid_of_an_open_call() -> None:
    # R_50 at its entry of 92.0252 with thirteen seconds to go, commission .0311: 8.83.
    p = bid_probability(
        T.CALL, sigma_tick=R_50.tick_sigma, ticks=6.5, upper=92.0252, spot=92.0252, pip=1e-4, commission=0.0311
    )
    assert bid_for_payout(Decimal("18.83"), p, 0.0311) == Decimal("8.83")


def test_a_contract_on_the_verge_of_a_tie_is_not_bought_back_above_its_worth() -> None:
    # Price levels at which a pip is as large as a tick's move: half of all ties would be free money.
    arguments = {"sigma_tick": 2.5e-4, "ticks": 7, "upper": 40.0, "spot": 40.0, "pip": 0.01}
    true = fair_probability(T.CALL, levels="true", **arguments)
    assert fair_probability(T.CALL, levels="plain", **arguments) > true + 0.05
    kept = fair_probability(T.CALL, levels="kept", **arguments)
    assert bid_probability(T.CALL, commission=0.012, **arguments) - 0.012 == pytest.approx(kept - 0.006)
    assert kept < true


def test_a_bid_is_never_negative_and_never_the_whole_payout() -> None:
    assert bid_for_payout(Decimal("10"), 0.001, 0.012) == Decimal("0.00")
    assert bid_for_payout(Decimal("10"), 1.0, 0.012) == Decimal("9.88")
    assert bid_for_payout(Decimal("0.70"), 1.0, 0.012) == Decimal("0.68"), "the smallest commission is two cents"


@pytest.mark.parametrize(
    ("unit", "start", "absolute", "steps"),
    [
        ("t", 11, False, 5),
        ("t", 11, True, 6),
        # 15 s on a two-second grid with the last tick at 10: ticks 12 (entry) to 24 when bought at 10, to 26 at 11.
        ("s", 10, False, 6),
        ("s", 11, False, 7),
        ("s", 10, True, 7),
        ("s", 11, True, 8),
    ],
)
def test_ticks_that_count_are_those_after_the_entry_and_the_entry_too_for_a_level_that_stands_still(
    unit: str, start: int, absolute: bool, steps: int
) -> None:
    duration = 5 if unit == "t" else 15
    contract = Contract(T.HIGHER, duration, DurationUnit(unit), 640.0 if absolute else 0.1, absolute=absolute)
    assert steps_from_spot(contract, start=start, last_tick=10, tick_seconds=2) == steps


def test_digits_are_priced_in_tenths() -> None:
    assert digit_probability(T.DIGITOVER, 4) == 0.5
    assert digit_probability(T.DIGITUNDER, 4) == 0.4
    assert digit_probability(T.DIGITMATCH, 4) + digit_probability(T.DIGITDIFF, 4) == 1.0
    with pytest.raises(PriceError):
        digit_probability(T.CALL, 4)


def test_digits_cost_more_where_a_tick_no_longer_makes_the_market_forget_them() -> None:
    # At 64.00 a tick's move is 1.6 pips: the digit stays with one chance in four.
    low = {"spot": 64.0, "ticks": 1, "digit": 0}
    stays = fair_probability(T.DIGITMATCH, levels="true", **priced(T.DIGITMATCH, **low))
    assert stays == pytest.approx(last_digit_moves(64.0 * 100 * R_100.tick_sigma)[0])
    assert 0.2 < stays < fair_probability(T.DIGITMATCH, **priced(T.DIGITMATCH, **low)) < 0.3
    assert fair_probability(T.DIGITDIFF, **priced(T.DIGITDIFF, **low)) == 0.9, "the unlikely side gets no rebate"
    assert fair_probability(T.DIGITDIFF, levels="true", **priced(T.DIGITDIFF, **low)) == pytest.approx(1 - stays)
    assert fair_probability(T.DIGITMATCH, **priced(T.DIGITMATCH, ticks=1)) == 0.1


@pytest.mark.parametrize("spread", [0.01, 0.5, 3.0, 8.0])
def test_moves_of_a_last_digit_are_a_probability_law(spread: float) -> None:
    moves = last_digit_moves(spread)
    assert sum(moves) == pytest.approx(1.0)
    assert moves[1:] == pytest.approx(moves[:0:-1])
    assert (moves[0] > 0.9) == (spread < 0.1)
    assert (max(moves) - 0.1 < 2e-6) == (spread > 7)


def test_a_barrier_at_or_beyond_the_spot_is_certain() -> None:
    assert fair_probability(T.ONETOUCH, **priced(T.ONETOUCH, upper=640.0)) == 1.0
    assert fair_probability(T.ONETOUCH, **priced(T.ONETOUCH, upper=None, lower=640.0, ticks=90)) == 1.0
    assert fair_probability(T.RANGE, **priced(T.RANGE, upper=639.0)) == 0.0
    assert fair_probability(T.EXPIRYRANGE, **priced(T.EXPIRYRANGE, lower=-5.0, upper=900.0)) == pytest.approx(1.0)
    assert fair_probability(T.HIGHER, **priced(T.HIGHER, ticks=0, upper=639.99)) == 1.0
    assert fair_probability(T.HIGHER, **priced(T.HIGHER, ticks=0, upper=640.0)) == 0.0


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (T.HIGHER, {"upper": None}),
        (T.ONETOUCH, {"upper": None}),
        (T.RANGE, {"lower": None}),
        (T.EXPIRYMISS, {"upper": None}),
        (T.ONETOUCH, {"ticks": 7.5}),
        (T.ONETOUCH, {"jumps_per_tick": 0.01, "jump_sigma": 0.01}),
    ],
)
def test_what_cannot_be_priced_is_refused(kind: ContractType, changes: dict[str, Any]) -> None:
    with pytest.raises(PriceError):
        fair_probability(kind, **priced(kind, **changes))


def test_jumps_that_never_come_change_nothing_and_jumps_drag_the_rise_below_a_half() -> None:
    still = jump_rise_fall_probability(1e-3, jumps=0.0, jump_sigma=0.01, rise=True)
    assert still == pytest.approx(rise_fall_probability(1e-3, rise=True), abs=1e-15)
    rise = jump_rise_fall_probability(1e-3, jumps=0.5, jump_sigma=0.01, rise=True)
    fall = jump_rise_fall_probability(1e-3, jumps=0.5, jump_sigma=0.01, rise=False)
    assert rise + fall == pytest.approx(1.0, abs=1e-12)
    assert jump_rise_fall_probability(1e-3, jumps=499, jump_sigma=1e-3, rise=True) == pytest.approx(
        jump_rise_fall_probability(1e-3, jumps=501, jump_sigma=1e-3, rise=True), abs=1e-3
    )
    rng = stream(1, "jump law")
    n = 1_000_000
    jumps = rng.poisson(0.5, n)
    drift = -0.5e-6 - 0.5 * math.expm1(0.5e-4)
    moves = drift + rng.standard_normal(n) * np.sqrt(1e-6 + jumps * 1e-4)
    assert np.mean(moves > 0) == pytest.approx(rise, abs=4 * 0.5 / math.sqrt(n))
    assert np.mean(np.exp(moves)) == pytest.approx(1.0, abs=4 * 0.0075 / math.sqrt(n)), "a martingale"


@pytest.mark.parametrize("kind", [T.CALL, T.CALLE, T.PUT, T.PUTE, T.HIGHER, T.LOWER, T.EXPIRYRANGE, T.EXPIRYMISSE])
def test_with_jumps_the_ask_is_never_below_the_truth_nor_the_bid_above_it(kind: ContractType) -> None:
    jumps = {"jumps_per_tick": 1 / 1_200, "jump_sigma": 30 * R_100.tick_sigma}
    arguments = priced(kind, **jumps)
    true = fair_probability(kind, levels="true", **arguments)
    assert true != fair_probability(kind, levels="true", **priced(kind))
    assert fair_probability(kind, **arguments) >= true
    if kind in (T.CALL, T.CALLE, T.PUT, T.PUTE):
        arguments["upper"] = 640.3
    assert bid_probability(kind, commission=0.0, **arguments) <= fair_probability(kind, levels="true", **arguments)
