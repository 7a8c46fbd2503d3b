"""Releases: a champion for the trading host, recorded data in DVC."""

import dagster as dg

from xtitan_assets.resources.dvc import DvcResource
from xtitan_assets.resources.workspace import WorkspaceResource


class PromotionConfig(dg.Config):
    """Who promotes, and why; both go into the promotion ledger."""

    who: str = "dagster"
    why: str = "the gate opened"


@dg.asset(
    deps=["shadow_report"],
    group_name="release",
    kinds={"mlflow"},
    pool="workspace",
    owners=["team:models"],
)
def champion_release(config: PromotionConfig, workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Moves the alias `champion`, with a certificate and a line in the ledger; the gate is evaluated once more."""
    from xtitan_assets.steps.release.promote import promote

    report = promote(workspace.home(), workspace.params(), config.who, config.why)
    if not report.promoted:
        # The refusal is in the ledger; the run fails so that a closed gate does not look like a release.
        raise dg.Failure(f"not promoted: {report.why}", metadata=report.as_metadata(), allow_retries=False)
    return dg.MaterializeResult(metadata=report.as_metadata())


@dg.asset(
    deps=["serving_bundle", "backtest_report"],
    group_name="release",
    kinds={"dvc"},
    pool="dvc",
    owners=["team:data"],
)
def data_release(workspace: WorkspaceResource, dvc: DvcResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Records what Dagster made in `dvc.lock` and pushes the bytes; a person commits `dvc.lock` to git."""
    root = workspace.home().root
    dvc.run(root, ["commit", "--force"])
    remotes = dvc.run(root, ["remote", "list"])
    pushed = dvc.run(root, ["push", "--quiet"]) if remotes else "no remote configured"
    return dg.MaterializeResult(metadata={"remotes": remotes, "pushed": pushed or "yes"})
