"""Records that the runner writes and the pipeline reads: the only way data flows back.

A segment is a gzip file of JSON lines: a header, records, a footer. The footer carries the number of records and the
running SHA-256, and the header of the next segment carries the previous footer's hash, so a missing, truncated or
edited segment is noticed. Money is integer cents, time is the venue's epoch seconds.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from xtitan_core.errors import XtitanError
from xtitan_core.files import write_atomically

GENESIS = "0" * 64
JOURNAL_SCHEMA = 1


class JournalError(XtitanError, ValueError):
    """A segment that is broken, out of order or not ours."""


class Record(BaseModel):
    """Base of every journal record; closed, strict and finite.

    A field with an alias has that name in the journal and its own in Python.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True
    )

    epoch: int = Field(ge=0, description="venue time, seconds UTC")


class SessionRecord(Record):
    """The runner connected to the venue: one record for each connection."""

    kind: Literal["session"] = "session"
    runner_version: str
    environment: Literal["paper", "demo", "real"]
    account_id: str
    venue: str
    config_sha256: str


class RoleRecord(Record):
    """A model was given a role, or taken out of it (``bundle_id`` empty)."""

    kind: Literal["slot"] = "slot"
    role: Literal["champion", "shadow"] = Field(alias="slot")
    model_name: str
    model_version: str
    bundle_id: str
    reason: str


class QuoteRecord(Record):
    """A price asked for while no model was loaded; payouts cannot be downloaded later, so they are recorded."""

    kind: Literal["quote"] = "quote"
    symbol: str
    spot: float
    contract_type: str
    duration: int
    duration_unit: str
    ask_cents: int
    payout_cents: int


class DecisionRecord(Record):
    """One decision of the model in one role, with everything that explains it."""

    kind: Literal["decision"] = "decision"
    decision_id: str
    role: Literal["champion", "shadow"] = Field(alias="slot")
    bundle_id: str
    model_name: str
    symbol: str
    spot: float
    probability: dict[str, float] = Field(description="calibrated win probability by contract type")
    preferred: str = Field(description="contract type with the highest probability")
    action: Literal["buy", "abstain"]
    reason: str
    ask_cents: int | None = None
    payout_cents: int | None = None
    edge: float | None = Field(default=None, description="expected value per unit of stake at the quote")
    features_sha256: str = Field(description="first 16 hex digits of the hash of the model inputs")


class ShadowTradeRecord(Record):
    """A contract decided by us and never sent; ``epoch`` is its start second."""

    kind: Literal["shadow_trade"] = "shadow_trade"
    trade_id: str
    decision_id: str
    bundle_id: str
    model_name: str
    symbol: str
    contract_type: str
    duration: int
    duration_unit: str
    ask_cents: int
    payout_cents: int
    probability: float
    counted: bool = Field(description="True when the model wanted this trade; only these are evidence")


class ShadowSettlementRecord(Record):
    """How a shadow trade ended; ``epoch`` is when it was settled."""

    kind: Literal["shadow_settlement"] = "shadow_settlement"
    trade_id: str
    bundle_id: str
    outcome: Literal["won", "lost", "refunded"]
    entry_epoch: int
    entry: float
    exit_epoch: int
    exit: float


class TradeRecord(Record):
    """A purchase on the account; ``epoch`` is the venue's purchase time."""

    kind: Literal["trade"] = "trade"
    intent_id: int
    decision_id: str
    bundle_id: str
    model_name: str
    symbol: str
    contract_id: int
    contract_type: str
    duration: int
    duration_unit: str
    buy_cents: int
    payout_cents: int
    probability: float


class TradeSettlementRecord(Record):
    """How a bought contract ended, in the venue's own amounts."""

    kind: Literal["trade_settlement"] = "trade_settlement"
    intent_id: int
    contract_id: int
    bundle_id: str
    outcome: Literal["won", "lost", "refunded"]
    sell_cents: int
    balance_cents: int


class MissedRecord(Record):
    """A trade that was wanted and is no evidence: no quote, stale data, rejected. Certificates list them by reason."""

    kind: Literal["missed"] = "missed"
    decision_id: str
    bundle_id: str
    reason: str


class HaltRecord(Record):
    """Trading stopped or resumed."""

    kind: Literal["halt"] = "halt"
    halted: bool
    reason: str
    by: str


AnyRecord = Annotated[
    SessionRecord
    | RoleRecord
    | QuoteRecord
    | DecisionRecord
    | ShadowTradeRecord
    | ShadowSettlementRecord
    | TradeRecord
    | TradeSettlementRecord
    | MissedRecord
    | HaltRecord,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord)


@dataclass(frozen=True, slots=True)
class Segment:
    """A verified segment.

    Attributes:
        sequence: 1, 2, 3 … without holes.
        previous: footer hash of the segment before (``GENESIS`` for the first).
        sha256: hash of the header and all record lines.
        records: the records, in the order written.
    """

    sequence: int
    previous: str
    sha256: str
    records: tuple[AnyRecord, ...]


def segment_name(sequence: int) -> str:
    """File name of a segment; names sort in order."""
    return f"journal-{sequence:08d}.jsonl.gz"


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write_segment(folder: Path, sequence: int, previous: str, records: Iterable[AnyRecord]) -> str:
    """Write one segment atomically and durably.

    Returns:
        The segment's hash: ``previous`` of the next one.
    """
    digest = hashlib.sha256()
    lines = [_canonical({"schema": JOURNAL_SCHEMA, "sequence": sequence, "previous": previous})]
    lines += [_canonical(r.model_dump(mode="json")) for r in records]
    for line in lines:
        digest.update(line + b"\n")
    lines.append(_canonical({"count": len(lines) - 1, "sha256": digest.hexdigest()}))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:  # the same bytes for the same records
        file.write(b"\n".join(lines) + b"\n")
    write_atomically(folder / segment_name(sequence), packed.getvalue(), durable=True)
    return digest.hexdigest()


def read_segment(path: Path) -> Segment:
    """Read and verify one segment.

    Raises:
        JournalError: when it is truncated, edited, or a line is not a known record.
    """
    try:
        with gzip.open(path, "rb") as f:
            lines = f.read().splitlines()
    except (OSError, EOFError) as error:
        raise JournalError(f"{path.name}: cannot be read ({error})") from error
    try:
        if len(lines) < 2:
            raise JournalError(f"{path.name}: truncated")
        header, footer = json.loads(lines[0]), json.loads(lines[-1])
        digest = hashlib.sha256(b"".join(line + b"\n" for line in lines[:-1])).hexdigest()
        if header["schema"] != JOURNAL_SCHEMA:
            raise JournalError(f"{path.name}: schema {header['schema']}, this version reads {JOURNAL_SCHEMA}")
        if footer["count"] != len(lines) - 2 or footer["sha256"] != digest:
            raise JournalError(f"{path.name}: footer does not match its contents")
        records = tuple(_ADAPTER.validate_json(line, by_alias=True, by_name=False) for line in lines[1:-1])
        return Segment(int(header["sequence"]), str(header["previous"]), digest, records)
    except (KeyError, TypeError, json.JSONDecodeError, ValidationError) as error:
        raise JournalError(f"{path.name}: {error}") from error


def read_journal(folder: Path) -> Iterator[Segment]:
    """All segments of a folder in order, with the chain between them verified.

    Raises:
        JournalError: at the first broken segment, hole or broken link.
    """
    previous, expected = GENESIS, 1
    for path in sorted(folder.glob("journal-*.jsonl.gz")):
        segment = read_segment(path)
        if segment.sequence != expected or segment.previous != previous:
            raise JournalError(f"{path.name}: not the successor of segment {expected - 1}")
        yield segment
        previous, expected = segment.sha256, expected + 1
