"""Checks between weights and registry. What blocks is broken work; an edge that is not there is a warning.

A model without an edge may be registered: shadow trading costs nothing and is where the answer "no" comes from.
"""

import dagster as dg

from xtitan_assets.resources.workspace import WorkspaceResource


def model_check(
    asset: str, step: str, description: str, *, blocking: bool, with_params: bool = False
) -> dg.AssetChecksDefinition:
    """A check that runs the function ``step`` of ``steps/model_gates.py``; a warning unless it blocks."""

    @dg.asset_check(asset=asset, name=step, description=description, blocking=blocking)
    def run(workspace: WorkspaceResource) -> dg.AssetCheckResult:
        from xtitan_assets.steps.model import checks as model_gates

        answer = getattr(model_gates, step)(workspace.home(), *([workspace.params()] if with_params else []))
        severity = dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(
            passed=answer.passed, severity=severity, description=answer.summary, metadata=answer.details
        )

    return run


@dg.asset_check(asset="calibration", blocking=True, description="Calibration error is what chance explains")
def calibration_error(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    from xtitan_assets.steps.model.checks import calibration_error as judge

    finding, serious = judge(workspace.home())
    severity = dg.AssetCheckSeverity.ERROR if serious else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        passed=finding.passed, severity=severity, description=finding.summary, metadata=finding.details
    )


finite_loss = model_check("model_checkpoint", "finite_loss", "No loss was NaN or infinite", blocking=True)
closed_form = model_check(
    "model_checkpoint", "beats_closed_form", "A candidate beats no prediction at all", blocking=False
)
parity = model_check("serving_bundle", "torch_equals_onnx", "ONNX gives torch's numbers", blocking=True)
golden = model_check("serving_bundle", "golden_vectors", "The bundle verifies and replays its vectors", blocking=True)
latency = model_check("serving_bundle", "latency", "One decision stays within its budget", blocking=True)
consistent = model_check("backtest_report", "backtest_consistent", "Backtest and bundle belong together", blocking=True)
baseline = model_check("backtest_report", "beats_baseline", "Log loss below the closed form's", blocking=False)
edge = model_check(
    "backtest_report", "edge_adjusted", "Edge above zero after all registrations", blocking=False, with_params=True
)
