"""The Great Expectations suite that every snapshot must pass.

Importing the library takes seconds, so the suite runs once per snapshot and the import stays inside the functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xtitan_assets.modeling.samples import CALIBRATION, LABELS, NO_FOLD, TEST, TRAIN, Samples
from xtitan_assets.steps.dataset.snapshot import load_samples
from xtitan_assets.steps.finding import Finding
from xtitan_assets.workspace import environment
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.clock import DAY

if TYPE_CHECKING:
    import pandas as pd


def run_suite(home: Home, params: Params) -> Finding:
    """Validate the current snapshot.

    Raises:
        StepError: there is none.
    """
    return validate(frame(load_samples(home)), params)


def frame(samples: Samples) -> pd.DataFrame:
    """One row per decision, with the extremes of its inputs instead of the inputs themselves."""
    import pandas as pd

    candle_extreme = np.abs(samples.candles).max(axis=(1, 2))
    columns: dict[str, Any] = {
        "epoch": samples.epochs,
        "exit_epoch": samples.exit_epochs,
        "label_seconds": samples.exit_epochs - samples.epochs,
        "quote": samples.quotes,
        "largest_return": np.abs(samples.ticks).max(axis=1).astype(np.float64),
        "window_variance": samples.ticks.astype(np.float64).var(axis=1),
        "largest_candle_value": candle_extreme[samples.rows].astype(np.float64),
        "split": samples.split.astype(np.int64),
        "fold": samples.fold.astype(np.int64),
    }
    columns |= {name: samples.labels[:, i].astype(np.int64) for i, name in enumerate(LABELS)}
    columns["both_sides"] = columns["CALL"] + columns["PUT"]
    return pd.DataFrame(columns)


def suite(params: Params) -> list[Any]:
    """The expectations that hold for a snapshot of any market."""
    environment.apply()
    import great_expectations.expectations as gxe

    longest = 3_600 if params.labels.unit == "t" else 10 * DAY
    rules: list[Any] = [
        gxe.ExpectTableRowCountToBeBetween(min_value=500),
        gxe.ExpectColumnValuesToBeIncreasing(column="epoch", strictly=True),
        gxe.ExpectColumnValuesToBeUnique(column="epoch"),
        gxe.ExpectColumnValuesToBeBetween(column="label_seconds", min_value=1, max_value=longest),
        gxe.ExpectColumnValuesToBeBetween(column="quote", min_value=0, strict_min=True),
        # A comparison with NaN is false, so a window that contains one fails here.
        gxe.ExpectColumnValuesToBeBetween(column="largest_return", min_value=0, max_value=0.5),
        gxe.ExpectColumnValuesToNotBeNull(column="largest_return"),
        gxe.ExpectColumnValuesToBeBetween(column="window_variance", min_value=0, strict_min=True, mostly=0.999),
        gxe.ExpectColumnValuesToNotBeNull(column="largest_candle_value"),
        gxe.ExpectColumnValuesToBeBetween(column="largest_candle_value", min_value=0, max_value=1_000),
        gxe.ExpectColumnValuesToBeInSet(column="split", value_set=[TRAIN, CALIBRATION, TEST]),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="split", value_set=[TRAIN, CALIBRATION, TEST]),
        gxe.ExpectColumnValuesToBeBetween(column="fold", min_value=NO_FOLD, max_value=params.splits.folds),
        # Ties lose on both sides, so a rise and a fall never win together.
        gxe.ExpectColumnValuesToBeInSet(column="both_sides", value_set=[0, 1]),
        gxe.ExpectColumnMeanToBeBetween(column="CALL", min_value=0.35, max_value=0.65),
        gxe.ExpectColumnMeanToBeBetween(column="PUT", min_value=0.35, max_value=0.65),
    ]
    rules += [gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[0, 1]) for name in LABELS]
    return rules


def validate(table: pd.DataFrame, params: Params) -> Finding:
    """Run the suite over a table of ``frame``'s columns."""
    environment.apply()
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_pandas("memory")
        .add_dataframe_asset("samples")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": table})
    )
    # In 1.24 the run() of a validation definition fails on numpy booleans; validating the batch works.
    result = batch.validate(gx.ExpectationSuite(name="training_dataset", expectations=suite(params)))
    failed = [describe(item) for item in result.results if not item.success]
    summary = "; ".join(failed) if failed else f"{len(result.results)} expectations met by {len(table)} rows"
    return Finding(not failed, summary, {"expectations": len(result.results), "rows": len(table), "failed": failed})


def describe(item: Any) -> str:
    """One line for an expectation that was not met."""
    config = item.expectation_config
    unexpected = item.result.get("unexpected_count")
    seen = item.result.get("observed_value") if unexpected is None else f"{unexpected} rows"
    return f"{config.kwargs.get('column', 'table')}: {config.type} ({seen})"
