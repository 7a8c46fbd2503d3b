"""From the snapshot to a registered, signed bundle. Training starts by schedule or by hand, not by automation."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource
from xtitan_assets.workspace.lineage import stage

TRAINING_SECONDS = 6 * 3_600


@dg.asset(
    deps=["training_dataset"],
    group_name="model",
    kinds={"torch"},
    pool="gpu",
    op_tags={"dagster/max_runtime": TRAINING_SECONDS, "dagster-celery/queue": "gpu"},
    metadata=stage("train", ["data", "labels", "splits", "train"]),
    owners=["team:models"],
)
def model_checkpoint(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The simplest candidate that no other beats on purged walk-forward validation; a stopped run resumes."""
    from xtitan_assets.steps.model.train import train

    report = train(workspace.home(), workspace.params(), context.log.info)
    return dg.MaterializeResult(metadata=report.as_metadata())


@dg.asset(
    deps=["model_checkpoint", "training_dataset"],
    group_name="model",
    kinds={"json"},
    pool="workspace",
    metadata=stage("train", ["data", "labels", "train"]),
    owners=["team:models"],
)
def calibration(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Two numbers for each head, fitted on a span that the weights were not fitted on."""
    from xtitan_assets.steps.model.calibrate import fit

    report = fit(workspace.home(), workspace.params())
    return dg.MaterializeResult(metadata=report.as_metadata())


@dg.asset(
    deps=["model_checkpoint", "calibration"],
    group_name="model",
    kinds={"onnx"},
    pool="workspace",
    metadata=stage("package", ["data", "decision", "features", "labels", "quotes", "registry", "train"]),
    owners=["team:models"],
)
def serving_bundle(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """ONNX, manifest, signature and golden vectors: all that is sent to the trading host."""
    from xtitan_assets.steps.ingest.venue import bundle_epoch
    from xtitan_assets.steps.model.export import export
    from xtitan_assets.steps.registry.promotion_ledger import next_sequence

    home, params = workspace.home(), workspace.params()
    report = export(
        home,
        params,
        sequence=next_sequence(home, params.model_name),
        venue_epoch=bundle_epoch(home, params),
        lineage={"dagster_run_id": context.run.run_id},
    )
    return dg.MaterializeResult(data_version=dg.DataVersion(report.bundle_id), metadata=report.as_metadata())


@dg.asset(
    deps=["serving_bundle", "training_dataset", "payout_quotes"],
    group_name="model",
    kinds={"json"},
    pool="workspace",
    metadata=stage("evaluate", ["data", "decision", "labels", "quotes", "train"]),
    owners=["team:models"],
)
def backtest_report(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Results of the bundle on the held-back span at quoted payouts; they allow shadow trading, not promotion."""
    from xtitan_assets.steps.model.backtest import backtest

    report = backtest(workspace.home(), workspace.params())
    return dg.MaterializeResult(metadata=report.as_metadata())


@dg.asset(
    deps=["serving_bundle", "backtest_report"],
    group_name="model",
    kinds={"mlflow"},
    pool="workspace",
    owners=["team:models"],
)
def registered_model(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """A version in the registry with the aliases `challenger` and `shadow`, and a line in the promotion ledger."""
    from xtitan_assets.steps.ingest.venue import bundle_epoch
    from xtitan_assets.steps.registry.register import register

    home, params = workspace.home(), workspace.params()
    report = register(home, params, context.run.run_id, venue_epoch=bundle_epoch(home, params))
    return dg.MaterializeResult(metadata=report.as_metadata())
