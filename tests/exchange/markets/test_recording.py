"""Recordings: what a file may hold, and the simulated history before it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from paper_exchange.errors import SetupError
from paper_exchange.markets.recording import RecordedSeries, Ticks, read_ticks, replay
from xtitan_core.symbols import symbol

REAL = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "real" / "ticks_R_100_20260403.csv.gz"
BEGIN = 1_772_409_600


def file(folder: Path, text: str, name: str = "ticks.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["ticks.csv", "ticks.csv.gz"])
def test_reads_plain_and_packed_files(tmp_path: Path, name: str) -> None:
    ticks = read_ticks(file(tmp_path, "epoch,quote\n10,1.5\n12,1.25\n", name))
    assert ticks.epochs.tolist() == [10, 12]
    assert ticks.quotes.tolist() == [1.5, 1.25]
    assert ticks.simulated is None


def test_reads_the_simulated_mark_in_any_column_order(tmp_path: Path) -> None:
    ticks = read_ticks(file(tmp_path, "simulated,quote,epoch\n1,1.5,10\n\n0,1.25,12\n"))
    assert ticks.simulated == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it needs epoch,quote"),
        ("time,price\n1,2\n", "has columns time,price"),
        ("epoch,quote\n10,1.5\n", "at least two"),
        ("epoch,quote\n10,1.5\n10,1.6\n", "line 3"),
        ("epoch,quote\n12,1.5\n10,1.6\n", "epochs increase"),
        ("epoch,quote\n10,0\n12,1\n", "must be positive"),
        ("epoch,quote\n10,nan\n12,1\n", "must be positive"),
        ("epoch,quote\n10,x\n12,1\n", "line 2 is no tick"),
        ("epoch,quote\n10\n12,1\n", "line 2 is no tick"),
    ],
)
def test_broken_files_are_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SetupError, match=message) as caught:
        read_ticks(file(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="No such file"):
        read_ticks(tmp_path / "nowhere.csv")
    (tmp_path / "packed.csv.gz").write_bytes(b"\x1f\x8b\x08broken")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00PAR1")
    for name in ("packed.csv.gz", "binary.csv"):
        with pytest.raises(SetupError, match="cannot read"):
            read_ticks(tmp_path / name)


def series(*epochs: int) -> RecordedSeries:
    return RecordedSeries(symbol("R_100"), np.asarray(epochs, np.int64), np.arange(1.0, len(epochs) + 1))


def test_look_ups_over_gaps() -> None:
    ticks = series(10, 12, 30)
    assert (ticks.first_epoch, ticks.last_epoch) == (10, 30)
    assert [ticks.quote_at(e) for e in (10, 11, 12, 30, 31)] == [1.0, None, 2.0, 3.0, None]
    assert [ticks.next_epoch(e) for e in (0, 10, 12, 29, 30)] == [10, 12, 30, 30, None]
    assert [ticks.previous_epoch(e) for e in (9, 10, 29, 99)] == [None, 10, 12, 30]
    assert ticks.between(11, 30)[0].tolist() == [12, 30]


def test_marked_rows_are_history_and_nothing_is_added() -> None:
    ticks = Ticks(np.asarray([10, 12, 14], np.int64), np.asarray([1.0, 2.0, 3.0]), [True, True, False])
    replayed, now = replay(symbol("R_100"), ticks, seed=1, history_days=1)
    assert now == 14
    assert replayed.between(0, 99)[0].tolist() == [10, 12, 14]
    with pytest.raises(SetupError, match="nothing is left"):
        replay(symbol("R_100"), Ticks(ticks.epochs, ticks.quotes, [True] * 3), seed=1, history_days=1)


def test_a_recording_without_marks_gets_simulated_days_that_end_at_its_first_quote() -> None:
    first = BEGIN + 7_201
    recorded = Ticks(np.asarray([first + 1, first + 3], np.int64), np.asarray([331.63, 331.7]), None)
    replayed, now = replay(symbol("R_100"), recorded, seed=1, history_days=2)
    assert now == first + 1
    epochs, quotes = replayed.between(0, now)
    assert epochs[0] == BEGIN - 2 * 86_400
    assert set(np.diff(epochs).tolist()) == {2}
    returns = np.diff(np.log(quotes))
    assert abs(returns[-1]) < 6 * symbol("R_100").tick_sigma
    assert returns.std() == pytest.approx(symbol("R_100").tick_sigma, rel=0.02)
    again, _ = replay(symbol("R_100"), recorded, seed=1, history_days=2)
    assert again.between(0, now)[1].tolist() == quotes.tolist()


def test_a_real_recording_replays_as_it_was() -> None:
    if not REAL.exists():
        pytest.skip("the recorded ticks are not beside this checkout")
    ticks = read_ticks(REAL)
    assert len(ticks.epochs) == 10_000
    replayed, now = replay(symbol("R_100"), ticks, seed=1, history_days=1)
    epochs, quotes = replayed.between(now, int(ticks.epochs[-1]))
    assert epochs.tolist() == ticks.epochs.tolist()
    assert quotes.tolist() == ticks.quotes.tolist()
