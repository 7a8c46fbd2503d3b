"""A recording may be parquet where pyarrow is installed; it passes the same checks as csv."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from paper_exchange.errors import SetupError
from paper_exchange.markets.recording import read_ticks


def test_parquet_and_csv_give_the_same_ticks(tmp_path: Path) -> None:
    epochs, quotes = [1_775_217_514 + 2 * k for k in range(50)], [619.51 + 0.07 * k for k in range(50)]
    pq.write_table(pa.table({"epoch": epochs, "quote": quotes}), tmp_path / "ticks.parquet")
    (tmp_path / "ticks.csv").write_text(
        "epoch,quote\n" + "".join(f"{e},{q!r}\n" for e, q in zip(epochs, quotes, strict=True))
    )
    one, other = read_ticks(tmp_path / "ticks.parquet"), read_ticks(tmp_path / "ticks.csv")
    assert (one.epochs == other.epochs).all()
    assert (one.quotes == other.quotes).all()


def test_a_file_that_is_not_parquet_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "ticks.parquet").write_bytes(b"PAR1 truncated")
    with pytest.raises(SetupError, match="cannot read the recording"):
        read_ticks(tmp_path / "ticks.parquet")


def test_other_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"time": [1], "price": [1.0]}), tmp_path / "ticks.parquet")
    with pytest.raises(SetupError, match="needs epoch,quote"):
        read_ticks(tmp_path / "ticks.parquet")
