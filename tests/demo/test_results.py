"""The demo's conditions: what must hold for exit code 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.records import shadow_end, shadow_trade
from xtitan_assets.demo.report import write_report
from xtitan_assets.demo.results import (
    DemoResult,
    MarketResult,
    NaiveRetrain,
    RunnerResult,
    cents,
    forced_path,
    judge_runner,
    predicted_interval,
)
from xtitan_assets.demo.screen import verdict
from xtitan_core.evidence.cash_account import CashAccount, Outcome
from xtitan_core.journal import (
    AnyRecord,
    TradeRecord,
    TradeSettlementRecord,
)


def trade(n: int, won: bool) -> list[AnyRecord]:
    return [
        TradeRecord(
            epoch=100 * n,
            intent_id=n,
            decision_id=f"d{n}",
            bundle_id="b",
            model_name="m",
            symbol="R_100",
            contract_id=1_000 + n,
            contract_type="CALL",
            duration=5,
            duration_unit="t",
            buy_cents=86,
            payout_cents=168,
            probability=0.62,
        ),
        TradeSettlementRecord(
            epoch=100 * n + 12,
            intent_id=n,
            contract_id=1_000 + n,
            bundle_id="b",
            outcome="won" if won else "lost",
            sell_cents=168 if won else 0,
            balance_cents=0,
        ),
    ]


def books(wins: int, losses: int):
    records = [r for n in range(wins + losses) for r in trade(n, n < wins)]
    balance = 1_000_000 + wins * (168 - 86) - losses * 86
    truth = {
        "accounts": [{"account_id": "DOT90000001", "balance": cents(balance)}],
        "buys": [{"contract_id": 1_000 + n, "account_id": "DOT90000001"} for n in range(wins + losses)],
    }
    status = {
        "account_id": "DOT90000001",
        "opening_cents": 1_000_000,
        "ledger_total_cents": balance,
        "contracts": wins + losses,
        "unresolved": 0,
    }
    return records, truth, status


def judged(wins: int = 62, losses: int = 38) -> RunnerResult:
    return judge_runner("planted", *books(wins, losses), killed=1_005)


def market(**changes) -> MarketResult:
    base = MarketResult(
        "fair",
        "R_100",
        "fair",
        False,
        False,
        "logistic",
        8_000,
        90,
        40,
        0.4,
        40.0,
        0.512,
        0.012,
        None,
        [(0, 1.0), (90, 0.4)],
    )
    return replace(base, **changes)


def demo(**changes) -> DemoResult:
    result = DemoResult(
        1,
        [
            market(),
            market(name="planted", symbol="PLANTED_100", market="planted", expected=True, promoted=True, oracle=0.638),
        ],
        judged(),
        [NaiveRetrain(n, 0.5 + 0.01 * n, n > 1) for n in range(1, 11)],
        100,
    )
    for name, value in changes.items():
        setattr(result, name, value)
    return result


def test_matching_books_meet_every_condition() -> None:
    assert all(judged().conditions(100).values())
    assert demo().ok


def test_a_cent_of_difference_fails() -> None:
    records, truth, status = books(62, 38)
    status["ledger_total_cents"] += 1
    conditions = judge_runner("planted", records, truth, status, 1_005).conditions(100)
    assert [name for name, holds in conditions.items() if not holds] == [
        "ledger total equals the exchange's balance to the cent"
    ]


def test_a_purchase_that_only_the_exchange_knows_fails() -> None:
    records, truth, status = books(62, 38)
    truth["buys"].append({"contract_id": 5, "account_id": "DOT90000001"})
    conditions = judge_runner("planted", records, truth, status, 1_005).conditions(100)
    assert not conditions["every contract of the exchange is in the ledger once"]
    assert not conditions["the journal tells every contract"]


def test_a_lost_contract_of_the_kill_fails() -> None:
    assert not judge_runner("planted", *books(62, 38), killed=77).conditions(100)[
        "the contract bought at the kill -9 was found again"
    ]


def test_an_impossible_win_rate_fails() -> None:
    assert not judged(30, 70).conditions(100)["win rate inside the predicted 99.9 % interval"]


@pytest.mark.parametrize(("expected", "promoted"), [(False, True), (True, False)])
def test_a_wrong_verdict_fails_the_demo(expected: bool, promoted: bool) -> None:
    assert not demo(markets=[market(expected=expected, promoted=promoted)]).ok


def test_the_predicted_interval_covers_what_it_promises() -> None:
    p = np.random.default_rng(1).uniform(0.55, 0.7, 115)
    low, mean, high = predicted_interval(p.tolist())
    draws = (np.random.default_rng(2).random((20_000, len(p))) < p).mean(axis=1)
    assert mean == pytest.approx(p.mean())
    assert ((draws < low) | (draws > high)).mean() <= 0.0025


def shadow_records(copies: int, outcome: str) -> list[AnyRecord]:
    """Identical contracts held at the same time, bought at a payout ratio of .95."""
    bought = [shadow_trade(epoch=14, trade_id=f"t{n}", probability=0.5, counted=False) for n in range(copies)]
    return [*bought, *(shadow_end(trade, outcome) for trade in bought)]


@pytest.mark.parametrize("haircut", [0.0, 0.01])
def test_the_forced_path_is_the_gates_own_account(haircut: float) -> None:
    """Same haircut, and stakes leave at purchase: eight copies of one winning bet are no eight wins in a row."""
    account = CashAccount(haircut=haircut)
    for n in range(8):
        account.purchase(n, 0.95)
    for n in range(8):
        account.settle(n, Outcome.WON)
    assert forced_path(shadow_records(8, "won"), haircut)[-1] == (8, account.bankroll)
    assert forced_path(shadow_records(1, "lost"), 0.01)[-1][1] < forced_path(shadow_records(1, "lost"), 0.0)[-1][1]


def test_wins_are_counted_among_the_same_contracts_as_the_win_rate() -> None:
    records, truth, status = books(62, 38)
    orphan = [r for r in trade(500, True) if isinstance(r, TradeSettlementRecord)]
    result = judge_runner("planted", [*records, *orphan], truth, status, 1_005)
    assert (result.wins, result.contracts) == (62, 100)


def test_nothing_is_claimed_about_a_recording_that_only_a_simulation_was_used_for(tmp_path) -> None:
    recorded = demo(markets=[market(market="recorded"), demo().markets[1]])
    for text in (
        verdict(recorded, tmp_path / "report.html"),
        write_report(recorded, tmp_path / "report.html").read_text(),
    ):
        assert "etrains on the simulated R_100 before the recording" in text
        assert "etrains on R_100 (recorded)" not in text


def test_amounts_are_exact() -> None:
    assert [cents(c) for c in (0, 5, -5, 100, 999_999)] == ["0.00", "0.05", "-0.05", "1.00", "9999.99"]


def test_the_screen_names_what_fails(tmp_path) -> None:
    text = verdict(demo(runner=judged(30, 70)), tmp_path / "report.html")
    assert "FAIL  win rate inside the predicted 99.9 % interval" in text
    assert "R_100 (fair): NOT PROMOTED" in text
    assert "PLANTED_100 (planted): PROMOTED" in text


def test_the_report_is_one_self_contained_page(tmp_path) -> None:
    page = write_report(demo(), tmp_path / "report.html").read_text()
    assert page.count("<svg") == 5
    assert "src=" not in page
    assert "9 of 10 retrains" in page
