"""Checks of the backtest: that it is of this bundle, and what it says; each function answers with a finding."""

from __future__ import annotations

from statistics import NormalDist

from xtitan_assets.modeling.samples import TEST
from xtitan_assets.steps.dataset.snapshot import load_samples
from xtitan_assets.steps.finding import Finding
from xtitan_assets.steps.model.backtest import BacktestReport
from xtitan_assets.steps.model.signed_bundle import load_bundle
from xtitan_assets.steps.registry.promotion_ledger import next_sequence
from xtitan_assets.steps.report import read_report
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home


def backtest_consistent(home: Home) -> Finding:
    """The backtest is of the bundle in ``data/model/bundle``, on decisions after everything it was fitted on."""
    report, bundle, samples = read_report(home, BacktestReport), load_bundle(home), load_samples(home)
    fitted_until = int(samples.exit_epochs[samples.split != TEST].max())
    same = report.bundle_id == bundle.bundle_id
    later = report.first_epoch > fitted_until
    summary = f"bundle {'matches' if same else 'differs'}, test span {'follows' if later else 'overlaps'} the fit"
    details = {
        "fitted_until": fitted_until,
        "first_epoch": report.first_epoch,
        "last_epoch": report.last_epoch,
        "slots": report.slots,
        "quote_source": report.quote_source,
    }
    return Finding(same and later and report.slots > 0, summary, details)


def beats_baseline(home: Home) -> Finding:
    """On the test span the log loss is below the closed form's; without an edge it is not."""
    report = read_report(home, BacktestReport)
    loss, baseline = report.log_loss, report.baseline_log_loss
    summary = f"log loss {loss:.5f}, closed form {baseline:.5f}"
    return Finding(report.beats_baseline, summary, {"log_loss": loss, "closed_form": baseline})


def edge_adjusted(home: Home, params: Params) -> Finding:
    """The backtest's edge is above zero even after paying for every registration of the lineage so far.

    The interval of one model is widened to the level 5 % / (registrations + 1): a Bonferroni correction. It is a report
    number: only shadow trading counts as evidence.
    """
    report = read_report(home, BacktestReport)
    trials = next_sequence(home, params.model_name)
    wanted = report.wanted
    if wanted.edge is None or wanted.edge_low is None or wanted.edge_high is None or wanted.trades == 0:
        return Finding(False, "the model made no trade on the test span", {"trials": trials, "trades": 0})
    half_width = (wanted.edge_high - wanted.edge_low) / 2
    plain, adjusted = NormalDist().inv_cdf(0.975), NormalDist().inv_cdf(1 - 0.025 / trials)
    low = wanted.edge - half_width * adjusted / plain
    summary = f"edge {wanted.edge:.4f}, at least {low:.4f} after {trials} trial(s)"
    return Finding(low > 0, summary, {"edge": wanted.edge, "adjusted_low": low, "trials": trials})
