"""Which shadow trades count, and for whom."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.records import shadow_end, shadow_trade
from xtitan_core.evidence.cash_account import CashAccount, EvidenceError, Outcome, without_overlap
from xtitan_core.evidence.certificate import Certificate
from xtitan_core.evidence.lineage import LineageEvidence
from xtitan_core.evidence.shadow_trades import Candidate, Excluded
from xtitan_core.journal import AnyRecord, MissedRecord, SessionRecord, ShadowSettlementRecord, ShadowTradeRecord

FIRST = Candidate("1" * 64, 1, 1_000, ("R_100",))
SECOND = Candidate("2" * 64, 2, 5_000, ("R_100",))
RATIO = 0.95
_numbers = count(1)


def session(account: str = "DOT90000001") -> SessionRecord:
    return SessionRecord(
        epoch=0,
        runner_version="0.1.0",
        environment="paper",
        account_id=account,
        venue="http://127.0.0.1",
        config_sha256="0" * 64,
    )


def trade(
    bundle: Candidate, epoch: int, *, counted: bool = True, payout: int = 1_950, symbol: str = "R_100", name: str = ""
) -> ShadowTradeRecord:
    return shadow_trade(
        epoch=epoch,
        trade_id=name or f"t{next(_numbers)}",
        bundle_id=bundle.bundle_id,
        symbol=symbol,
        payout_cents=payout,
        counted=counted,
    )


def end(of: ShadowTradeRecord, outcome: str = "won", *, entry: int = 2, exit: int = 12) -> ShadowSettlementRecord:
    return shadow_end(of, outcome, entry_after=entry, exit_after=exit, epoch=of.epoch + max(exit, 0))


def evidence_of(
    *records: AnyRecord, candidates: tuple[Candidate, ...] = (FIRST,), haircut: float = 0.0
) -> LineageEvidence:
    evidence = LineageEvidence(candidates, haircut=haircut)
    for record in records:
        evidence.record(record)
    return evidence


def test_a_wanted_trade_after_registration_counts_in_both_bankrolls() -> None:
    bought = trade(FIRST, 1_001)
    evidence = evidence_of(session(), bought, end(bought))
    assert evidence.e_own == evidence.e_lineage == pytest.approx(without_overlap(1, 0, RATIO))
    assert (evidence.counted.settled, evidence.counted.wins) == (1, 1)
    assert evidence.path == [(0, 1.0, 1.0), (1, evidence.e_own, evidence.e_lineage)]
    assert evidence.account_id == "paper:DOT90000001"
    assert [(e.outcome, e.own, e.lineage) for e in evidence.events] == [(None, True, True), (Outcome.WON, True, True)]


@pytest.mark.parametrize(
    ("bought", "reason"),
    [
        (trade(FIRST, 1_000), Excluded.BEFORE_REGISTRATION),
        (trade(FIRST, 1_001, counted=False), Excluded.NOT_WANTED),
        (trade(FIRST, 1_001, symbol="R_50"), Excluded.OTHER_SYMBOL),
    ],
)
def test_what_is_not_evidence_is_counted_as_such(bought: ShadowTradeRecord, reason: Excluded) -> None:
    evidence = evidence_of(session(), bought, end(bought))
    assert evidence.e_own == evidence.e_lineage == 1.0
    assert evidence.excluded == {reason: 1}
    assert evidence.events == []


def test_without_a_session_there_is_no_account_and_no_evidence() -> None:
    bought = trade(FIRST, 1_001)
    assert evidence_of(bought, end(bought)).excluded == {Excluded.NO_ACCOUNT: 1}


def test_another_account_is_another_registration() -> None:
    here, there = trade(FIRST, 1_001), trade(FIRST, 1_101)
    evidence = evidence_of(session(), here, end(here), session("DOT90000002"), there, end(there, "lost"))
    assert evidence.excluded == {Excluded.OTHER_ACCOUNT: 1}
    assert evidence.e_own == pytest.approx(without_overlap(1, 0, RATIO))


def test_a_commission_that_moved_by_more_than_a_third_of_a_point_is_another_registration() -> None:
    first, same, moved = trade(FIRST, 1_001), trade(FIRST, 1_101, payout=1_955), trade(FIRST, 1_201, payout=1_900)
    evidence = evidence_of(session(), first, end(first), same, end(same), moved, end(moved))
    assert evidence.excluded == {Excluded.COMMISSION_MOVED: 1}
    assert evidence.counted.settled == 2


def test_every_slot_gives_a_bound_and_no_evidence() -> None:
    records: list[AnyRecord] = [session()]
    for i in range(600):
        bought = trade(FIRST, 1_001 + 14 * i, counted=False)
        records += [bought, end(bought, "won" if i % 2 else "lost")]
    evidence = evidence_of(*records)
    assert evidence.e_own == 1.0
    assert (evidence.slots.settled, evidence.slots.wins) == (600, 300)
    assert evidence.slots.ceiling.value < 0.15
    assert evidence.counted.ceiling.value == 0.6


def test_evidence_survives_retraining_in_the_lineage_and_only_there() -> None:
    old, late, new = trade(FIRST, 4_001), trade(FIRST, 6_001), trade(SECOND, 6_002)
    evidence = evidence_of(session(), old, end(old), late, end(late, "lost"), new, end(new), candidates=(FIRST, SECOND))
    assert evidence.subject is SECOND
    assert evidence.e_own == pytest.approx(without_overlap(1, 0, RATIO))
    assert evidence.e_lineage == pytest.approx(without_overlap(2, 0, RATIO)), "the old model's late loss does not count"
    assert evidence.path[0] == (0, 1.0, pytest.approx(without_overlap(1, 0, RATIO)))


def test_a_lineage_starts_again_on_another_account() -> None:
    old, new = trade(FIRST, 4_001), trade(SECOND, 6_001)
    evidence = evidence_of(session(), old, end(old), session("DOT90000002"), new, end(new), candidates=(FIRST, SECOND))
    assert evidence.e_lineage == evidence.e_own == pytest.approx(without_overlap(1, 0, RATIO))
    assert {e.account for e in evidence.events} == {"paper:DOT90000001", "paper:DOT90000002"}


@pytest.mark.parametrize(("entry", "exit"), [(0, 12), (-2, 12), (6, 4)])
def test_a_settlement_that_contradicts_its_trade_pays_nothing(entry: int, exit: int) -> None:
    """Entry must come strictly after the start, and the exit not before it."""
    bought = trade(FIRST, 1_001)
    evidence = evidence_of(session(), bought, end(bought, entry=entry, exit=exit))
    assert evidence.open_trades == 1
    assert evidence.counted.settled == 0
    assert evidence.e_own < 1.0


def test_duplicates_and_strays_change_nothing() -> None:
    bought = trade(FIRST, 1_001, name="same")
    again, stranger = trade(FIRST, 1_101, name="same"), trade(SECOND, 1_201)
    evidence = evidence_of(session(), bought, end(bought), again, end(again), end(bought), stranger, end(stranger))
    assert evidence.e_own == pytest.approx(without_overlap(1, 0, RATIO))
    assert evidence.excluded == {Excluded.DUPLICATE: 1}


def test_missed_trades_are_published_by_reason() -> None:
    missed = [
        MissedRecord(epoch=1_001, decision_id="d", bundle_id=FIRST.bundle_id, reason=reason)
        for reason in ("no_quote", "stale_quote", "no_quote")
    ]
    assert evidence_of(session(), *missed).missed == {"no_quote": 2, "stale_quote": 1}


def test_a_quote_that_cannot_be_is_refused() -> None:
    with pytest.raises(EvidenceError, match="quote of 990 for 1000"):
        evidence_of(session(), trade(FIRST, 1_001, payout=990))


def test_a_lineage_needs_distinct_candidates() -> None:
    for candidates in ((), (FIRST, FIRST)):
        with pytest.raises(EvidenceError, match="registered once"):
            LineageEvidence(candidates)


@given(
    st.lists(
        st.tuples(st.sampled_from(["won", "lost", "refunded"]), st.integers(0, 3), st.integers(1_940, 1_950)),
        max_size=30,
    )
)
def test_the_bankroll_is_the_cash_account_over_the_exported_events(trades: list[tuple[str, int, int]]) -> None:
    """Whatever overlaps, replaying the events that are exported gives the same bankroll."""
    records: list[AnyRecord] = [session()]
    waiting: list[tuple[int, AnyRecord]] = []
    for i, (outcome, hold, payout) in enumerate(trades):
        bought = trade(FIRST, 1_001 + 20 * i, payout=payout)
        records.append(bought)
        waiting.append((i + hold, end(bought, outcome)))
        records += [settled for due, settled in waiting if due == i]
        waiting = [item for item in waiting if item[0] > i]
    evidence = evidence_of(*records, haircut=0.01)
    replayed = CashAccount(haircut=0.01)
    for event in evidence.events:
        if event.outcome is None:
            replayed.purchase(event.trade_id, event.payout_cents / event.ask_cents - 1.0)
        else:
            replayed.settle(event.trade_id, event.outcome)
    assert replayed.bankroll == evidence.e_own == evidence.e_lineage
    assert evidence.open_trades == len(waiting)


def certificate(**changes: object) -> Certificate:
    fields: dict[str, object] = {
        "model_name": "R_100-rise_fall-5t",
        "model_version": "3",
        "bundle_id": "ab" * 32,
        "account_id": "paper:DOT90000001",
        "symbol": "R_100",
        "registered_epoch": 1_000,
        "last_epoch": 90_000,
        "promote": True,
        "rule": "lineage",
        "e_lineage": 55.5,
        "e_own": 21.0,
        "need_lineage": 40.0,
        "need_own": 20.0,
        "need_alone": 2_000.0,
        "edges": (0.01, 0.02, 0.04, 0.08, 0.16),
        "haircut": 0.01,
        "trades": 700,
        "wins": 400,
        "refunds": 0,
        "open_trades": 1,
        "ratio": 0.95,
        "break_even": 0.5128,
        "win_rate": 0.5714,
        "win_rate_low": 0.51,
        "edge_low": -0.01,
        "edge_high": 0.18,
        "max_overlap": 1,
        "candidates": 3,
        "budget_left": 47,
        "missed": {"stale_quote": 2},
        "excluded": {},
        "trades_sha256": "cd" * 32,
    }
    return Certificate(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_certificate_says_what_the_gate_saw() -> None:
    text = certificate().text()
    for shown in (
        "PROMOTED by the lineage rule",
        "55.5",
        "needs 40",
        "700 settled, 400 won",
        "stale_quote 2",
        "47 left",
    ):
        assert shown in text
    assert "NOT PROMOTED" in certificate(promote=False, rule="").text()


def test_a_certificate_is_identified_by_every_one_of_its_numbers() -> None:
    assert certificate().sha256 == certificate().sha256
    assert certificate().sha256 != certificate(wins=401).sha256
    assert certificate().as_dict()["edges"] == [0.01, 0.02, 0.04, 0.08, 0.16]
    with pytest.raises(ValueError, match="not JSON compliant"):
        certificate(e_own=float("nan")).canonical_bytes()
