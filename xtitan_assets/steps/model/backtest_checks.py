"""Checks of the backtest: that it is of this bundle, and what it says; each function answers with a finding."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

from xtitan_assets.modeling.samples import TEST
from xtitan_assets.steps.dataset.snapshot import load_samples
from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.model.signed_bundle import load_bundle
from xtitan_assets.steps.registry.promotion_ledger import next_sequence
from xtitan_assets.steps.report import read_report
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home


def backtest_consistent(home: Home) -> Finding:
    """The backtest is of the bundle that lies in ``data/model/bundle``, on decisions after everything it was fitted on."""
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
