"""The journal writer: nothing flushed is lost, nothing is written twice, whatever moment the process dies at."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from live_runner.journal.writer import INDEX, Journal
from support.disk import Synced
from support.records import shadow_end, shadow_trade
from xtitan_core.journal import (
    AnyRecord,
    JournalError,
    MissedRecord,
    ShadowSettlementRecord,
    ShadowTradeRecord,
    TradeRecord,
    read_journal,
    segment_name,
)


def missed(n: int) -> MissedRecord:
    return MissedRecord(epoch=1_000 + n, decision_id=f"d{n}", bundle_id="b", reason="no_quote")


def shadow(n: int) -> ShadowTradeRecord:
    return shadow_trade(epoch=1_000 + n, trade_id=f"t{n}", decision_id=f"d{n}")


def settled(n: int) -> ShadowSettlementRecord:
    return shadow_end(shadow(n))


def bought(intent: int, contract: int = 0) -> TradeRecord:
    return TradeRecord(
        epoch=1_000,
        intent_id=intent,
        decision_id=f"d{intent}",
        bundle_id="b",
        model_name="m",
        symbol="R_100",
        contract_id=contract or 500 + intent,
        contract_type="CALL",
        duration=5,
        duration_unit="t",
        buy_cents=84,
        payout_cents=164,
        probability=0.6,
    )


def writer(folder: Path, **changes: Any) -> Journal:
    return Journal(folder, **{"segment_records": 1_000, "segment_seconds": 10_000, "batch": 4, **changes})


def abandon(journal: Journal) -> None:
    """What SIGKILL leaves: files as they are, the lock gone."""
    journal._spool.close()
    journal._lock.close()


def content(folder: Path) -> list[AnyRecord]:
    return [record for segment in read_journal(folder) for record in segment.records]


def test_closing_seals_everything_into_one_chain(tmp_path: Path) -> None:
    for round_ in range(3):
        journal = writer(tmp_path)
        journal.add(*(missed(10 * round_ + k) for k in range(7)))
        journal.close()
    assert [segment.sequence for segment in read_journal(tmp_path)] == [1, 2, 3]
    assert content(tmp_path) == [missed(10 * r + k) for r in range(3) for k in range(7)]
    assert list(tmp_path.glob("spool-*")) == []


def test_closing_with_nothing_new_writes_nothing(tmp_path: Path) -> None:
    writer(tmp_path).close()
    assert list(read_journal(tmp_path)) == []


def test_what_was_flushed_survives_a_kill_and_what_was_not_is_lost(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.add(*(missed(k) for k in range(6)))
    journal.flush()
    journal.add(missed(6))
    abandon(journal)
    again = writer(tmp_path)
    assert again.pending == [missed(k) for k in range(6)]
    again.add(missed(7))
    again.close()
    assert content(tmp_path) == [missed(k) for k in (0, 1, 2, 3, 4, 5, 7)]


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.add(missed(0), missed(1))
    journal.flush()
    abandon(journal)
    with open(tmp_path / "spool-00000001.jsonl", "ab") as spool:
        spool.write(missed(2).model_dump_json().encode()[:-5])
    again = writer(tmp_path)
    again.add(missed(3))
    again.close()
    assert content(tmp_path) == [missed(0), missed(1), missed(3)]


def test_a_kill_between_segment_and_spool_duplicates_nothing(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.add(missed(0), missed(1))
    journal.flush()
    spool = tmp_path / "spool-00000001.jsonl"
    kept = shutil.copy(spool, tmp_path / "kept")
    journal.seal()
    abandon(journal)
    shutil.move(kept, spool)
    (tmp_path / INDEX).unlink()
    again = writer(tmp_path)
    again.add(missed(2))
    again.close()
    assert content(tmp_path) == [missed(0), missed(1), missed(2)]


@pytest.mark.parametrize("lose_index", [False, True])
def test_a_restart_knows_trades_and_open_shadow_trades(tmp_path: Path, lose_index: bool) -> None:
    journal = writer(tmp_path)
    journal.add(bought(3), shadow(0), shadow(1), shadow(2), settled(0))
    journal.seal()
    journal.add(settled(2))
    journal.flush()
    abandon(journal)
    if lose_index:
        (tmp_path / INDEX).unlink()
    again = writer(tmp_path)
    assert again.index.trades == {503}
    assert list(again.index.shadow.values()) == [shadow(1)]
    again.close()


def test_segments_are_sealed_by_count_and_by_time(tmp_path: Path) -> None:
    journal = writer(tmp_path, segment_records=5, segment_seconds=100)
    for k in range(5):
        journal.add(missed(k))
    assert journal.index.sequence == 1
    journal.add(missed(10), missed(200))
    assert journal.index.sequence == 2
    journal.close()


def test_two_writers_cannot_share_a_folder(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    with pytest.raises(JournalError, match="in use by another runner"):
        writer(tmp_path)
    journal.close()
    writer(tmp_path).close()


def test_a_missing_segment_is_noticed(tmp_path: Path) -> None:
    for k in range(3):
        journal = writer(tmp_path)
        journal.add(missed(k))
        journal.close()
    (tmp_path / segment_name(2)).unlink()
    (tmp_path / INDEX).unlink()
    with pytest.raises(JournalError, match="segment 2"):
        writer(tmp_path)


def test_a_damaged_spool_is_not_guessed_at(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.add(missed(0), missed(1))
    journal.flush()
    abandon(journal)
    spool = tmp_path / "spool-00000001.jsonl"
    spool.write_bytes(spool.read_bytes().replace(b'"missed"', b'"mussed"', 1))
    with pytest.raises(JournalError, match="line 1"):
        writer(tmp_path)


def test_a_failed_write_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines may be in the file although the call failed; writing them again would double them."""
    journal = writer(tmp_path)
    journal.add(missed(0), missed(1))
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            journal.flush()
    journal.flush()
    abandon(journal)
    again = writer(tmp_path)
    assert again.pending == [missed(0), missed(1)]
    again.close()


def test_a_restart_knows_how_far_the_venues_time_had_come(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    assert journal.index.last_epoch == 0
    journal.add(missed(50), missed(20))
    journal.close()
    journal = writer(tmp_path)
    assert journal.index.last_epoch == 1_050
    journal.add(missed(70))
    journal.flush()
    abandon(journal)
    journal = writer(tmp_path)
    assert journal.index.last_epoch == 1_070
    journal.close()


def test_spool_and_segments_survive_a_power_cut_and_an_unreadable_index_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "journal"
    synced = Synced(monkeypatch)
    journal = writer(folder)
    assert folder in synced, "a new spool's name"
    journal.add(missed(0))
    assert folder / "spool-00000001.jsonl" not in synced
    journal.flush()
    assert folder / "spool-00000001.jsonl" in synced
    journal.seal()
    assert folder / segment_name(1) in synced
    assert folder / INDEX not in synced, "it is made again"
    journal.close()
    (folder / INDEX).write_bytes(b"")  # what a power cut may leave of a file that was not fsynced
    again = writer(folder)
    assert (again.index.sequence, again.index.last_epoch) == (1, 1_000)
    again.close()


@pytest.mark.parametrize("fails", ["sync_folder", "write_atomically"])
def test_what_is_in_a_segment_is_not_sealed_again_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    journal = writer(tmp_path)
    journal.add(missed(0), missed(1))

    def full(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(f"live_runner.journal.writer.{fails}", full)
        with pytest.raises(OSError, match="Input/output"):
            journal.seal()
    journal.close()
    assert [record for segment in read_journal(tmp_path) for record in segment.records] == [missed(0), missed(1)]
    again = writer(tmp_path)
    assert again.pending == []
    again.close()
