"""Checks between weights and registry. What blocks is broken work; an edge that is not there is a warning.

A model without an edge may be registered: shadow trading costs nothing and gives the evidence for or against it.
"""

import dagster as dg

from xtitan_assets.defs.findings import error, warning
from xtitan_assets.resources.workspace import WorkspaceResource


@dg.asset_check(asset="model_checkpoint", blocking=True, description="No loss was NaN or infinite")
def finite_loss(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import fit_checks

    return error(fit_checks.finite_loss(workspace.home()))


@dg.asset_check(asset="model_checkpoint", description="A candidate beats no prediction at all")
def beats_closed_form(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import fit_checks

    return warning(fit_checks.beats_closed_form(workspace.home()))


@dg.asset_check(asset="calibration", blocking=True, description="Calibration error is what chance explains")
def calibration_error(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import fit_checks

    finding, serious = fit_checks.calibration_error(workspace.home())
    return error(finding) if serious else warning(finding)


@dg.asset_check(asset="serving_bundle", blocking=True, description="ONNX gives torch's numbers")
def torch_equals_onnx(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import bundle_checks

    return error(bundle_checks.torch_equals_onnx(workspace.home()))


@dg.asset_check(asset="serving_bundle", blocking=True, description="The bundle verifies and replays its vectors")
def golden_vectors(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import bundle_checks

    return error(bundle_checks.golden_vectors(workspace.home()))


@dg.asset_check(asset="serving_bundle", blocking=True, description="One decision stays within its budget")
def latency(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import bundle_checks

    return error(bundle_checks.latency(workspace.home()))


@dg.asset_check(asset="backtest_report", blocking=True, description="Backtest and bundle belong together")
def backtest_consistent(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import backtest_checks

    return error(backtest_checks.backtest_consistent(workspace.home()))


@dg.asset_check(asset="backtest_report", description="Log loss below the closed form's")
def beats_baseline(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import backtest_checks

    return warning(backtest_checks.beats_baseline(workspace.home()))


@dg.asset_check(asset="backtest_report", description="Edge above zero after all registrations")
def edge_adjusted(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model import backtest_checks

    return warning(backtest_checks.edge_adjusted(workspace.home(), workspace.params()))
