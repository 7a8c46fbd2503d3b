"""Shadow trades settle tick by tick to exactly what the labels' vectorised code says about the same ticks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_runner.trading.shadow import ShadowTrades, contract_of
from support.records import shadow_trade
from xtitan_core.contracts import Contract, ContractType, DurationUnit, outcomes
from xtitan_core.journal import ShadowSettlementRecord, ShadowTradeRecord


def trade(start: int, kind: str = "CALL", duration: int = 5, unit: str = "t", name: str = "") -> ShadowTradeRecord:
    return shadow_trade(
        epoch=start,
        trade_id=name or f"{kind}-{start}-{duration}{unit}",
        contract_type=kind,
        duration=duration,
        duration_unit=unit,
    )


ticks = st.lists(st.tuples(st.integers(1, 4), st.integers(-2, 2)), min_size=10, max_size=60)
trades = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["CALL", "PUT"]), st.sampled_from([(1, "t"), (5, "t"), (9, "s")])),
    min_size=1,
    max_size=12,
    unique=True,
)


@settings(max_examples=150, deadline=None)
@given(ticks, trades)
def test_tick_by_tick_equals_all_at_once(
    steps: list[tuple[int, int]], wanted: list[tuple[int, str, tuple[int, str]]]
) -> None:
    epochs = np.cumsum([step for step, _ in steps]).astype(np.int64)
    quotes = (100 + np.cumsum([move for _, move in steps])).astype(np.float64)
    waiting = sorted((trade(start, kind, *length) for start, kind, length in wanted), key=lambda t: t.epoch)
    settled: dict[str, ShadowSettlementRecord] = {}
    open_trades, queue = ShadowTrades(), list(waiting)
    for epoch, quote in zip(epochs.tolist(), quotes.tolist(), strict=True):
        for record in open_trades.tick(epoch, quote):
            assert record.trade_id not in settled
            settled[record.trade_id] = record
        while queue and queue[0].epoch <= epoch:  # opened at the tick of its decision
            if queue[0].epoch == epoch:
                open_trades.open(queue[0])
            queue.pop(0)
    for t in waiting:
        if t.epoch not in epochs:
            continue
        contract = Contract(ContractType(t.contract_type), t.duration, DurationUnit(t.duration_unit))
        won, known, _ = outcomes(contract, np.array([t.epoch]), epochs, quotes)
        if known[0]:
            assert settled[t.trade_id].outcome == ("won" if won[0] else "lost")
        elif t.duration_unit == "t":
            assert t.trade_id not in settled


def test_the_tick_of_the_decision_is_not_the_entry() -> None:
    open_trades = ShadowTrades()
    open_trades.tick(10, 5.0)
    open_trades.open(trade(10, duration=1))
    assert open_trades.tick(10, 9.0) == []
    assert open_trades.tick(12, 1.0) == []
    (settlement,) = open_trades.tick(14, 2.0)
    assert (settlement.entry_epoch, settlement.entry, settlement.exit_epoch, settlement.exit) == (12, 1.0, 14, 2.0)
    assert settlement.outcome == "won"


def test_a_tie_loses_and_a_contract_without_a_second_tick_is_refunded() -> None:
    open_trades = ShadowTrades()
    open_trades.open(trade(10, duration=1))
    open_trades.open(trade(10, duration=3, unit="s"))
    open_trades.tick(12, 7.0)
    settled = {r.trade_id: r.outcome for epoch in (16, 18) for r in open_trades.tick(epoch, 7.0)}
    assert settled == {"CALL-10-1t": "lost", "CALL-10-3s": "refunded"}


def test_restored_trades_settle_from_replayed_ticks() -> None:
    open_trades = ShadowTrades()
    open_trades.restore([trade(10), trade(24)])
    assert open_trades.earliest_start == 10
    settled = [r.trade_id for k in range(20) for r in open_trades.tick(12 + 2 * k, 100.0 + k)]
    assert settled == ["CALL-10-5t", "CALL-24-5t"]
    assert open_trades.earliest_start is None
    assert len(open_trades) == 0


def test_a_trade_opens_once() -> None:
    open_trades = ShadowTrades()
    open_trades.open(trade(10))
    with pytest.raises(ValueError, match="already open"):
        open_trades.open(trade(10))


def test_the_book_forgets_ticks_nobody_needs() -> None:
    open_trades = ShadowTrades()
    for k in range(100):
        if k % 7 == 0:
            open_trades.open(trade(2 * k))
        open_trades.tick(2 * k, 100.0)
        assert len(open_trades._epochs) <= 7
    assert contract_of(trade(1, "PUT", 9, "s")) == Contract(ContractType.PUT, 9, DurationUnit.SECONDS)


def test_a_contract_in_ticks_that_takes_more_than_five_minutes_is_refunded() -> None:
    """The venue's rule (and the paper exchange's): a tick contract that does not end in 300 s gives the stake back."""
    for exit_epoch, outcome in ((310, "won"), (311, "refunded")):
        open_trades = ShadowTrades()
        open_trades.open(trade(10, duration=2))
        settled = [s for k, epoch in enumerate((12, 14, exit_epoch)) for s in open_trades.tick(epoch, 5.0 + k)]
        assert [s.outcome for s in settled] == [outcome]
