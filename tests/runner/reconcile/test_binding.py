"""What counts as proof that an intent was bought, and what as proof that it was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_runner.ledger import CashRow, Intent, Ledger, Order
from live_runner.reconcile.binding import ABSENCE_S, Proof, in_chain_order, judge, matches

T = 1_772_409_600
ROW = CashRow(77, "buy", 501, -1_000, 99_000, T + 1, f"CALL_R_100_19.53_{T + 1}_5T_S0P_0", 1_953)


@pytest.fixture
def intent(folder: Path, order: Callable[..., Order]) -> Iterator[Intent]:
    ledger = Ledger.open(folder, "DOT90000001", now=T)
    number = ledger.intents.prepare(order("d1"), T)
    ledger.intents.mark_sent(number, proposal_id="q", generation=1, ask_cents=1_000, payout_cents=1_953, now=T)
    yield ledger.intents.unknown(number, "timeout", T)
    ledger.close()


def test_the_purchase_is_recognised(intent: Intent) -> None:
    assert matches(intent, ROW)


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, action="sell"),
        replace(ROW, contract_id=None),
        replace(ROW, shortcode=None),
        replace(ROW, shortcode="nonsense"),
        replace(ROW, shortcode=f"PUT_R_100_19.53_{T}_5T_S0P_0"),
        replace(ROW, shortcode=f"CALL_R_50_19.53_{T}_5T_S0P_0"),
        replace(ROW, shortcode=f"CALL_R_100_19.53_{T}_6T_S0P_0"),
        replace(ROW, shortcode=f"CALL_R_100_19.53_{T}_{T + 5}_S0P_0"),
        replace(ROW, shortcode=f"CALL_R_100_19.52_{T}_5T_S0P_0"),
        replace(ROW, payout_cents=1_952),
        replace(ROW, amount_cents=-999),
        replace(ROW, time=T - 3),
        replace(ROW, time=T + 86_401),
    ],
)
def test_a_row_that_differs_in_anything_is_not_ours(intent: Intent, row: CashRow) -> None:
    assert not matches(intent, row)


def verdict(intent: Intent, rows: list[CashRow], now: float, reads: list[float], gone: bool = True) -> Proof:
    return judge(intent, rows, now=now, sender_gone=gone, clean_reads=reads).proof


def test_one_candidate_binds_two_quarantine(intent: Intent) -> None:
    assert verdict(intent, [ROW], T + 2, []) is Proof.BOUND
    twin = replace(ROW, transaction_id=78, contract_id=502)
    assert verdict(intent, [ROW, twin], T + 2, []) is Proof.QUARANTINE


READS = [T + 100.0, T + 110.0, T + ABSENCE_S]


def test_absence_takes_time_a_closed_sender_and_three_spaced_reads(intent: Intent) -> None:
    assert verdict(intent, [], T + ABSENCE_S, READS) is Proof.NOT_BOUGHT
    assert verdict(intent, [], T + ABSENCE_S - 1, READS) is Proof.WAIT
    assert verdict(intent, [], T + ABSENCE_S, READS, gone=False) is Proof.WAIT
    assert verdict(intent, [], T + ABSENCE_S, READS[1:]) is Proof.WAIT
    assert verdict(intent, [], T + 200, [T + 199.0, T + 199.5, T + 200.0]) is Proof.WAIT, "reads too close together"
    assert verdict(intent, [], T + 200, [T + 1.0, T + 6.0, T + 11.0]) is Proof.WAIT, "all of them too early"


@given(st.lists(st.integers(-500, 500), min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_rows_are_put_into_the_order_of_their_balances(amounts: list[int], random: object) -> None:
    balance, rows = 10_000, []
    for k, amount in enumerate(amounts):
        balance += amount
        rows.append(CashRow(k + 1, "deposit", None, amount, balance, T + k))
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_chain_order(shuffled, 10_000) == (rows, [])


def test_a_missing_row_leaves_the_later_ones_out() -> None:
    rows = [CashRow(k, "deposit", None, 10 + k, 100 + 10 * k + k * (k + 1) // 2, T + k) for k in (1, 2, 3)]
    ordered, leftover = in_chain_order([rows[0], rows[2]], 100)
    assert (ordered, leftover) == ([rows[0]], [rows[2]])
