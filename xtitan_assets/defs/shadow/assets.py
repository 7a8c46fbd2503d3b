"""Evidence and drift from the runner's journal."""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource


@dg.asset(
    group_name="shadow",
    kinds={"json"},
    pool="workspace",
    owners=["team:models"],
)
def live_journal(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The runner's segments, copied once and verified as one chain, so without partitions."""
    from xtitan_assets.steps.shadow.journal_pull import journal_source, pull

    home = workspace.home()
    report = pull(home, journal_source(home))
    return dg.MaterializeResult(data_version=dg.DataVersion(report.head), metadata=report.as_metadata())


@dg.asset(
    deps=["live_journal", "registered_model"],
    group_name="shadow",
    kinds={"json"},
    pool="workspace",
    owners=["team:models"],
)
def shadow_report(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The evidence so far: bankroll of the paper account against its thresholds, and bounds on the edge."""
    from xtitan_assets.steps.shadow.evidence import evaluate

    report = evaluate(workspace.home(), workspace.params())
    return dg.MaterializeResult(metadata=report.as_metadata())


@dg.asset(
    deps=["live_journal"],
    group_name="shadow",
    kinds={"json"},
    pool="workspace",
    owners=["team:models"],
)
def drift_report(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Calibration and inputs of the running models, judged with the day as the unit."""
    from xtitan_assets.steps.shadow.drift import evaluate

    report = evaluate(workspace.home(), workspace.params())
    return dg.MaterializeResult(metadata=report.as_metadata())
