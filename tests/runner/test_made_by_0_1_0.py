"""Bundles, journals, ledgers and state files of build 0.1.0 are read, go on, and are written again byte for byte."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_runner.cli import main
from live_runner.guards.latch import HALT_FILE, LATCH_FILE, KillLatch
from live_runner.journal.writer import INDEX, Journal, JournalIndex
from live_runner.ledger import CashRow, Intent, IntentState, Ledger, LedgerFaultError
from live_runner.ledger.schema import LEDGER_SCHEMA
from live_runner.models.onnx_model import TOLERANCE, OnnxModel
from live_runner.models.store import STATE, ModelStore
from live_runner.ops.status import IDENTITY, read_identity, status_from_files, write_identity
from live_runner.reconcile.resolution import Findings, close_earlier_runs
from xtitan_core.bundle.golden import pack_golden
from xtitan_core.bundle.keys import load_public
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.journal import GENESIS, AnyRecord, HaltRecord, Record, read_journal, segment_name, write_segment

MADE = Path(__file__).parent / "made_by_0_1_0"
ACCOUNT = "DOT90000001"
LEDGERS = ("every_state", "faults", "program")
START = 1_772_409_600
LATER = 1_795_100_000.0
ZLIB = "1.2.13"
"""The compressor of the machine that made the segments; another one may pack the same bytes differently."""


class TestBundle:
    def test_it_verifies_and_gives_its_golden_outputs(self) -> None:
        bundle = verify(read_files(MADE / "bundle"), [load_public(MADE / "signing.pub")], START)
        model = OnnxModel(bundle)
        outputs = model.outputs(bundle.golden["ticks"], bundle.golden["candles"])
        assert np.abs(outputs["rise_fall"] - bundle.golden["rise_fall"]).max() <= TOLERANCE

    @pytest.mark.parametrize("folder", ["bundle", "pipeline_manifest"])
    def test_its_manifest_is_written_again_byte_for_byte(self, folder: str) -> None:
        document = (MADE / folder / "manifest.json").read_bytes()
        assert Manifest.model_validate_json(document).canonical_bytes() == document

    def test_its_golden_vectors_are_packed_again_byte_for_byte(self) -> None:
        bundle = verify(read_files(MADE / "bundle"), [load_public(MADE / "signing.pub")], START)
        assert pack_golden(bundle.golden) == (MADE / "bundle" / "golden.npz").read_bytes()

    def test_the_command_line_verifies_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        key = str(MADE / "signing.pub")
        assert main(["verify", str(MADE / "bundle"), "--public-key", key, "--at", str(START), "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert sorted(facts) == [
            "bundle_id",
            "contracts",
            "expires_epoch",
            "latency_ms",
            "model_name",
            "sequence",
            "symbols",
        ]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A copy of the journal folder as the killed runner left it."""
    folder = tmp_path / "journal"
    shutil.copytree(MADE / "journal", folder)
    (folder / "keys_by_kind.json").unlink()
    return folder


class TestJournal:
    def test_every_record_kind_is_in_it(self, journal: Path) -> None:
        kinds = {record.kind for segment in read_journal(journal) for record in segment.records}
        assert kinds == set(json.loads((MADE / "journal" / "keys_by_kind.json").read_text()))

    def test_record_kinds_and_their_keys_are_what_they_were(self) -> None:
        keys = {
            kind.model_fields["kind"].default: sorted(field.alias or name for name, field in kind.model_fields.items())
            for kind in Record.__subclasses__()
        }
        assert keys == json.loads((MADE / "journal" / "keys_by_kind.json").read_text())

    def test_segments_are_written_again_byte_for_byte(self, journal: Path, tmp_path: Path) -> None:
        previous = GENESIS
        segments = list(read_journal(journal))
        assert len(segments) == 4
        for segment in segments:
            previous = write_segment(tmp_path / "again", segment.sequence, previous, segment.records)
            name = segment_name(segment.sequence)
            assert previous == segment.sha256
            again, made = (tmp_path / "again" / name).read_bytes(), (journal / name).read_bytes()
            assert gzip.decompress(again) == gzip.decompress(made)
            if zlib.ZLIB_RUNTIME_VERSION == ZLIB:
                assert again == made

    def test_the_spool_is_taken_up_and_written_again_byte_for_byte(self, journal: Path, tmp_path: Path) -> None:
        spool = (MADE / "journal" / "spool-00000005.jsonl").read_bytes()
        resumed = Journal(journal, segment_records=60, segment_seconds=3_600)
        assert (resumed.index.sequence, len(resumed.pending)) == (4, spool.count(b"\n"))
        written = tmp_path / "written"
        again = Journal(written, segment_records=60, segment_seconds=3_600)
        again.add(*resumed.pending)
        again.flush()
        assert (written / "spool-00000001.jsonl").read_bytes() == spool
        resumed.close()
        again.close()
        assert [s.sequence for s in read_journal(journal)] == [1, 2, 3, 4, 5]

    def test_the_index_is_read_made_anew_and_written_again_byte_for_byte(self, journal: Path, tmp_path: Path) -> None:
        index = JournalIndex.load(journal / INDEX)
        assert index.sequence == 4
        made_anew = JournalIndex()
        for segment in read_journal(journal):
            for record in segment.records:
                made_anew.note(record)
            made_anew.sequence, made_anew.sha256 = segment.sequence, segment.sha256
        for number, each in enumerate((index, made_anew)):
            each.save(tmp_path / str(number))
            assert (tmp_path / str(number)).read_bytes() == (MADE / "journal" / INDEX).read_bytes()

    def test_it_goes_on(self, journal: Path) -> None:
        before = [record for segment in read_journal(journal) for record in segment.records]
        goes_on = Journal(journal, segment_records=60, segment_seconds=3_600)
        spooled: list[AnyRecord] = list(goes_on.pending)
        halt = HaltRecord(epoch=goes_on.index.last_epoch + 1, halted=True, reason="after the build", by="operator")
        goes_on.add(halt)
        goes_on.close()
        assert [r for s in read_journal(journal) for r in s.records] == [*before, *spooled, halt]


OpenLedger = Callable[[str], Ledger]


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[str], Path]:
    """Unpacks a ledger into a state folder of its own; returns the file."""

    def one(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        path = folder / f"ledger-{ACCOUNT}.sqlite3"
        path.write_bytes(gzip.decompress((MADE / "ledgers" / f"{name}.sqlite3.gz").read_bytes()))
        return path

    return one


@pytest.fixture
def open_ledger(unpack: Callable[[str], Path]) -> Iterator[OpenLedger]:
    """Opens a ledger of build 0.1.0, which verifies all of it."""
    opened: list[Ledger] = []

    def one(name: str) -> Ledger:
        opened.append(Ledger.open(unpack(name).parent, ACCOUNT, now=LATER))
        return opened[-1]

    yield one
    for ledger in opened:
        ledger.close()


def as_stored(intent: Intent) -> dict[str, Any]:
    """An intent under the names of the ledger's columns, as ``as_read.json`` has it."""
    contract = intent.contract
    fields = asdict(intent) | {"outcome": intent.outcome, "unresolved": intent.unresolved}
    fields["epoch"] = fields.pop("run")
    fields["contract"] = [
        contract.contract_type.value,
        contract.duration,
        contract.unit.value,
        contract.barrier,
        contract.barrier2,
    ]
    return fields


def schema_of(path: Path) -> list[tuple[Any, ...]]:
    """Every table, index and trigger with its SQL text, and the schema's version."""
    database = sqlite3.connect(path)
    try:
        rows = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()
        return [*rows, database.execute("PRAGMA user_version").fetchone()]
    finally:
        database.close()


@pytest.mark.parametrize("name", LEDGERS)
class TestLedger:
    def test_it_verifies_and_everything_is_read_as_it_was(self, name: str, open_ledger: OpenLedger) -> None:
        ledger = open_ledger(name)
        was = json.loads((MADE / "ledgers" / "as_read.json").read_text())[name]
        assert [as_stored(intent) for intent in ledger.intents.all()] == was["intents"]
        assert [list(row.body) for row in ledger.cash.rows()] == was["rows"]
        assert list(ledger.cash.opening()) == was["opening"]
        halt = ledger.last_halt()
        assert (list(halt) if halt else None) == was["last_halt"]
        summary = ledger.summary(START + 400)
        assert summary.pop("epoch") == ledger.run
        assert summary == was["summary"]

    def test_a_new_ledger_has_the_same_schema(self, name: str, unpack: Callable[[str], Path], tmp_path: Path) -> None:
        new = Ledger.open(tmp_path / "new", ACCOUNT, now=LATER)
        new.close()
        assert schema_of(new.path) == schema_of(unpack(name))
        assert LEDGER_SCHEMA == 1

    def test_a_copy_goes_on_in_the_same_chains(self, name: str, open_ledger: OpenLedger) -> None:
        ledger = open_ledger(name)
        before = sqlite_rows(ledger)
        for intent in ledger.intents.prepared():
            ledger.intents.abandon(intent.intent_id, "the runner stopped before sending", LATER)
        row = CashRow(999_999_001, "deposit", None, 5_000, ledger.cash.balance_cents() + 5_000, int(LATER))
        assert ledger.cash.book(row, LATER)
        ledger.note("agreed", "", LATER)
        ledger.record_halt(True, "checked", "operator", LATER)
        ledger.close()
        again = Ledger.open(ledger.path.parent, ACCOUNT, now=LATER + 1)  # verifies both chains from their beginning
        after = sqlite_rows(again)
        for table, rows in before.items():
            assert after[table][: len(rows)] == rows, f"rows of {table} changed"
            assert len(after[table]) > len(rows)
        assert again.cash.last_row() == row
        again.close()

    def test_one_changed_byte_of_a_row_is_noticed(self, name: str, unpack: Callable[[str], Path]) -> None:
        """What the tests above lean on: opening really verifies."""
        path = unpack(name)
        database = sqlite3.connect(path)
        database.execute("DROP TRIGGER event_no_update")
        database.execute("UPDATE event SET detail = detail || ' ' WHERE event_id = 2")
        database.commit()
        database.close()
        with pytest.raises(LedgerFaultError, match="event 2 was altered"):
            Ledger.open(path.parent, ACCOUNT, now=LATER)


def sqlite_rows(ledger: Ledger) -> dict[str, list[Any]]:
    """The rows of the two hash chains."""
    return {
        "event": ledger._storage.rows("SELECT * FROM event ORDER BY event_id"),
        "ledger": ledger._storage.rows("SELECT * FROM ledger ORDER BY position"),
    }


def test_what_a_killed_runner_had_marked_as_sent_is_found_in_its_log(unpack: Callable[[str], Path]) -> None:
    path = unpack("killed")
    log = gzip.decompress((MADE / "ledgers" / "killed.sqlite3-wal.gz").read_bytes())
    path.with_name(path.name + "-wal").write_bytes(log)
    ledger = Ledger.open(path.parent, ACCOUNT, now=LATER)
    (sent,) = ledger.intents.unresolved()
    assert (sent.state, sent.run, sent.sent_at, sent.proposal_id) == (IntentState.SENT, 2, START + 14.5, "p1")
    findings = Findings()
    close_earlier_runs(ledger, LATER, findings)
    assert [intent.state for intent in ledger.intents.unresolved()] == [IntentState.UNKNOWN]
    ledger.close()
    Ledger.open(path.parent, ACCOUNT, now=LATER).close()


def test_the_ledgers_hold_intents_of_every_state() -> None:
    """SENT and UNKNOWN are the killed one's: they stop every other purchase of a ledger."""
    was = json.loads((MADE / "ledgers" / "as_read.json").read_text())
    states = {IntentState(intent["state"]) for ledger in was.values() for intent in ledger["intents"]}
    assert set(IntentState) - states == {IntentState.SENT, IntentState.UNKNOWN}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A copy of the state folder, its ledger unpacked."""
    folder = tmp_path / "state"
    shutil.copytree(MADE / "state", folder)
    packed = (MADE / "ledgers" / "program.sqlite3.gz").read_bytes()
    (folder / f"ledger-{ACCOUNT}.sqlite3").write_bytes(gzip.decompress(packed))
    return folder


class TestStateFolder:
    def test_the_latch_is_read_and_written_again_byte_for_byte(self, state: Path) -> None:
        (state / HALT_FILE).unlink()
        was = json.loads((state / LATCH_FILE).read_bytes())
        ledger = Ledger.open(state, ACCOUNT, now=LATER)
        latch = KillLatch.open(state, ledger, lambda: float(was["epoch"]))
        assert (latch.halted, latch.reason, latch.by) == (False, "drill over", "operator")
        latch.halt("checked", "operator")
        latch.resume(was["reason"], was["by"])
        ledger.close()
        assert (state / LATCH_FILE).read_bytes() == (MADE / "state" / LATCH_FILE).read_bytes()
        assert (state / LATCH_FILE).stat().st_mode & 0o777 == 0o600

    def test_the_halt_file_halts_and_is_written_again_byte_for_byte(self, state: Path, tmp_path: Path) -> None:
        assert KillLatch.peek(state)[0]
        KillLatch.request_halt(tmp_path / "again", "end of the drill")
        assert (tmp_path / "again" / HALT_FILE).read_bytes() == (MADE / "state" / HALT_FILE).read_bytes()
        assert (tmp_path / "again" / HALT_FILE).stat().st_mode & 0o777 == 0o600

    def test_the_model_store_is_read_and_written_again_byte_for_byte(self, state: Path) -> None:
        store = ModelStore(state / "models", [])
        kept = store.state
        assert kept.champion is not None
        assert (kept.sequence, len(kept.trusted), list(kept.quarantined.values())) == (2, 2, ["rolled back: drill"])
        store.assign("champion", kept.champion)
        assert (state / "models" / STATE).read_bytes() == (MADE / "state" / "models" / STATE).read_bytes()

    def test_the_identity_is_read_and_written_again_byte_for_byte(self, state: Path, tmp_path: Path) -> None:
        write_identity(tmp_path / IDENTITY, read_identity(state))
        assert (tmp_path / IDENTITY).read_bytes() == (MADE / "state" / IDENTITY).read_bytes()

    def test_status_says_what_it_said(self, state: Path) -> None:
        assert status_from_files(state) == json.loads((MADE / "status_from_files.json").read_text())
