"""Copy the runner's journal segments into the workspace: each is verified, copied once and never rewritten."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.files import write_atomically
from xtitan_core.journal import GENESIS, JournalError, read_journal, read_segment

PATTERN = "journal-*.jsonl.gz"


@dataclass(frozen=True, slots=True)
class JournalReport(Report):
    """The copied journal.

    Attributes:
        copied: segments copied by this run.
        segments: segments in ``data/journal``, the chain between them verified.
        records: number of records by kind.
        first_epoch, last_epoch: venue time covered; 0 without records.
        head: hash of the newest segment.
    """

    copied: int
    segments: int
    records: dict[str, int]
    first_epoch: int
    last_epoch: int
    head: str


def journal_source(home: Home) -> Path:
    """Where the runner exports: ``XTITAN_JOURNAL_SOURCE``, default ``runner/journal`` under the project's root."""
    return Path(os.environ.get("XTITAN_JOURNAL_SOURCE", home.root / "runner" / "journal")).resolve()


def pull(home: Home, source: Path) -> JournalReport:
    """Copy new segments from ``source`` (nothing when it is absent or the journal itself) and verify the whole chain.

    A segment that was copied before is left alone. If it differs from the runner's, one of the two was changed or
    belongs to another runner, and nothing is copied.

    Raises:
        StepError: a broken segment or chain, or a segment that differs from the copy.
    """
    home.journal.mkdir(parents=True, exist_ok=True)
    copied = 0
    if source.is_dir() and source.resolve() != home.journal.resolve():
        for path in sorted(source.glob(PATTERN)):
            copied += _copy(path, home.journal / path.name)
    kinds: Counter[str] = Counter()
    first = last = segments = 0
    head = GENESIS
    try:
        for segment in read_journal(home.journal):
            kinds.update(record.kind for record in segment.records)
            epochs = [record.epoch for record in segment.records]
            if epochs:
                first = min(first or epochs[0], min(epochs))
                last = max(last, max(epochs))
            segments, head = segment.sequence, segment.sha256
    except JournalError as error:
        raise StepError(f"{home.journal}: {error}; fetch the runner's segments again into an empty folder") from error
    return JournalReport(copied, segments, dict(sorted(kinds.items())), first, last, head)


def _copy(path: Path, target: Path) -> int:
    """Copy one segment unless it is there; returns the number of segments copied."""
    if target.exists():
        if target.stat().st_size != path.stat().st_size or target.read_bytes() != path.read_bytes():
            raise StepError(f"{target} differs from the runner's {path}; one journal folder belongs to one runner")
        return 0
    try:
        read_segment(path)
    except JournalError as error:
        raise StepError(f"{path.parent}: {error}; export it again from the runner") from error
    write_atomically(target, path.read_bytes(), durable=True)
    return 1
