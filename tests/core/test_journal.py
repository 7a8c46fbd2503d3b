"""The journal: what was written is what is read, and anything else is noticed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from xtitan_core.journal import (
    GENESIS,
    AnyRecord,
    HaltRecord,
    JournalError,
    MissedRecord,
    read_journal,
    read_segment,
    segment_name,
    write_segment,
)

RECORDS: list[AnyRecord] = [
    MissedRecord(epoch=10, decision_id="d1", bundle_id="b", reason="no_quote"),
    HaltRecord(epoch=12, halted=True, reason="day loss", by="limits"),
]


def two_segments(folder: Path) -> None:
    first = write_segment(folder, 1, GENESIS, RECORDS)
    write_segment(folder, 2, first, RECORDS[:1])


def test_records_come_back_in_order(tmp_path: Path) -> None:
    two_segments(tmp_path)
    segments = list(read_journal(tmp_path))
    assert [s.sequence for s in segments] == [1, 2]
    assert list(segments[0].records) == RECORDS


def test_the_same_records_make_the_same_bytes(tmp_path: Path) -> None:
    write_segment(tmp_path / "a", 1, GENESIS, RECORDS)
    write_segment(tmp_path / "b", 1, GENESIS, RECORDS)
    assert (tmp_path / "a" / segment_name(1)).read_bytes() == (tmp_path / "b" / segment_name(1)).read_bytes()


def test_a_missing_segment_is_noticed(tmp_path: Path) -> None:
    two_segments(tmp_path)
    (tmp_path / segment_name(1)).unlink()
    with pytest.raises(JournalError, match="not the successor"):
        list(read_journal(tmp_path))


def test_an_edited_record_is_noticed(tmp_path: Path) -> None:
    two_segments(tmp_path)
    path = tmp_path / segment_name(1)
    text = gzip.decompress(path.read_bytes()).replace(b"no_quote", b"no_trade")
    path.write_bytes(gzip.compress(text))
    with pytest.raises(JournalError, match="footer"):
        read_segment(path)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    two_segments(tmp_path)
    path = tmp_path / segment_name(1)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(JournalError):
            read_segment(path)


def test_a_segment_rewritten_with_a_valid_footer_breaks_the_chain(tmp_path: Path) -> None:
    two_segments(tmp_path)
    write_segment(tmp_path, 1, GENESIS, RECORDS[:1])
    with pytest.raises(JournalError, match="not the successor"):
        list(read_journal(tmp_path))
