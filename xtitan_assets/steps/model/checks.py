"""Checks of a model from its weights to its verdict: each function answers with a finding.

Blocking is decided where the check is declared; the numbers come from the artefacts or from the reports of the steps.
"""

from __future__ import annotations

from typing import Any

from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.report import read_report
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home


def finite_loss(home: Home) -> Finding:
    """Training never saw a loss that is not a number."""
    report = read_report(home, "train")
    return Finding(bool(report["finite"]), f"{report['candidate']}: losses {report['losses']}", report["losses"])


def beats_closed_form(home: Home) -> Finding:
    """Something beat the closed form on walk-forward validation; on a fair market nothing should."""
    report = read_report(home, "train")
    beaten = bool(report["beats_baseline"])
    summary = (
        f"{report['candidate']} beats the closed form" if beaten else "nothing beats the closed form: no edge seen"
    )
    return Finding(beaten, summary, {"comparisons": report["comparisons"]})


def calibration_error(home: Home) -> tuple[Finding, bool]:
    """Calibration error of every head against what chance alone explains.

    Returns:
        The finding, and whether the excess is too large to be chance in any head (more than two points): with five
        heads, one in twenty good models lies beyond a 99 % quantile somewhere.
    """
    heads = read_report(home, "calibration")["heads"]
    over = [head for head in heads if head["ece"] > head["ece_null"]]
    serious = [head for head in over if head["ece"] > head["ece_null"] + 0.02]
    text = ", ".join(f"{head['label']} {head['ece']:.4f} (chance {head['ece_null']:.4f})" for head in over or heads)
    details = {head["label"]: {key: head[key] for key in ("ece", "ece_null", "n", "muted")} for head in heads}
    return Finding(not over, f"calibration error {text}", details), bool(serious)


def torch_equals_onnx(home: Home) -> Finding:
    """The exported graph gives torch's numbers."""
    from xtitan_assets.steps.model.signed_bundle import TOLERANCE

    report = read_report(home, "export")
    difference = float(report["parity"])
    summary = f"largest difference {difference:.1e} over {report['parity_samples']} decisions, {report['exporter']}"
    return Finding(difference <= TOLERANCE, summary, {"difference": difference, "tolerance": TOLERANCE})


def golden_vectors(home: Home) -> Finding:
    """The signed bundle verifies, loads as on the trading host and replays its golden vectors."""
    from xtitan_assets.steps.model.signed_bundle import TOLERANCE, check_bundle

    found = check_bundle(home)
    summary = f"largest difference {found.golden_difference:.1e} (at most {TOLERANCE:.0e})"
    return Finding(found.golden_passed, summary, {"difference": found.golden_difference, "bundle_id": found.bundle_id})


def latency(home: Home) -> Finding:
    """One decision stays within the bundle's own budget on one thread."""
    from xtitan_assets.steps.model.signed_bundle import check_bundle

    found = check_bundle(home)
    summary = f"p50 {found.latency_p50_ms} ms, p99 {found.latency_p99_ms} ms of {found.max_latency_ms} ms allowed"
    details = {"p50_ms": found.latency_p50_ms, "p99_ms": found.latency_p99_ms, "max_ms": found.max_latency_ms}
    return Finding(found.latency_passed, summary, details)


def backtest_consistent(home: Home) -> Finding:
    """The backtest is of the bundle that lies in ``data/model/bundle``, on decisions after everything it was fitted on."""
    from xtitan_assets.modeling.samples import TEST
    from xtitan_assets.steps.dataset.snapshot import load_samples
    from xtitan_assets.steps.model.signed_bundle import load_bundle

    report, bundle, samples = read_report(home, "backtest"), load_bundle(home), load_samples(home)
    fitted_until = int(samples.exit_epochs[samples.split != TEST].max())
    same = report["bundle_id"] == bundle.bundle_id
    later = int(report["first_epoch"]) > fitted_until
    summary = f"bundle {'matches' if same else 'differs'}, test span {'follows' if later else 'overlaps'} the fit"
    return Finding(same and later and report["slots"] > 0, summary, {"fitted_until": fitted_until, **_span(report)})


def _span(report: dict[str, Any]) -> dict[str, Any]:
    return {key: report[key] for key in ("first_epoch", "last_epoch", "slots", "quote_source")}


def beats_baseline(home: Home) -> Finding:
    """On the test span the log loss is below the closed form's; without an edge it is not."""
    report = read_report(home, "backtest")
    loss, baseline = float(report["log_loss"]), float(report["baseline_log_loss"])
    summary = f"log loss {loss:.5f}, closed form {baseline:.5f}"
    return Finding(bool(report["beats_baseline"]), summary, {"log_loss": loss, "closed_form": baseline})


def edge_adjusted(home: Home, params: Params) -> Finding:
    """The backtest's edge is above zero even after paying for every registration of the lineage so far.

    The interval of one model is widened to the level 5 % / (registrations + 1): a Bonferroni correction. It is a report
    number: only shadow trading counts as evidence.
    """
    from statistics import NormalDist

    from xtitan_assets.steps.registry.promotion_ledger import next_sequence

    report = read_report(home, "backtest")
    trials = next_sequence(home, params.model_name)
    wanted = report["wanted"]
    if wanted["edge"] is None or wanted["trades"] == 0:
        return Finding(False, "the model made no trade on the test span", {"trials": trials, "trades": 0})
    half_width = (float(wanted["edge_high"]) - float(wanted["edge_low"])) / 2
    plain, adjusted = NormalDist().inv_cdf(0.975), NormalDist().inv_cdf(1 - 0.025 / trials)
    low = float(wanted["edge"]) - half_width * adjusted / plain
    summary = f"edge {float(wanted['edge']):.4f}, at least {low:.4f} after {trials} trial(s)"
    return Finding(low > 0, summary, {"edge": float(wanted["edge"]), "adjusted_low": low, "trials": trials})
