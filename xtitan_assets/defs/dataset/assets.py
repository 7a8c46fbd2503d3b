"""The training snapshot; it is identified by a hash of its content, so it has no partitions."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.lineage import stage


@dg.asset(
    deps=["features", "labels"],
    group_name="dataset",
    kinds={"numpy"},
    pool="workspace",
    metadata=stage("dataset", ["data", "features", "labels", "splits", "train"]),
    owners=["team:data"],
)
def training_dataset(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The newest days of one symbol, split by time with purge and embargo."""
    from xtitan_assets.steps.dataset.snapshot import build_dataset
    from xtitan_assets.steps.ingest.ticks import training_days, warm_up_days

    home, params = workspace.home(), workspace.params()
    warm = warm_up_days(params.features.anchor_bars, params.features.bar_seconds)
    days = training_days(home, params.data.symbol, params.data.days, warm)
    report = build_dataset(home, params, days)
    return dg.MaterializeResult(data_version=dg.DataVersion(report.snapshot_id), metadata=report.as_metadata())
