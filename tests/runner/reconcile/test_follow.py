"""Following contracts: each ends once, and two of the venue's accounts of it must agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from live_runner.ledger import Intent, IntentState
from live_runner.reconcile.follow import Follower, disagreement
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.deriv.protocol import OpenContract

FRAME: dict[str, Any] = {
    "msg_type": "proposal_open_contract",
    "proposal_open_contract": {
        "contract_id": 7,
        "is_sold": 1,
        "is_expired": 1,
        "status": "won",
        "underlying_symbol": "R_100",
        "contract_type": "CALL",
        "buy_price": "0.84",
        "payout": "1.64",
        "sell_price": "1.64",
        "profit": "0.80",
        "purchase_time": 100,
        "date_start": 100,
    },
}


def state(**changes: Any) -> OpenContract:
    sold = OpenContract.from_frame(FRAME)
    assert sold is not None
    return replace(sold, **changes)


def intent(sell_cents: int | None) -> Intent:
    return Intent(
        intent_id=3,
        run=1,
        state=IntentState.OPEN if sell_cents is None else IntentState.SETTLED,
        decision_id="d",
        bundle_id="b",
        model_name="m",
        symbol="R_100",
        contract=Contract(ContractType.CALL, 5, DurationUnit.TICKS),
        currency="USD",
        stake_cents=84,
        probability=0.6,
        min_edge=0.0,
        expected_ratio=0.95,
        prepared_at=99.0,
        sent_at=100.0,
        resolved_at=100.0,
        proposal_id="p",
        generation=1,
        ask_cents=84,
        payout_cents=164,
        contract_id=7,
        buy_transaction_id=70,
        buy_cents=84,
        bought_payout_cents=164,
        purchase_time=100,
        sell_cents=sell_cents,
        sell_time=None if sell_cents is None else 112,
        balance_cents=None if sell_cents is None else 1_000_080,
        confirmed=False,
        reason="",
    )


def test_a_contract_ends_once() -> None:
    follower = Follower()
    follower.watch(7, 3)
    assert follower.ended(state(is_sold=False)) is None
    assert 7 in follower
    assert follower.ended(state()) == 3
    assert follower.ended(state()) is None
    assert len(follower) == 0


def test_a_contract_nobody_follows_says_nothing() -> None:
    assert Follower().ended(state()) is None


@pytest.mark.parametrize(
    ("seen", "booked", "agrees"),
    [
        ({}, 164, True),
        ({}, None, True),
        ({}, 0, False),
        ({"sell_cents": 0}, 164, False),
        ({"buy_cents": 85}, 164, False),
        ({"sell_cents": None}, 164, False),
    ],
)
def test_final_state_and_cash_rows_are_compared(seen: dict[str, Any], booked: int | None, agrees: bool) -> None:
    problem = disagreement(state(**seen), intent(booked))
    assert (problem is None) is agrees
    assert agrees or "contract 7" in str(problem)
