"""Checks of every day of features and labels; all block the dataset."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.partitions import split, symbol_day


def partition_check(asset: str, step: str, name: str, description: str) -> dg.AssetChecksDefinition:
    """A blocking check that runs the function ``step`` of ``steps/gates.py`` on the run's partitions."""

    @dg.asset_check(asset=asset, name=name, description=description, blocking=True, partitions_def=symbol_day)
    def run(context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource) -> dg.AssetCheckResult:
        from xtitan_assets.steps.features import checks as gates

        answer = getattr(gates, step)(workspace.home(), workspace.params(), split(context.partition_keys))
        return dg.AssetCheckResult(passed=answer.passed, description=answer.summary, metadata=answer.details)

    return run


finite = partition_check("features", "features_finite", "finite", "No NaN or infinity in any window")
parity = partition_check(
    "features", "features_parity", "batch_equals_stream", "Streamed tick by tick, a sample gives the stored bytes"
)
no_look_ahead = partition_check(
    "features", "features_look_ahead", "no_look_ahead", "Another future does not change a byte of the past"
)
rates = partition_check(
    "labels", "outcome_rates", "outcome_rates", "Rises and falls are about as frequent and nearly all are known"
)
