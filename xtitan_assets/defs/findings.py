"""How the finding of a check reaches Dagster: as an error that stops the run, or as a warning."""

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from xtitan_assets.steps.finding import Finding


def error(finding: "Finding") -> dg.AssetCheckResult:
    """A failure has severity ERROR; of a blocking check it stops the run."""
    return _result(finding, dg.AssetCheckSeverity.ERROR)


def warning(finding: "Finding") -> dg.AssetCheckResult:
    """A failure has severity WARN and stops nothing."""
    return _result(finding, dg.AssetCheckSeverity.WARN)


def _result(finding: "Finding", severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=finding.passed, severity=severity, description=finding.summary, metadata=finding.details
    )
