"""Labels against an independent settlement, written from the rules and sharing no code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xtitan_assets.steps.features import labels
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_core.symbols import symbol


def settle_by_hand(epochs: list[int], quotes: list[float], start: int, ticks: int, touch: float, stay: float):
    """Walk forward tick by tick: entry is the first tick after the start, then ``ticks`` more."""
    k = 0
    while k < len(epochs) and epochs[k] <= start:
        k += 1
    if k + ticks >= len(epochs):
        return None
    entry, path = quotes[k], quotes[k + 1 : k + ticks + 1]
    exit_quote = path[-1]
    return (
        exit_quote > entry,
        exit_quote < entry,
        any(q >= round(entry + touch, 2) for q in path),
        any(q <= round(entry - touch, 2) for q in path),
        all(round(entry - stay, 2) < q < round(entry + stay, 2) for q in path),
    ), epochs[k + ticks]


@pytest.mark.parametrize("latency", [0, 1, 3])
def test_labels_equal_an_independent_settlement(latency):
    rng = np.random.default_rng(4)
    epochs = np.cumsum(rng.choice([2, 2, 2, 6], 1_500)).astype(np.int64)
    quotes = np.round(640 * np.exp(np.cumsum(rng.normal(0, 2.5e-4, 1_500))), 2)
    params = Params.model_validate({"labels": {"latency_seconds": latency}})
    built = labels.settle_all("R_100", epochs, quotes, params)
    sigma = symbol("R_100").tick_sigma
    unknown = 0
    for k in range(len(epochs)):
        touch, stay = (float(labels.barrier_offsets(quotes[k : k + 1], sigma, s, 2)[0]) for s in (2.0, 3.0))
        wanted = settle_by_hand(epochs.tolist(), quotes.tolist(), int(epochs[k]) + latency, 5, touch, stay)
        if wanted is None:
            unknown += 1
            assert not built.known[k]
            assert not built.won[k].any()
        else:
            assert built.known[k]
            assert tuple(map(bool, built.won[k])) == wanted[0], k
            assert built.exit_epochs[k] == wanted[1]
    assert unknown == (~built.known).sum()
    assert 5 <= unknown <= 9
    assert built.won.mean(axis=0).min() > 0.05, "every label must occur, or this test compared nothing"


def test_a_decision_never_enters_at_its_own_tick():
    epochs = np.arange(0, 40, 2, dtype=np.int64)
    quotes = np.full(20, 640.0)
    quotes[3] = 600.0  # a contract entered here would win CALL; the decision at tick 3 enters at tick 4
    built = labels.settle_all("R_100", epochs, quotes, Params())
    assert built.won[2, 0], "decided at tick 2, entered at tick 3"
    assert not built.won[3, 0]
    assert not built.won[3, 1], "a tie loses both sides"


def test_barriers_follow_the_price_and_stay_on_the_price_grid():
    quotes = np.array([320.0, 640.0, 641.0, 1_280.0])
    offsets = labels.barrier_offsets(quotes, 2.518e-4, 2.0, 2)
    np.testing.assert_allclose(offsets, [0.16, 0.32, 0.32, 0.64])
    assert labels.barrier_offsets(np.array([0.5]), 2.518e-4, 2.0, 2)[0] == 0.01, "never closer than one step"


def test_a_partition_of_other_parameters_is_refused(fair):
    day = fair.days[0]
    stored = labels.load_partition(fair.symbol, day, fair.home, fair.params)
    assert stored.known.sum() == len(stored.known) - 6
    other = fair.params.model_copy(update={"labels": fair.params.labels.model_copy(update={"duration": 7})})
    with pytest.raises(StepError, match="made with other parameters; run `xtitan run retrain`"):
        labels.load_partition(fair.symbol, day, fair.home, other)


def test_a_broken_partition_says_what_to_do(fair, tmp_path):
    home = type(fair.home)(tmp_path, tmp_path / "data")
    path: Path = labels.labels_path(home, fair.symbol, fair.days[0])
    with pytest.raises(StepError, match="not there; run `xtitan run retrain`"):
        labels.load_partition(fair.symbol, fair.days[0], home, fair.params)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(StepError, match=r"cannot be read .*; delete it"):
        labels.load_partition(fair.symbol, fair.days[0], home, fair.params)
