"""Real ticks as recorded and with their signs redrawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xtitan_assets.demo.recorded import (
    Recording,
    RecordingError,
    oracle_win_rate,
    persistence_for,
    persistent_signs,
    read_recording,
    redrawn,
)
from xtitan_core.clock import DAY
from xtitan_core.randomness import stream
from xtitan_core.symbols import symbol

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real" / "ticks_R_100_20260403.csv.gz"
R_100 = symbol("R_100")
PIP = 0.01 / 640.0


def magnitudes(n: int = 20_000) -> np.ndarray:
    return np.abs(stream(3, "magnitudes").normal(0.0, R_100.tick_sigma, n))


def recording(n: int = 3_000) -> Recording:
    steps = stream(4, "recording").normal(0.0, R_100.tick_sigma, n)
    epochs = 20_000 * DAY + 3_600 + 2 * np.arange(n, dtype=np.int64)
    return Recording(epochs, np.round(640.0 * np.exp(np.cumsum(steps)), 2))


def test_without_persistence_the_oracle_wins_half_of_what_does_not_tie() -> None:
    rate = oracle_win_rate(magnitudes(), 0.5, 5, PIP)
    assert 0.49 < rate < 0.5


def test_the_persistence_found_gives_the_win_rate_asked_for() -> None:
    m = magnitudes()
    assert oracle_win_rate(m, persistence_for(m, 5, PIP, 0.65), 5, PIP) == pytest.approx(0.65, abs=1e-6)


def test_the_computed_oracle_is_what_an_oracle_wins() -> None:
    m = magnitudes(400_000)
    persistence = 0.85
    signs = persistent_signs(len(m), persistence, stream(5, "signs"))
    # A floor and a ceiling on the level keep the pip's weight constant over the run.
    path = np.cumsum(signs * m)
    quotes = np.round(640.0 * np.exp(path - np.linspace(0.0, path[-1], len(path))), 2)
    k = np.arange(10, len(quotes) - 10)
    won = np.sign(quotes[k + 6] - quotes[k + 1]) == signs[k]
    expected = oracle_win_rate(m[:50_000], persistence, 5, PIP)
    assert won.mean() == pytest.approx(expected, abs=0.008)


def test_redrawing_keeps_times_and_magnitudes_and_marks_the_history() -> None:
    real = recording()
    columns = redrawn(real, R_100, days=2, persistence=0.85, seed=1)
    simulated = columns["simulated"].astype(bool)
    assert (columns["epoch"][~simulated] == real.epochs).all()
    assert columns["epoch"][0] == 20_000 * DAY - 2 * DAY
    assert (np.diff(columns["epoch"]) > 0).all()
    redrawn_moves = np.abs(np.diff(np.log(columns["quote"][~simulated])))
    # Two roundings to a pip lie between the two series.
    assert np.abs(redrawn_moves - np.abs(np.diff(np.log(real.quotes)))).max() < 2 * 0.01 / columns["quote"].min()


def test_the_same_seed_redraws_the_same_market() -> None:
    first, second = (redrawn(recording(), R_100, 1, 0.85, seed=9) for _ in range(2))
    assert (first["quote"] == second["quote"]).all()
    assert (first["quote"] != redrawn(recording(), R_100, 1, 0.85, seed=10)["quote"]).any()


def test_the_real_recording_can_be_read() -> None:
    if not REAL.exists():
        pytest.skip("the real recordings are not on this machine")
    real = read_recording(REAL)
    assert len(real.epochs) == 10_000
    assert (real.epochs % 2 == 0).all()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"time": [1], "price": [1.0]}), "expected columns epoch,quote"),
        (pd.DataFrame({"epoch": range(10), "quote": 1.0}), "too few"),
        (pd.DataFrame({"epoch": [5] * 3_000, "quote": 1.0}), "rise strictly"),
        (pd.DataFrame({"epoch": range(3_000), "quote": -1.0}), "positive"),
    ],
)
def test_an_unusable_recording_is_refused_with_the_reason(tmp_path: Path, frame: pd.DataFrame, message: str) -> None:
    frame.to_csv(tmp_path / "ticks.csv", index=False)
    with pytest.raises(RecordingError, match=message):
        read_recording(tmp_path / "ticks.csv")


def test_a_broken_or_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such file"):
        read_recording(tmp_path / "missing.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(tmp_path / "broken.parquet")
