"""Settlement against an independent reference: the rules' text told again over whole pips, sharing no code.

The rules, as Deriv's explanation pages have them: the entry is the first tick after the start; a contract in seconds
ends at the last tick at or before start + duration and settles once a later tick exists; a contract in ticks ends at
the n-th tick after the entry, a digit contract at the n-th tick counted from the entry itself; barriers are watched at
every tick from the entry to the end; fewer than two ticks in a life, or a contract in ticks that has not ended after
five minutes, give the stake back.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from xtitan_core.contracts import Contract, ContractType, DurationUnit, Settlement, outcomes, settle
from xtitan_core.contracts.outcomes import window_extremes

FIVE_MINUTES = 300


@dataclass(frozen=True)
class Bought:
    """A contract in words and whole pips."""

    kind: str
    start: int
    length: int
    unit: str
    high: int | None = None
    low: int | None = None
    absolute: bool = False
    digit: int | None = None


def reference(bought: Bought, ticks: list[tuple[int, int]]) -> tuple[str, int | None] | None:
    """("win" | "loss", epoch of the deciding tick), ("refund", None), or None while it is open."""
    after = [(epoch, pips) for epoch, pips in ticks if epoch > bought.start]
    if not after:
        return None
    entry = after[0][1]
    if bought.unit == "s":
        end = bought.start + bought.length
        life = [t for t in after if t[0] <= end]
        over = after[-1][0] > end
        refund = over and len(life) < 2
    else:
        count = bought.length if bought.kind.startswith("DIGIT") else bought.length + 1
        life = [t for t in after if t[0] <= bought.start + FIVE_MINUTES][:count]
        over = len(life) == count
        refund = not over and after[-1][0] > bought.start + FIVE_MINUTES
    origin = 0 if bought.absolute else entry
    high = None if bought.high is None else origin + bought.high
    low = None if bought.low is None else origin + bought.low
    if bought.kind in ("ONETOUCH", "NOTOUCH", "RANGE", "UPORDOWN"):
        for epoch, pips in life:
            if (high is not None and pips >= high) or (low is not None and pips <= low):
                return ("win" if bought.kind in ("ONETOUCH", "UPORDOWN") else "loss", epoch)
    if refund:
        return ("refund", None)
    if not over:
        return None
    epoch, last = life[-1]
    digit = int(str(last)[-1])
    match bought.kind:
        case "CALL":
            good = last > entry
        case "PUT":
            good = last < entry
        case "CALLE":
            good = not last < entry
        case "PUTE":
            good = not last > entry
        case "HIGHER":
            good = last > high
        case "LOWER":
            good = last < high
        case "ONETOUCH" | "UPORDOWN":
            good = False
        case "NOTOUCH" | "RANGE":
            good = True
        case "EXPIRYRANGE":
            good = low < last < high
        case "EXPIRYRANGEE":
            good = not (last < low or last > high)
        case "EXPIRYMISS":
            good = last < low or last > high
        case "EXPIRYMISSE":
            good = not (low < last < high)
        case "DIGITMATCH":
            good = digit == bought.digit
        case "DIGITDIFF":
            good = digit != bought.digit
        case "DIGITOVER":
            good = digit > bought.digit
        case "DIGITUNDER":
            good = digit < bought.digit
        case "DIGITODD":
            good = digit in (1, 3, 5, 7, 9)
        case "DIGITEVEN":
            good = digit in (0, 2, 4, 6, 8)
    return ("win" if good else "loss", epoch)


def as_pair(result: Settlement | None) -> tuple[str, int | None] | None:
    if result is None:
        return None
    if result.won is None:
        return ("refund", None)
    return ("win" if result.won else "loss", result.exit_epoch)


def to_contract(bought: Bought, below: bool | None) -> Contract:
    first, second = bought.high, bought.low
    if first is None:
        first, second = second, None
    scaled = [None if b is None else b / 100 for b in (first, second)]
    return Contract(
        ContractType(bought.kind),
        bought.length,
        DurationUnit(bought.unit),
        *scaled,
        absolute=bought.absolute,
        below=below,
        digit=bought.digit,
    )


# Built once: hypothesis takes longer to look at a new strategy than to draw from one.
KINDS, UNITS = st.sampled_from([t.value for t in ContractType]), st.sampled_from("st")
GAPS = st.one_of(st.integers(1, 6), st.sampled_from([150, 290, 310]))
TICKS = st.lists(st.tuples(GAPS, st.integers(-3, 3)), min_size=1, max_size=25)
BOOLEANS, OFFSETS, AROUND, LENGTHS = st.booleans(), st.integers(1, 5), st.integers(-3, 3), st.integers(1, 12)
DIGITS = {"DIGITOVER": st.integers(0, 8), "DIGITUNDER": st.integers(1, 9)}
ANY_DIGIT = st.integers(0, 9)


@st.composite
def cases(draw: st.DrawFn):
    kind = draw(KINDS)
    digits = kind.startswith("DIGIT")
    unit = "t" if digits else draw(UNITS)
    ticks = draw(TICKS)
    epochs = list(accumulate((gap for gap, _ in ticks), initial=1_000))[1:]
    pips = list(accumulate((step for _, step in ticks), initial=10_000 + draw(ANY_DIGIT)))[1:]
    high = low = below = digit = None
    two = kind in ("RANGE", "UPORDOWN") or kind.startswith("EXPIRY")
    one = kind in ("HIGHER", "LOWER", "ONETOUCH", "NOTOUCH")
    absolute = (one or two) and draw(BOOLEANS)
    if two:
        high, low = draw(OFFSETS), -draw(OFFSETS)
    elif kind in ("HIGHER", "LOWER"):
        high = draw(AROUND)
    elif one:
        under = draw(BOOLEANS)
        high, low = (None, -draw(OFFSETS)) if under else (draw(OFFSETS), None)
        below = under if absolute else None
    if absolute:  # levels around the path, so that the entry may already lie on or beyond them
        level = pips[0] + draw(AROUND)
        high, low = (None if b is None else level + b for b in (high, low))
    if kind in ("DIGITMATCH", "DIGITDIFF"):
        digit = draw(ANY_DIGIT)
    elif kind in DIGITS:
        digit = draw(DIGITS[kind])
    start = draw(st.integers(995, epochs[-1] + 2))
    bought = Bought(kind, start, draw(LENGTHS), unit, high, low, absolute, digit)
    return bought, to_contract(bought, below), epochs, pips


def arrays(epochs: list[int], pips: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(epochs, dtype=np.int64), np.array(pips) / 100


@settings(max_examples=1_500, deadline=None)
@given(cases())
def test_settlement_agrees_with_the_independent_reference(case) -> None:
    bought, contract, epochs, pips = case
    expected = reference(bought, list(zip(epochs, pips, strict=True)))
    assert as_pair(settle(contract, bought.start, *arrays(epochs, pips), 2)) == expected


@settings(max_examples=500, deadline=None)
@given(cases())
def test_a_settlement_never_changes_when_more_ticks_arrive(case) -> None:
    bought, contract, epochs, pips = case
    decided = None
    for k in range(1, len(epochs) + 1):
        now = settle(contract, bought.start, *arrays(epochs[:k], pips[:k]), 2)
        assert decided is None or now == decided
        decided = now


@settings(max_examples=300, deadline=None)
@given(cases())
def test_labels_are_the_settlements(case) -> None:
    _, contract, epochs, pips = case
    times, quotes = arrays(epochs, pips)
    starts = np.arange(995, epochs[-1] + 3)
    won, known, exits = outcomes(contract, starts, times, quotes, 2)
    for k, start in enumerate(starts.tolist()):
        one = settle(contract, start, times, quotes, 2)
        if known[k]:
            assert one is not None
            assert one.won == bool(won[k])
            assert one.exit_epoch <= exits[k]
        else:
            # Not labelled: still open, refunded, or decided early by a touch before its end was seen or voided.
            assert not won[k]
            assert exits[k] == 0
            early = contract.contract_type in ("ONETOUCH", "NOTOUCH", "RANGE", "UPORDOWN")
            assert one is None or one.won is None or early


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=30),
)
def test_extremes_of_windows_are_those_found_by_looking(values: list[int], pairs: list[tuple[int, int]]) -> None:
    n = len(values)
    first = np.array([min(a, b) % n for a, b in pairs], dtype=np.int64)
    last = np.array([max(min(a, b) % n, min(max(a, b), n - 1)) for a, b in pairs], dtype=np.int64)
    high, low = window_extremes(np.array(values, dtype=float), first, last)
    for k, (i, j) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        assert high[k] == max(values[i : j + 1])
        assert low[k] == min(values[i : j + 1])
