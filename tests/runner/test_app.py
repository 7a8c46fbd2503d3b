"""The whole runner against the whole exchange: real processes, real sockets, real signed bundles, lockstep time."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xtitan_core.journal import (
    DecisionRecord,
    RoleRecord,
    SessionRecord,
    ShadowSettlementRecord,
    ShadowTradeRecord,
    TradeRecord,
    TradeSettlementRecord,
    read_journal,
)

Start = Callable[..., Any]
pytestmark = pytest.mark.slow


def records(host: Any) -> list[Any]:
    return [record for segment in read_journal(host.journal) for record in segment.records]


def of(kind: type, journal: list[Any]) -> list[Any]:
    return [record for record in journal if isinstance(record, kind)]


def names_in(figures: dict[str, Any], role: str) -> tuple[list[str], list[str]]:
    """The names in a status or a summary, and those of the model in a role."""
    return sorted(figures), sorted(figures["models"][role])


def names_of_0_1_0(file: str, role: str) -> tuple[list[str], list[str]]:
    """The same of one that build 0.1.0 printed."""
    return names_in(json.loads((Path(__file__).parent / "made_by_0_1_0" / file).read_text()), role)


def test_an_empty_registry_runs_without_models(host: Any, exchange: Start) -> None:
    summary = host.run(exchange(), "--stop-after-slots", "20").summary
    assert summary["slots"] == 20
    assert summary["decisions"] == {}
    assert summary["trades_opened"] == 0
    assert summary["balance_agrees"] is True
    (session,) = of(SessionRecord, records(host))
    assert (session.environment, session.account_id) == ("paper", "DOT90000001")


def test_a_shadow_model_is_watched_and_nothing_is_bought(host: Any, exchange: Start) -> None:
    venue = exchange()
    bundle_id = host.releases.bundle()
    host.releases.point("shadow", bundle_id)
    summary = host.run(venue, "--stop-after-shadow", "150", "--settle-every-slot").summary
    journal = records(host)
    trades = {trade.trade_id: trade for trade in of(ShadowTradeRecord, journal)}
    settled = of(ShadowSettlementRecord, journal)
    assert venue.truth()["buys"] == []
    assert summary["shadow_counted"] + summary["shadow_uncounted"] == len(settled) == len(trades) == 150
    assert all(trades[s.trade_id].epoch < s.entry_epoch < s.exit_epoch == s.epoch for s in settled)
    decisions = of(DecisionRecord, journal)
    assert {d.role for d in decisions} == {"shadow"}
    assert all(d.epoch % 14 == 0 for d in decisions)
    counted = [s for s in settled if trades[s.trade_id].counted]
    won = sum(s.outcome == "won" for s in counted)
    assert summary["shadow_counted_won"] == won
    assert 0.5 < won / len(counted) < 0.85
    assert of(RoleRecord, journal)[0].bundle_id == bundle_id


def test_a_champion_trades_and_every_cent_is_accounted_for(host: Any, exchange: Start) -> None:
    venue = exchange()
    host.releases.point("champion", host.releases.bundle())
    summary = host.run(venue, "--stop-after-trades", "25").summary
    truth, journal = venue.truth(), records(host)
    trades, ends = of(TradeRecord, journal), of(TradeSettlementRecord, journal)
    assert summary["trades_settled"] >= 25
    assert names_in(summary, "champion") == names_of_0_1_0("summary.json", "champion")
    assert summary["ledger_total_cents"] == venue.balance_cents()
    assert summary["balance_agrees"] is True
    assert {t.contract_id for t in trades} == {b["contract_id"] for b in truth["buys"]}
    assert {e.contract_id for e in ends} == {t.contract_id for t in trades}
    # The canary's stake is the smallest one that is as good a bet as the evidence's.
    assert all(35 < t.buy_cents < 1_000 for t in trades)
    # Each purchase has its decision and its shadow twin, so live and shadow can be compared pair by pair.
    decided = {d.decision_id for d in of(DecisionRecord, journal) if d.action == "buy"}
    shadowed = {s.decision_id for s in of(ShadowTradeRecord, journal)}
    assert {t.decision_id for t in trades} <= decided <= shadowed
    # In lockstep nothing comes between decision and purchase: the twins must end alike.
    twin = {r.trade_id: r.outcome for r in of(ShadowSettlementRecord, journal)}
    live = {e.intent_id: e.outcome for e in ends}
    assert [live[t.intent_id] for t in trades] == [twin[f"shadow-{t.decision_id}"] for t in trades]


def test_the_same_market_gives_the_same_decisions(host: Any, exchange: Start, tmp_path: Path) -> None:
    host.releases.point("shadow", host.releases.bundle())
    host.run(exchange(), "--stop-after-slots", "30")
    first = of(DecisionRecord, records(host))
    host.folder = tmp_path / "other"
    host.run(exchange(), "--stop-after-slots", "30")
    assert of(DecisionRecord, records(host)) == first
    assert len(first) == 30


def test_killed_between_send_and_answer_it_finds_its_contract(
    host: Any, exchange: Start, eventually: Callable[..., None]
) -> None:
    venue = exchange()
    host.releases.point("champion", host.releases.bundle())
    venue.hold_answer(5)
    runner = host.start(venue)
    eventually(lambda: any(not buy["answered"] for buy in venue.truth()["buys"]))
    runner.kill()
    assert host.status()["unresolved"] == 1
    (held,) = [buy for buy in venue.truth()["buys"] if not buy["answered"]]
    summary = host.run(venue, "--stop-after-trades", "10").summary
    journal = records(host)
    trades = [t.contract_id for t in of(TradeRecord, journal)]
    assert held["contract_id"] in trades
    assert len(trades) == len(set(trades)) == len(venue.truth()["buys"])
    ends = [e.contract_id for e in of(TradeSettlementRecord, journal)]
    assert sorted(ends) == sorted(trades)
    assert summary["unresolved"] == 0
    assert summary["ledger_total_cents"] == venue.balance_cents() == host.status()["ledger_total_cents"]


def test_an_unanswered_buy_is_resolved_on_a_new_connection(host: Any, exchange: Start, tmp_path: Path) -> None:
    venue = exchange()
    host.releases.point("champion", host.releases.bundle())
    venue.hold_answer(3)
    (tmp_path / "impatient.toml").write_text("answer_timeout_wall_seconds = 1.0\n")
    summary = host.run(venue, "--stop-after-trades", "8", "--config", str(tmp_path / "impatient.toml")).summary
    journal = records(host)
    assert len(of(SessionRecord, journal)) == 2
    assert len(of(TradeRecord, journal)) == len(venue.truth()["buys"])
    assert summary["missed"]["unknown"] == 1
    assert summary["balance_agrees"] is True


def test_shadow_trades_left_open_by_a_kill_are_settled_from_history(
    host: Any, exchange: Start, eventually: Callable[..., None]
) -> None:
    venue = exchange()
    host.releases.point("shadow", host.releases.bundle())
    runner = host.start(venue, "--settle-every-slot")
    runner.wait_for_log("connected")  # from here on it can be asked for its status
    eventually(lambda: host.status()["shadow_counted"] > 40)
    assert names_in(host.status(), "shadow") == names_of_0_1_0("status_running.json", "shadow")
    runner.kill()
    assert host.run(venue, "--stop-after-slots", "10", "--settle-every-slot").code == 0
    journal = records(host)
    opened = [t.trade_id for t in of(ShadowTradeRecord, journal)]
    settled = [s.trade_id for s in of(ShadowSettlementRecord, journal)]
    assert len(opened) == len(set(opened))
    assert sorted(settled) == sorted(opened)


def test_sigterm_in_lockstep_ends_cleanly(host: Any, exchange: Start) -> None:
    host.releases.point("champion", host.releases.bundle())
    venue = exchange()
    runner = host.start(venue)
    runner.wait_for_log("connected")
    runner.signal(signal.SIGTERM)
    summary = runner.end().summary
    assert summary["stop_reason"] == "SIGTERM"
    assert summary["open_contracts"] == summary["shadow_open"] == 0
    assert summary["balance_agrees"] is True
    assert list(host.journal.glob("spool-*")) == []


def test_time_may_run_fast_instead_of_in_lockstep(host: Any, exchange: Start) -> None:
    host.releases.point("champion", host.releases.bundle())
    venue = exchange("--speed", "50")
    summary = host.run(venue, "--stop-after-slots", "12").summary
    assert summary["slots"] == 12
    assert summary["ledger_total_cents"] == venue.balance_cents()
    assert summary["trades_opened"] == len(venue.truth()["buys"])


def test_an_exchange_that_goes_away_does_not_end_the_runner(
    host: Any, exchange: Start, eventually: Callable[..., None]
) -> None:
    host.releases.point("shadow", host.releases.bundle())
    venue = exchange()
    begun = venue.truth()["epoch"]
    runner = host.start(venue, "--settle-every-slot")
    eventually(lambda: venue.truth()["epoch"] > begun + 600)
    venue.process.terminate()
    runner.wait_for_log("reconnect failed")
    runner.signal(signal.SIGTERM)
    ended = runner.end()
    assert ended.code == 0, ended.stderr
    settled = {s.trade_id for s in of(ShadowSettlementRecord, records(host))}
    opened = {t.trade_id for t in of(ShadowTradeRecord, records(host))}
    assert settled <= opened
    assert len(opened) > 0
