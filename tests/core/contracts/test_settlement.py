"""Contracts that can exist, and settlement by example: recorded contracts, ties, limits, barriers, digits."""

from __future__ import annotations

import csv
import gzip
import time
from pathlib import Path

import numpy as np
import pytest

from xtitan_core.contracts import (
    DIGITS,
    ENDS,
    HIGHER_LOWER,
    OPPOSITE,
    RISE_FALL,
    STAYS,
    TOUCH,
    Contract,
    ContractError,
    ContractType,
    DurationUnit,
    Settlement,
    outcomes,
    settle,
)

SHARED = Path(__file__).resolve().parents[4] / "shared"
S, T = DurationUnit.SECONDS, DurationUnit.TICKS

# Ticks around the two R_50 contracts recorded on the new API on 2026-09-14 (documentation of the wire format, 4.2).
R_50 = {
    1789347036: 92.0305,
    1789347038: 92.0252,
    1789347040: 92.0082,
    1789347050: 92.0308,
    1789347052: 92.0232,
    1789347054: 92.0300,
}


def arrays(ticks: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(list(ticks), dtype=np.int64), np.array(list(ticks.values()))


def test_the_recorded_r50_contracts_settle_as_deriv_settled_them() -> None:
    epochs, quotes = arrays(R_50)
    call = settle(Contract(ContractType.CALL, 15, S), 1789347036, epochs, quotes)
    put = settle(Contract(ContractType.PUT, 15, S), 1789347038, epochs, quotes)
    assert call == Settlement(True, 1789347038, 92.0252, 1789347050, 92.0308)
    assert put == Settlement(False, 1789347040, 92.0082, 1789347052, 92.0232)


def test_a_contract_in_seconds_waits_for_the_tick_after_its_end() -> None:
    epochs, quotes = arrays({k: v for k, v in R_50.items() if k <= 1789347050})
    assert settle(Contract(ContractType.CALL, 15, S), 1789347036, epochs, quotes) is None


def test_a_contract_in_ticks_that_does_not_end_in_five_minutes_is_refunded() -> None:
    epochs, quotes = arrays({10: 1.0, 12: 5.0, 14: 6.0, 310: 7.0, 311: 8.0})
    won = settle(Contract(ContractType.CALL, 2, T), 10, epochs, quotes)
    late = settle(Contract(ContractType.CALL, 3, T), 10, epochs, quotes)
    assert won == Settlement(True, 12, 5.0, 310, 7.0)
    assert late == Settlement(None, 12, 5.0, 311, 8.0)
    assert outcomes(Contract(ContractType.CALL, 3, T), np.array([10]), epochs, quotes)[1].tolist() == [False]


def test_ties_lose_for_both_sides_and_win_for_both_equal_sides() -> None:
    epochs, quotes = arrays({10: 1.0, 12: 5.0, 14: 5.0})
    results = {t: settle(Contract(t, 1, T), 10, epochs, quotes) for t in RISE_FALL}
    assert {t: r.won for t, r in results.items() if r} == {
        ContractType.CALL: False,
        ContractType.PUT: False,
        ContractType.CALLE: True,
        ContractType.PUTE: True,
    }


def test_opposite_is_an_involution() -> None:
    assert all(OPPOSITE[OPPOSITE[t]] is t for t in ContractType)


@pytest.mark.parametrize(
    ("kind", "offset", "results"),
    [
        (ContractType.HIGHER, 0.5, [False, False, True]),
        (ContractType.LOWER, 0.5, [True, False, False]),
        (ContractType.HIGHER, -0.5, [True, True, True]),
    ],
)
def test_higher_and_lower_compare_the_exit_with_their_barrier_and_lose_on_it(kind, offset, results) -> None:
    for exit_, won in zip((5.25, 5.5, 5.75), results, strict=True):
        epochs, quotes = arrays({10: 1.0, 12: 5.0, 14: exit_})
        settled = settle(Contract(kind, 1, T, offset), 10, epochs, quotes, 2)
        assert settled is not None
        assert settled.won is won


def test_an_exit_on_a_barrier_loses_both_plain_ends_and_wins_both_inclusive_ones() -> None:
    epochs, quotes = arrays({10: 1.0, 12: 5.0, 14: 5.5})
    won = {t: settle(Contract(t, 1, T, 0.5, -0.5), 10, epochs, quotes, 2).won for t in ENDS}  # type: ignore[union-attr]
    assert won == {
        ContractType.EXPIRYRANGE: False,
        ContractType.EXPIRYMISS: False,
        ContractType.EXPIRYRANGEE: True,
        ContractType.EXPIRYMISSE: True,
    }


def test_a_digit_contract_counts_the_entry_tick_as_its_first_and_reads_padded_quotes() -> None:
    epochs, quotes = arrays({10: 1.11, 12: 5.37, 14: 5.4, 16: 5.21})
    one = settle(Contract(ContractType.DIGITMATCH, 1, T, digit=7), 10, epochs, quotes, 2)
    two = settle(Contract(ContractType.DIGITMATCH, 2, T, digit=0), 10, epochs, quotes, 2)
    assert one == Settlement(True, 12, 5.37, 12, 5.37)
    assert two == Settlement(True, 12, 5.37, 14, 5.4), "5.40 ends with 0"
    with pytest.raises(ContractError, match="decimals"):
        settle(Contract(ContractType.DIGITODD, 1, T), 10, epochs, quotes)


@pytest.mark.parametrize(
    ("kind", "below", "won", "epoch"),
    [
        (ContractType.ONETOUCH, True, True, 12),
        (ContractType.NOTOUCH, True, False, 12),
        (ContractType.ONETOUCH, False, True, 14),
    ],
)
def test_an_absolute_barrier_is_watched_from_the_entry_tick_on(kind, below, won, epoch) -> None:
    # The spot before the purchase says on which side the level lay: the entry at 5.0 has already gone through 5.2.
    epochs, quotes = arrays({10: 5.4 if below else 5.1, 12: 5.0, 14: 5.3, 16: 5.0})
    settled = settle(Contract(kind, 2, T, 5.2, absolute=True, below=below), 10, epochs, quotes, 2)
    assert settled is not None
    assert (settled.won, settled.exit_epoch) == (won, epoch)


def test_labels_of_a_day_are_built_quickly_however_long_the_contracts() -> None:
    n = 43_200
    epochs = 2 * np.arange(n, dtype=np.int64)
    quotes = np.round(640 * np.exp(np.cumsum(np.sin(np.arange(n)) * 1e-4)), 2)
    started = time.process_time()
    outcomes(Contract(ContractType.RANGE, 6, DurationUnit.HOURS, 1.0, -1.0), epochs, epochs, quotes, 2)
    assert time.process_time() - started < 1.0, "10,800 ticks a window: looking at each took 20 s"


def test_sets_cover_every_type_once() -> None:
    families = [RISE_FALL, HIGHER_LOWER, TOUCH, STAYS, ENDS, DIGITS]
    assert sorted(t for family in families for t in family) == sorted(ContractType)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Contract(ContractType.CALL, 0, T),
        lambda: Contract(ContractType.CALL, 5, T, 1.0),
        lambda: Contract(ContractType.CALL, 5, T, absolute=True),
        lambda: Contract(ContractType.ONETOUCH, 5, T),
        lambda: Contract(ContractType.ONETOUCH, 5, T, 0.0),
        lambda: Contract(ContractType.ONETOUCH, 5, T, 640.0, absolute=True),
        lambda: Contract(ContractType.ONETOUCH, 5, T, 1.0, below=False),
        lambda: Contract(ContractType.HIGHER, 5, T, float("inf")),
        lambda: Contract(ContractType.HIGHER, 5, T, 640.0, absolute=True, below=True),
        lambda: Contract(ContractType.RANGE, 5, T, 1.0, 0.5),
        lambda: Contract(ContractType.RANGE, 5, T, 640.0, 641.0, absolute=True),
        lambda: Contract(ContractType.DIGITMATCH, 5, T),
        lambda: Contract(ContractType.DIGITMATCH, 5, T, digit=10),
        lambda: Contract(ContractType.DIGITOVER, 5, T, digit=9),
        lambda: Contract(ContractType.DIGITUNDER, 5, T, digit=0),
        lambda: Contract(ContractType.DIGITEVEN, 5, T, digit=2),
        lambda: Contract(ContractType.DIGITEVEN, 15, S),
        lambda: Contract(ContractType.CALL, 5, T, digit=2),
    ],
)
def test_impossible_contracts_are_refused(bad) -> None:
    with pytest.raises(ContractError):
        bad()


def test_tie_rate_on_real_ticks_is_what_was_recorded() -> None:
    path = SHARED / "data" / "real" / "ticks_R_100_20260403.csv.gz"
    if not path.exists():
        pytest.skip("the real recordings are not on this machine")
    with gzip.open(path, "rt") as f:
        rows = list(csv.DictReader(f))
    epochs = np.array([int(r["epoch"]) for r in rows])
    quotes = np.array([float(r["quote"]) for r in rows])
    up, known, _ = outcomes(Contract(ContractType.CALL, 1, T), epochs, epochs, quotes)
    down, _, _ = outcomes(Contract(ContractType.PUT, 1, T), epochs, epochs, quotes)
    ties = 1 - (up[known].mean() + down[known].mean())
    # About 0.4 pip / sd: 2.45 % over the larger set; +-4 standard errors of this sample.
    assert ties == pytest.approx(0.0245, abs=0.0062)
