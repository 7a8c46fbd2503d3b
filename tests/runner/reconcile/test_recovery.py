"""Recovery: ledger and venue agree before anything is bought, whatever happened before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from live_runner.buying.purchase import Outcome
from live_runner.ledger import Booked, CashRow, IntentState, Ledger, Order
from live_runner.reconcile import statement
from live_runner.reconcile.binding import ABSENCE_S
from live_runner.reconcile.recovery import recover
from live_runner.reconcile.report import RecoveryError
from live_runner.reconcile.statement import cash_row
from xtitan_core.deriv.records import StatementRow


async def buy(desk: Any, order: Order) -> Any:
    return await desk.gate.purchase(desk.client, order, 0.0)


async def settle_in(desk: Any, seconds: int, step: int = 5) -> Any:
    report = await desk.recover()
    for _ in range(0, seconds, step):
        if report.ready or desk.latch.halted:
            break
        desk.venue.advance(step)
        report = await desk.recover()
    return report


async def test_a_first_start_takes_the_balance_and_its_history_as_given(
    venue: Any, open_desk: Callable[..., Any]
) -> None:
    venue.deposit(5_000)
    desk = open_desk()
    report = await desk.recover()
    assert report.ready
    assert desk.ledger.cash.total_cents() == venue.balance == 1_005_000
    venue.deposit(7)
    assert (await desk.recover()).ready
    assert desk.ledger.cash.total_cents() == 1_005_007


async def test_a_new_ledger_on_an_account_that_bought_today_waits_for_a_person(
    venue: Any, open_desk: Callable[..., Any]
) -> None:
    venue.book("CALL", 1_000, 1_953)
    venue.advance(13)
    desk = open_desk()
    report = await desk.recover()
    assert report.halted is not None
    assert desk.latch.halted
    desk.latch.resume("same account, new disk", "operator")
    report = await desk.recover()
    assert report.ready
    assert desk.ledger.cash.total_cents() == venue.balance


@pytest.mark.parametrize("delay", [0, 1, 7, 60, 119])
async def test_a_purchase_whose_answer_was_lost_is_bound_from_the_statement(
    desk: Any, order: Callable[..., Order], delay: int
) -> None:
    desk.venue.fates = lambda _: (True, delay, "lost")
    assert (await buy(desk, order("d1"))).outcome is Outcome.UNKNOWN
    desk.connect()
    report = await settle_in(desk, 200, step=1)
    assert report.ready
    assert [i.contract_id for i in desk.ledger.intents.trades()] == sorted(desk.venue.bought())
    assert desk.ledger.cash.total_cents() == desk.venue.balance


async def test_a_restart_binds_what_was_bought_and_settled_meanwhile(
    desk: Any, open_desk: Callable[..., Any], order: Callable[..., Order]
) -> None:
    desk.venue.fates = lambda _: (True, 0, "lost")
    await buy(desk, order("d1"))
    desk.venue.advance(40)
    desk.close()
    again = open_desk()
    report = await again.recover()
    assert report.ready
    assert [i.state for i in again.ledger.intents.trades()] == [IntentState.SETTLED]
    assert [i.intent_id for i in report.settled] == [1]
    assert again.ledger.cash.total_cents() == again.venue.balance


async def test_a_lost_request_is_ruled_out_slowly_and_only_on_a_new_connection(
    desk: Any, order: Callable[..., Order]
) -> None:
    desk.venue.fates = lambda _: (False, 0, "Timeout")
    await buy(desk, order("d1"))
    for _ in range(60):
        desk.venue.advance(5)
        assert not (await desk.recover()).ready, "the connection that sent it is still open"
    sent = desk.ledger.intents.unresolved()[0].sent_at
    desk.connect()
    report = await settle_in(desk, 400)
    assert report.ready
    assert [i.state for i in report.not_bought] == [IntentState.NOT_BOUGHT]
    assert desk.venue.clock.now() >= sent + ABSENCE_S


async def test_nothing_is_ruled_out_while_the_statement_is_unreadable_or_incomplete(
    desk: Any, order: Callable[..., Order]
) -> None:
    desk.venue.fates = lambda _: (False, 0, "lost")
    await buy(desk, order("d1"))
    desk.connect()
    for broken in ("statement", "portfolio", "balance", "time"):
        desk.venue.broken = {broken}
        report = await settle_in(desk, 150)
        assert not report.ready, broken
        assert desk.ledger.intents.unresolved()[0].state is IntentState.UNKNOWN
        assert not desk.latch.halted
    desk.venue.broken = set()
    assert (await settle_in(desk, 150)).ready


async def test_a_purchase_that_shows_only_on_the_portfolio_is_not_ruled_out(
    desk: Any, order: Callable[..., Order]
) -> None:
    desk.venue.fates = lambda _: (False, 0, "lost")
    await buy(desk, order("d1"))
    desk.connect()
    listed = {
        "contract_id": 999,
        "transaction_id": 998,
        "underlying_symbol": "R_100",
        "contract_type": "CALL",
        "buy_price": 10,
        "payout": 19.53,
        "purchase_time": int(desk.venue.clock.now()),
    }
    desk.client.answers["portfolio"] = lambda _: {"contracts": [listed]}
    assert not (await settle_in(desk, 300)).ready
    assert desk.ledger.intents.unresolved()[0].state is IntentState.UNKNOWN


async def test_a_purchase_later_than_believed_possible_is_adopted_and_halts(
    desk: Any, order: Callable[..., Order]
) -> None:
    desk.venue.fates = lambda _: (True, 200, "lost")
    await buy(desk, order("d1"))
    desk.connect()
    assert (await settle_in(desk, 150)).ready
    desk.venue.advance(100)
    report = await desk.recover()
    assert report.halted is not None
    assert "ruled out" in report.halted
    assert desk.latch.halted
    assert [i.state for i in desk.ledger.intents.trades()] == [IntentState.LATE_BOUND]
    desk.venue.advance(13)
    await desk.recover()
    assert desk.ledger.cash.total_cents() == desk.venue.balance
    assert desk.ledger.intents.trades()[0].outcome in ("won", "lost")
    assert desk.ledger.exposure_cents() == 0


async def test_a_refusal_that_was_a_lie_is_adopted_and_halts(desk: Any, order: Callable[..., Order]) -> None:
    desk.venue.fates = lambda _: (True, 0, "PriceMoved")
    assert (await buy(desk, order("d1"))).outcome is Outcome.REJECTED
    report = await desk.recover()
    assert report.halted is not None
    assert [i.state for i in desk.ledger.intents.trades()] == [IntentState.LATE_BOUND]


async def test_two_candidates_are_quarantined_and_never_resolve_by_themselves(
    desk: Any, order: Callable[..., Order]
) -> None:
    desk.venue.fates = lambda _: (True, 0, "lost")
    await buy(desk, order("d1"))
    desk.venue.book("CALL", 1_000, 1_953)  # a stranger buys the very same contract
    desk.connect()
    report = await settle_in(desk, 300)
    assert not report.ready
    intent = desk.ledger.intents.unresolved()[0]
    assert intent.state is IntentState.QUARANTINED
    assert (await buy(desk, order("d2"))).outcome is Outcome.BLOCKED


async def test_a_foreign_purchase_halts_once_and_a_resume_accepts_it(desk: Any, order: Callable[..., Order]) -> None:
    desk.venue.book("PUT", 700, 1_367)
    report = await desk.recover()
    assert report.halted is not None
    assert "not ours" in report.halted
    desk.latch.resume("it was me, on the phone", "operator")
    assert (await desk.recover()).ready
    assert (await buy(desk, order("d1"))).outcome is Outcome.BOUGHT
    desk.venue.advance(20)
    assert (await desk.recover()).ready
    assert desk.ledger.cash.total_cents() == desk.venue.balance


async def test_a_balance_that_no_row_explains_halts_after_a_minute(desk: Any) -> None:
    desk.venue.balance += 1
    assert not (await desk.recover()).ready
    assert not desk.latch.halted, "rows may lag"
    desk.venue.advance(61)
    report = await desk.recover()
    assert desk.latch.halted
    assert report.halted is not None
    assert "holds 1000001 cents, the ledger 1000000" in report.halted


async def test_a_statement_that_lags_a_few_seconds_only_delays(desk: Any, order: Callable[..., Order]) -> None:
    desk.venue.lag = 3
    desk.venue.fates = lambda _: (True, 0, "lost")
    await buy(desk, order("d1"))
    desk.connect()
    assert not (await desk.recover()).ready
    assert (await settle_in(desk, 60, step=1)).ready
    assert not desk.latch.halted
    assert desk.ledger.cash.total_cents() == desk.venue.balance


async def test_a_purchase_that_the_stream_told_before_the_statement_waits_for_its_description(
    desk: Any, order: Callable[..., Order]
) -> None:
    """Found by the simulation: without its shortcode the row looked like a foreign purchase."""
    desk.venue.lag = 2
    desk.venue.fates = lambda _: (True, 0, "bad")
    desk.venue.on_row = lambda row: desk.gate.book(
        cash_row(StatementRow.from_row(row | {"shortcode": None, "payout": None}))
    )
    assert (await buy(desk, order("d1"))).outcome is Outcome.UNKNOWN
    desk.connect()
    assert not (await desk.recover()).ready
    assert not desk.latch.halted
    assert (await settle_in(desk, 10, step=1)).ready
    assert len(desk.ledger.intents.trades()) == 1


async def test_a_missing_row_in_the_middle_is_a_disagreement(desk: Any) -> None:
    desk.venue.deposit(100)
    desk.venue.deposit(200)
    hidden = desk.venue.rows.pop(0)
    report = await desk.recover()
    assert not report.ready
    assert desk.ledger.cash.total_cents() == 1_000_000
    desk.venue.rows.insert(0, hidden)
    assert (await desk.recover()).ready


async def test_a_confirmed_contract_that_nobody_was_charged_for_halts(desk: Any, order: Callable[..., Order]) -> None:
    await buy(desk, order("d1"))
    row = desk.venue.rows.pop()
    desk.venue.balance += -round(row["amount"] * 100)
    desk.venue.open.clear()
    await settle_in(desk, 100)
    assert desk.latch.halted


async def test_many_rows_are_read_by_time_windows_not_by_offset(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement, "PAGE", 7)
    for _ in range(40):
        desk.venue.deposit(3)
        desk.venue.deposit(4)
        desk.venue.advance(1)
    asked = []
    honest = desk.client.answers["statement"]
    desk.client.answers["statement"] = lambda payload: asked.append(payload) or honest(payload)
    assert (await desk.recover()).ready
    assert len(asked) > 10
    assert all(p["offset"] == 0 for p in asked)
    assert desk.ledger.cash.total_cents() == desk.venue.balance


async def test_an_hour_of_offline_trading_history_fits_the_frame_limit() -> None:
    assert statement.PAGE * 600 < 256 * 1024, "bytes of a described row, generously, against the socket's limit"


async def test_the_wrong_account_currency_or_exchange_is_refused(desk: Any, order: Callable[..., Order]) -> None:
    honest = desk.client.answers["balance"]
    desk.client.answers["balance"] = lambda p: honest(p) | {"loginid": "CR1"}
    with pytest.raises(RecoveryError, match="account CR1"):
        await desk.recover()
    desk.client.answers["balance"] = lambda p: honest(p) | {"currency": "EUR"}
    with pytest.raises(RecoveryError, match="EUR"):
        await desk.recover()
    desk.client.answers["balance"] = honest
    await buy(desk, order("d1"))
    await desk.recover()
    desk.client.answers["time"] = lambda _: 1_772_000_000
    with pytest.raises(RecoveryError, match="another exchange session"):
        await recover(desk.client, desk.ledger, desk.latch, desk.limits, 1_772_000_000.0)


async def test_clocks_that_differ_keep_the_gate_closed(desk: Any) -> None:
    for skew, ready in ((-4.0, False), (-2.0, True), (0.0, True), (2.9, True), (3.1, False)):
        now = desk.venue.clock.now() + skew
        report = await recover(desk.client, desk.ledger, desk.latch, desk.limits, now)
        assert report.ready is ready, (skew, report.waiting)


async def test_the_opening_is_not_recorded_at_a_time_in_doubt(
    venue: Any, open_desk: Callable[..., Any], order: Callable[..., Order]
) -> None:
    """Found by the fault drill: an opening in the future made the first purchases look like part of it."""
    desk = open_desk()
    honest = desk.client.answers["time"]
    for off in (-86_400, 300, 86_400):
        desk.client.answers["time"] = lambda _, off=off: int(venue.clock.now()) + off
        report = await desk.recover()
        assert not report.ready
        assert report.skew_s == off
        assert desk.ledger.fresh
    desk.client.answers["time"] = lambda _: int(venue.clock.now()) + 2  # as much as a clock may be wrong
    assert (await desk.recover()).ready
    desk.client.answers["time"] = honest
    assert (await buy(desk, order("d1"))).outcome is Outcome.BOUGHT
    assert (await desk.recover()).ready
    assert desk.ledger.cash.total_cents() == venue.balance == 999_000
    assert not desk.latch.halted


async def test_a_time_that_is_wrong_once_is_waited_for(desk: Any, order: Callable[..., Order]) -> None:
    """Found by the fault drill: it looked like another exchange session, and the program ended."""
    await buy(desk, order("d1"))
    await desk.recover()
    honest = desk.client.answers["time"]
    desk.client.answers["time"] = lambda _: int(desk.venue.clock.now()) - 86_400
    report = await desk.recover()
    assert not report.ready
    assert "our clock differs" in report.waiting[0]
    assert (await buy(desk, order("d2"))).outcome is Outcome.BLOCKED
    desk.client.answers["time"] = honest
    assert (await desk.recover()).ready
    assert not desk.latch.halted


async def test_a_time_in_the_future_rules_nothing_out(desk: Any, order: Callable[..., Order]) -> None:
    desk.venue.fates = lambda _: (True, 60, "lost")
    await buy(desk, order("d1"))
    desk.connect()
    honest, later = desk.client.answers["time"], iter(range(1_000, 100_000, 100))
    desk.client.answers["time"] = lambda _: int(desk.venue.clock.now()) + next(later)
    for _ in range(10):
        assert not (await desk.recover()).ready
    assert desk.ledger.intents.unresolved()[0].state is IntentState.UNKNOWN
    assert desk.ledger.notes("clean_read", 1) == []
    desk.client.answers["time"] = honest
    assert (await settle_in(desk, 200)).ready
    assert [i.contract_id for i in desk.ledger.intents.trades()] == sorted(desk.venue.bought())
    assert not desk.latch.halted


async def test_a_cash_row_before_the_opening_waits_for_the_statement(
    venue: Any, open_desk: Callable[..., Any], order: Callable[..., Order]
) -> None:
    """Found by the fault drill: the stream was faster than the first recovery, and the runner halted."""
    desk = open_desk()
    venue.on_row = lambda row: rows.append(cash_row(StatementRow.from_row(row)))
    rows: list[CashRow] = []
    desk.venue.broken = {"statement"}
    assert not (await desk.recover()).ready
    venue.deposit(500)
    assert desk.gate.book(rows[0]).result is Booked.GAP
    assert not desk.gate.armed
    assert (await buy(desk, order("d1"))).outcome is Outcome.BLOCKED
    desk.venue.broken = set()
    assert (await desk.recover()).ready
    assert desk.gate.book(rows[0]).result is Booked.PRIOR, "the opening contains it"
    venue.deposit(7)
    assert desk.gate.book(rows[1]).result is Booked.BOOKED
    assert desk.ledger.cash.total_cents() == venue.balance == 1_000_507
    assert not desk.latch.halted


async def test_recovering_twice_changes_nothing(desk: Any, order: Callable[..., Order]) -> None:
    desk.venue.fates = lambda _: (True, 0, "lost")
    await buy(desk, order("d1"))
    desk.connect()
    await desk.recover()
    ledger: Ledger = desk.ledger
    before = (ledger.intents.all(), ledger.cash.rows())
    report = await desk.recover()
    assert report.ready
    assert (ledger.intents.all(), ledger.cash.rows()) == before


async def test_an_intent_that_was_never_sent_is_abandoned_at_the_next_start(
    desk: Any, open_desk: Callable[..., Any], order: Callable[..., Order]
) -> None:
    desk.ledger.intents.prepare(order("d1"), desk.venue.clock.now())
    desk.close()
    again = open_desk()
    report = await again.recover()
    assert report.ready
    assert [i.state for i in report.abandoned] == [IntentState.ABANDONED]
