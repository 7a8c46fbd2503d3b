"""The promotion ledger: who moved which model into or out of which role, when, why, and on what evidence.

MLflow keeps no history of its aliases, so this file is the audit trail: JSON lines, append-only, each carrying the hash
of the one before. One lock serialises writers; a line counts once it is complete and on disk.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import wall
from xtitan_core.evidence.shadow_trades import Candidate

GENESIS = "0" * 64


class LedgerError(StepError):
    """The ledger is broken; the message names the line."""


class Kind(StrEnum):
    """What happened. No other value occurs."""

    REGISTERED = "registered"
    PROMOTED = "promoted"
    REFUSED = "refused"
    DEMOTED = "demoted"
    ROLLED_BACK = "rolled_back"
    CLOSED = "closed"


RETIRED = frozenset({Kind.DEMOTED, Kind.ROLLED_BACK, Kind.CLOSED})
"""After one of these a bundle cannot be promoted again: that takes a new registration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What an entry says happened.

    Attributes:
        kind: what happened.
        model_name: the lineage.
        bundle_id: the model it happened to.
        version: its version in the registry.
        who: the person or job.
        why: their reason.
        venue_epoch: venue time of the newest evidence, or of the registration.
        before, after: champion's bundle before and after; empty = none.
        evidence: numbers behind it.
    """

    kind: Kind
    model_name: str
    bundle_id: str
    version: str
    who: str
    why: str
    venue_epoch: int
    before: str
    after: str
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: an event, its place in the chain, and when it was written.

    Attributes:
        sequence: 1, 2, 3 … without holes.
        kind, model_name, bundle_id, version, who, why, venue_epoch, before, after, evidence: as in ``Event``.
        wall_time: host time, epoch seconds.
        previous, hash: the chain.
    """

    sequence: int
    kind: Kind
    model_name: str
    bundle_id: str
    version: str
    who: str
    why: str
    wall_time: float
    venue_epoch: int
    before: str
    after: str
    evidence: dict[str, Any]
    previous: str
    hash: str


def operator() -> str:
    """Login name for entries made by a person: ``XTITAN_OPERATOR``, else the system's."""
    try:
        return os.environ.get("XTITAN_OPERATOR") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def read(path: Path) -> list[Entry]:
    """All entries, the chain verified; empty when there is no ledger yet.

    Raises:
        LedgerError: at the first line that was edited, cut, inserted or removed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read ({error.strerror})") from error
    if content and not content.endswith(b"\n"):
        raise LedgerError(f"{path}: the last line is cut; the next entry repairs a crash, otherwise restore the file")
    return list(_parse(path, content.splitlines()))


def append(path: Path, event: Event) -> Entry:
    """Verify the chain, add one entry, and return once it is on disk.

    Raises:
        LedgerError: when what is there already is broken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path) as file:
        entries = list(_parse(path, _drop_torn_tail(file).splitlines()))
        body: dict[str, Any] = {
            "sequence": len(entries) + 1,
            "wall_time": wall(),
            **asdict(event),
            "previous": entries[-1].hash if entries else GENESIS,
        }
        # Through JSON once, so that what is hashed is exactly what a reader will parse.
        body = json.loads(_canonical(body))
        body["hash"] = hashlib.sha256(_canonical(body)).hexdigest()
        file.seek(0, os.SEEK_END)
        file.write(_canonical(body) + b"\n")
        file.flush()
        os.fsync(file.fileno())
        return Entry(**{**body, "kind": Kind(body["kind"])})


def of_model(entries: Iterable[Entry], model_name: str) -> list[Entry]:
    """The entries of one lineage, in order."""
    return [entry for entry in entries if entry.model_name == model_name]


def champion(entries: Iterable[Entry], model_name: str) -> str:
    """Bundle that the ledger says is champion now; empty when none is."""
    current = ""
    for entry in of_model(entries, model_name):
        if entry.before != entry.after:
            current = entry.after
    return current


def next_sequence(home: Home, model_name: str) -> int:
    """Registration counter that the next bundle of a lineage must carry; 1 for the first."""
    return max((c.sequence for c in candidates_of(read(home.ledger), model_name)), default=0) + 1


def candidates_of(entries: Iterable[Entry], model_name: str) -> list[Candidate]:
    """Every registration of a lineage, in order."""
    return [
        Candidate(e.bundle_id, int(e.evidence["sequence"]), e.venue_epoch, tuple(e.evidence["symbols"]))
        for e in of_model(entries, model_name)
        if e.kind is Kind.REGISTERED
    ]


def spent(entries: Iterable[Entry], model_name: str, epoch: int) -> int:
    """Registrations of a lineage in the calendar year (UTC, venue time) of ``epoch``."""
    year = datetime.fromtimestamp(epoch, UTC).year
    return sum(datetime.fromtimestamp(c.registered_epoch, UTC).year == year for c in candidates_of(entries, model_name))


def as_rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Plain dictionaries, for ``--json``."""
    return [asdict(entry) for entry in entries]


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """One registration, promotion or rollback at a time: held from reading the ledger to moving the alias."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _drop_torn_tail(file: BinaryIO) -> bytes:
    """Cut off a last line without its end: its writer never returned, so nobody relies on it."""
    file.seek(0)
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        file.truncate(len(whole))
    return whole


def _parse(path: Path, lines: Iterable[bytes]) -> Iterator[Entry]:
    previous = GENESIS
    for number, line in enumerate(lines, 1):
        try:
            body = json.loads(line)
            claimed = body.pop("hash")
            good = (
                hashlib.sha256(_canonical(body)).hexdigest() == claimed
                and _canonical({**body, "hash": claimed}) == line
            )
            if not good or body["previous"] != previous or body["sequence"] != number:
                raise ValueError
            entry = Entry(**{**body, "kind": Kind(body["kind"]), "hash": claimed})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(
                f"{path}: line {number} was changed or is out of place; restore it from a backup"
            ) from error
        yield entry
        previous = entry.hash
