"""The runner's journal: records go to an fsynced spool file, spools become sealed segments.

Each future segment has its own spool (``spool-00000003.jsonl`` becomes segment 3), so a crash between sealing a
segment and deleting its spool does not duplicate a record: a spool whose segment exists is deleted. A torn last line
of a spool was not fsynced, so nobody relied on it, and is dropped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from xtitan_core.files import sync_folder, write_atomically
from xtitan_core.journal import (
    GENESIS,
    AnyRecord,
    JournalError,
    ShadowSettlementRecord,
    ShadowTradeRecord,
    TradeRecord,
    TradeSettlementRecord,
    read_segment,
    segment_name,
    write_segment,
)

_RECORD: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord)
_SHADOW: TypeAdapter[list[ShadowTradeRecord]] = TypeAdapter(list[ShadowTradeRecord])
INDEX = "index.json"


@dataclass
class JournalIndex:
    """What the journal holds so far, as far as a restart needs it.

    Attributes:
        sequence: last sealed segment this index has seen.
        sha256: that segment's hash.
        last_epoch: newest venue time of any record.
        trades: contracts whose purchase is in the journal (intent numbers are those of one ledger only).
        settlements: contracts whose settlement is in the journal.
        shadow: shadow trades without a settlement, by trade id.
    """

    sequence: int = 0
    sha256: str = GENESIS
    last_epoch: int = 0
    trades: set[int] = field(default_factory=set)
    settlements: set[int] = field(default_factory=set)
    shadow: dict[str, ShadowTradeRecord] = field(default_factory=dict)

    def note(self, record: AnyRecord) -> None:
        """Account for one record."""
        self.last_epoch = max(self.last_epoch, record.epoch)
        if isinstance(record, TradeRecord):
            self.trades.add(record.contract_id)
        elif isinstance(record, TradeSettlementRecord):
            self.settlements.add(record.contract_id)
        elif isinstance(record, ShadowTradeRecord):
            self.shadow[record.trade_id] = record
        elif isinstance(record, ShadowSettlementRecord):
            self.shadow.pop(record.trade_id, None)

    def save(self, path: Path) -> None:
        """Write atomically, not durably: after a power cut it may be older than the segments, or unreadable.

        Nothing is lost then. It is a cache, and a start reads the segments that it does not cover.
        """
        body = {
            "sequence": self.sequence,
            "sha256": self.sha256,
            "last_epoch": self.last_epoch,
            "trades": sorted(self.trades),
            "settlements": sorted(self.settlements),
            "shadow": [trade.model_dump(mode="json") for trade in self.shadow.values()],
        }
        write_atomically(path, json.dumps(body).encode(), durable=False)

    @classmethod
    def load(cls, path: Path) -> JournalIndex:
        """The saved index, or an empty one when there is none that can be read."""
        try:
            body = json.loads(path.read_text())
            shadow = _SHADOW.validate_python(body["shadow"])
            return cls(
                int(body["sequence"]),
                str(body["sha256"]),
                int(body["last_epoch"]),
                set(map(int, body["trades"])),
                set(map(int, body["settlements"])),
                {trade.trade_id: trade for trade in shadow},
            )
        except (OSError, ValueError, KeyError, TypeError):
            return cls()


class Journal:
    """Writer of one journal folder; one process at a time.

    Attributes:
        index: what the journal holds, kept current with every record.
        pending: records that are in the spool or the buffer and in no segment yet.
    """

    def __init__(self, folder: Path, *, segment_records: int, segment_seconds: int, batch: int = 128) -> None:
        """Open the folder, verify what is new in it, and take up an unsealed spool.

        Args:
            folder: where segments go.
            segment_records: seal after so many records.
            segment_seconds: seal once records span so many venue seconds.
            batch: flush the buffer after so many records.

        Raises:
            JournalError: another process writes here, or a segment or spool is broken.
        """
        self._folder, self._batch = folder, batch
        self._segment_records, self._segment_seconds = segment_records, segment_seconds
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = open(folder / ".lock", "w")  # noqa: SIM115 - held for the life of the journal
        except OSError as error:
            raise JournalError(f"journal folder {folder}: {error.strerror}; choose a writable folder") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise JournalError(f"journal folder {folder} is in use by another runner; stop it first") from None
        try:
            self._resume()
        except BaseException:
            self._lock.close()
            raise

    def _resume(self) -> None:
        self.index = JournalIndex.load(self._folder / INDEX)
        if self.index.sequence and not (self._folder / segment_name(self.index.sequence)).exists():
            self.index = JournalIndex()
        while (path := self._folder / segment_name(self.index.sequence + 1)).exists():
            segment = read_segment(path)
            if segment.previous != self.index.sha256:
                raise JournalError(f"{path.name}: not the successor of segment {self.index.sequence}")
            for record in segment.records:
                self.index.note(record)
            self.index.sequence, self.index.sha256 = segment.sequence, segment.sha256
        newest = max((p.name for p in self._folder.glob("journal-*.jsonl.gz")), default="")
        if newest > segment_name(self.index.sequence):
            raise JournalError(f"{newest}: segment {self.index.sequence + 1} before it is missing; restore it")
        for stale in self._folder.glob("spool-*.jsonl"):
            if stale.name < self._spool_path.name:
                stale.unlink()
        self.pending: list[AnyRecord] = _read_spool(self._spool_path)
        for record in self.pending:
            self.index.note(record)
        self._buffer: list[AnyRecord] = []
        self._spool = self._open_spool()

    def _open_spool(self) -> IO[bytes]:
        """Open the next segment's spool and fsync the folder, so that the file itself survives a power cut, too."""
        spool = open(self._spool_path, "ab")  # noqa: SIM115 - closed by seal() or close()
        try:
            sync_folder(self._folder)
        except OSError:
            spool.close()
            raise
        return spool

    @property
    def _spool_path(self) -> Path:
        return self._folder / f"spool-{self.index.sequence + 1:08d}.jsonl"

    def add(self, *records: AnyRecord) -> None:
        """Take records; durable at the next flush."""
        for record in records:
            self._buffer.append(record)
            self.pending.append(record)
            self.index.note(record)
        if len(self._buffer) >= self._batch:
            self.flush()
        if self.pending and (
            len(self.pending) >= self._segment_records
            or self.pending[-1].epoch - self.pending[0].epoch >= self._segment_seconds
        ):
            self.seal()

    def flush(self) -> None:
        """Make everything taken so far durable.

        Raises:
            OSError: when the disk fails; end the runner. These records are not written again: they may be in the file.
        """
        if not self._buffer:
            return
        lines, self._buffer = b"".join(_line(record) for record in self._buffer), []
        self._spool.write(lines)
        self._spool.flush()
        os.fsync(self._spool.fileno())

    def seal(self) -> int | None:
        """Turn everything pending into the next segment.

        Returns:
            Its sequence number, or None when nothing was pending.
        """
        self.flush()
        if not self.pending:
            return None
        sequence = self.index.sequence + 1
        done = self._spool_path
        self.index.sha256 = write_segment(self._folder, sequence, self.index.sha256, self.pending)
        self.index.sequence = sequence
        self.pending = []  # they are in a segment: whatever fails from here on, ``close`` must not seal them again
        self.index.save(self._folder / INDEX)
        self._spool.close()
        self._spool = self._open_spool()
        done.unlink()
        return sequence

    def close(self) -> None:
        """Seal what is pending and let the folder go."""
        self.seal()
        self._spool.close()
        with contextlib.suppress(FileNotFoundError):  # a seal that failed half-way did not open the next spool
            if self._spool_path.stat().st_size == 0:
                self._spool_path.unlink()
        self._lock.close()


def _line(record: AnyRecord) -> bytes:
    return record.model_dump_json().encode() + b"\n"


def _read_spool(path: Path) -> list[AnyRecord]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    whole, _, torn = content.rpartition(b"\n")
    if torn:
        os.truncate(path, len(content) - len(torn))
    return list(_parse(path, whole.splitlines()))


def _parse(path: Path, lines: Iterable[bytes]) -> Iterable[AnyRecord]:
    for number, line in enumerate(lines, 1):
        try:
            yield _RECORD.validate_json(line, by_alias=True, by_name=False)
        except ValidationError as error:
            raise JournalError(f"{path.name}: line {number} is not a record ({error.error_count()} errors)") from error
