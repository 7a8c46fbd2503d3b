"""The promotion ledger: append-only, chained, and safe under crashes and company."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.registry.promotion_ledger import Kind, LedgerError


def add(path: Path, kind: Kind = Kind.REGISTERED, **changes: Any) -> ledger.Entry:
    fields: dict[str, Any] = {
        "model_name": "R_100-rise_fall-5t",
        "bundle_id": "ab" * 32,
        "version": "1",
        "who": "tester",
        "why": "because",
        "venue_epoch": 1_772_409_600,
        "before": "",
        "after": "",
        "evidence": {"e_own": 21.5, "symbols": ["R_100"]},
    }
    return ledger.append(path, ledger.Event(kind=kind, **{**fields, **changes}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger" / "promotions.jsonl"


def test_it_reads_back_what_was_appended(path: Path) -> None:
    assert ledger.read(path) == []
    written = [add(path), add(path, Kind.PROMOTED, after="ab" * 32), add(path, Kind.REFUSED, why="ümlaut\nand line")]
    assert ledger.read(path) == written
    assert [e.sequence for e in written] == [1, 2, 3]
    assert written[0].previous == ledger.GENESIS
    assert written[2].previous == written[1].hash


def test_a_changed_byte_is_noticed_wherever_it_is(path: Path) -> None:
    for _ in range(2):
        add(path)
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 0x01
        path.write_bytes(bytes(changed))
        with pytest.raises(LedgerError):
            ledger.read(path)


@pytest.mark.parametrize("order", [(1, 2), (0, 2), (0, 1, 1, 2), (2, 1, 0)])
def test_removed_repeated_and_reordered_lines_are_noticed(path: Path, order: tuple[int, ...]) -> None:
    for _ in range(3):
        add(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[i] for i in order))
    with pytest.raises(LedgerError, match="line"):
        ledger.read(path)
    with pytest.raises(LedgerError, match="line"):
        add(path)


def test_a_line_torn_by_a_crash_was_never_promised_and_is_cut_off(path: Path) -> None:
    first = add(path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:60])
    with pytest.raises(LedgerError, match="last line is cut"):
        ledger.read(path)
    second = add(path)
    assert ledger.read(path) == [first, second]


def test_writers_in_different_processes_take_turns(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xtitan_assets.steps.registry import promotion_ledger as ledger\n"
        "event = ledger.Event(kind=ledger.Kind.REFUSED, model_name='m', bundle_id='b', version='1', who=sys.argv[2],"
        " why='', venue_epoch=0, before='', after='', evidence={})\n"
        "for i in range(10): ledger.append(Path(sys.argv[1]), event)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(i)]) for i in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    entries = ledger.read(path)
    assert len(entries) == 30
    assert {e.who for e in entries} == {"0", "1", "2"}


def test_the_champion_is_what_the_last_change_says(path: Path) -> None:
    add(path, Kind.PROMOTED, bundle_id="a", after="a")
    add(path, Kind.REFUSED, bundle_id="b", before="a", after="a")
    add(path, Kind.PROMOTED, bundle_id="c", model_name="other", after="c")
    assert ledger.champion(ledger.read(path), "R_100-rise_fall-5t") == "a"
    add(path, Kind.ROLLED_BACK, bundle_id="a", before="a", after="")
    assert ledger.champion(ledger.read(path), "R_100-rise_fall-5t") == ""
    assert ledger.champion(ledger.read(path), "other") == "c"


def test_numbers_that_are_not_json_are_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        add(path, evidence={"e_own": float("inf")})
    assert ledger.read(path) == []


def test_a_ledger_of_build_0_1_0_is_read_and_written_again_byte_for_byte(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Path(__file__).parent / "made_by_0_1_0" / "promotions.jsonl"
    for entry in ledger.read(made):
        fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(ledger.Event)}
        monkeypatch.setattr(ledger, "wall", lambda time=entry.wall_time: time)
        assert ledger.append(path, ledger.Event(**fields)) == entry
    assert path.read_bytes() == made.read_bytes()
