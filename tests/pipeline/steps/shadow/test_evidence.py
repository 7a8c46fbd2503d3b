"""The evidence in the journal: what opens the gate, what must not, and a certificate that can be recomputed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xtitan_assets import certificate_check
from xtitan_assets.steps.shadow.evidence import ShadowReport, evaluate
from xtitan_assets.workspace.errors import StepError
from xtitan_core.clock import DAY
from xtitan_core.evidence.cash_account import without_overlap

QUOTED = 0.953
HAIRCUT = 0.01


def evaluated(workspace: Any) -> ShadowReport:
    return evaluate(workspace.home, workspace.params)


def test_without_a_registration_there_is_nothing_to_judge(workspace: Any) -> None:
    with pytest.raises(StepError, match=r"has never been registered; run `xtitan run retrain`"):
        evaluated(workspace)


def test_without_a_journal_the_evidence_is_one_and_everything_is_possible(workspace: Any) -> None:
    workspace.retrain()
    report = evaluated(workspace)
    assert report.decided == "continue"
    assert (report.certificate.e_own, report.certificate.e_lineage, report.certificate.trades) == (1.0, 1.0, 0)
    assert report.certificate.edge_high == report.slots.edge_high == 0.6
    assert report.path == [(0, 1.0, 1.0)]


def test_a_planted_edge_opens_the_gate(workspace: Any, planted: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, planted)
    report = evaluated(workspace)
    certificate, wins = report.certificate, planted.count("won")
    assert (report.decided, certificate.rule) == ("promoted", "lineage")
    assert (certificate.trades, certificate.wins, certificate.open_trades, certificate.max_overlap) == (800, wins, 0, 1)
    assert certificate.e_own == pytest.approx(without_overlap(wins, 800 - wins, QUOTED * (1.0 - HAIRCUT)), rel=1e-9)
    assert certificate.ratio == pytest.approx(QUOTED)
    assert certificate.win_rate_low < wins / 800
    assert certificate.edge_low < 0.953 * 0.58 < certificate.edge_high + 0.6
    assert report.path[-1] == (800, certificate.e_own, certificate.e_lineage)
    assert len(report.path) <= 410


def test_the_written_report_says_what_the_returned_one_says(workspace: Any, planted: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, planted)
    report = evaluated(workspace)
    written = json.loads((workspace.home.reports / "shadow.json").read_text())
    assert written == json.loads(json.dumps(report.as_dict()))
    assert (written["verdict"], written["decided"]) == ("promote", "promoted")
    assert written["bankroll"] == written["e_lineage"] == written["path"][-1][1]
    assert written["own_path"][-1] == [800, written["e_own"]]
    assert written["slots"] == written["trades"] == 800
    assert written["edge_upper"] == report.slots.edge_high
    assert not {"path", "own_path"} & set(report.as_metadata())


def test_break_even_trades_do_not_open_it(workspace: Any, fair: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, fair)
    report = evaluated(workspace)
    assert report.decided == "continue"
    assert not report.certificate.promote
    assert report.certificate.e_own < 20.0


def test_the_preferred_side_of_every_slot_gives_a_bound_only(workspace: Any, planted: list[str]) -> None:
    """Even slots that would have opened the gate are no evidence when the model did not want them."""
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, planted, counted=False)
    report = evaluated(workspace)
    assert report.decided == "continue"
    assert (report.certificate.e_own, report.certificate.trades) == (1.0, 0)
    assert report.certificate.excluded == {"not_wanted": 800}
    assert (report.slots.trades, report.slots.wins) == (800, planted.count("won"))
    assert report.slots.edge_high < 0.6


def test_trades_from_before_the_registration_do_not_count(workspace: Any, planted: list[str]) -> None:
    """A bundle that ran before anyone wrote it down has seen its own examination."""
    bundle_id = workspace.package()
    workspace.runs_in_shadow(bundle_id, planted)
    from xtitan_assets.steps.registry.register import register

    register(workspace.home, workspace.params)
    report = evaluated(workspace)
    assert report.certificate.e_own == 1.0
    assert report.certificate.excluded == {"before_registration": 800}


def test_ticks_that_the_model_was_fitted_on_are_no_evidence(workspace: Any, planted: list[str]) -> None:
    """An exchange that was started again is back at its first day; the downloaded days lie in its future."""
    registered = workspace.retrain(trained_until=workspace.clock + 800 * 14)
    workspace.runs_in_shadow(registered.bundle_id, planted)
    certificate = evaluated(workspace).certificate
    assert (certificate.trades, certificate.excluded) == (0, {"before_registration": 800})


def test_a_journal_that_lost_trades_is_no_fresh_start(workspace: Any) -> None:
    """Restarting the bankroll at 1 after a bad run would be a try outside the error budget."""
    from xtitan_assets.steps.release.promote import promote

    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, ["won"] * 2)
    workspace.runs_in_shadow(registered.bundle_id, ["lost"] * 3)
    assert not promote(workspace.home, workspace.params).promoted
    latest = max(workspace.home.journal.iterdir())
    kept = latest.read_bytes()
    latest.unlink()
    with pytest.raises(StepError, match=r"2 settled shadow trades .* counted 5; fetch the runner's segments again"):
        evaluated(workspace)
    second = workspace.retrain(seed=2)
    with pytest.raises(StepError, match="counted 5"):
        evaluated(workspace)
    latest.write_bytes(kept)
    assert evaluated(workspace).certificate.bundle_id == second.bundle_id


def test_evidence_survives_retraining(workspace: Any, planted: list[str]) -> None:
    """The lineage is rich already; the new candidate needs a bankroll of 20 of its own, not 40."""
    first = workspace.retrain()
    workspace.runs_in_shadow(first.bundle_id, planted)
    rich = evaluated(workspace).certificate.e_lineage
    second = workspace.retrain(seed=2)
    workspace.runs_in_shadow(second.bundle_id, ["won"] * 12 + ["lost"] * 5)
    certificate = evaluated(workspace).certificate
    assert certificate.bundle_id == second.bundle_id
    assert certificate.e_own == pytest.approx(without_overlap(12, 5, QUOTED * (1.0 - HAIRCUT)))
    assert certificate.e_lineage > rich
    assert certificate.candidates == 2
    assert not certificate.promote


def test_another_account_does_not_count(workspace: Any, planted: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, ["lost"])
    workspace.account = "DOT90000002"
    workspace.runs_in_shadow(registered.bundle_id, planted)
    certificate = evaluated(workspace).certificate
    assert certificate.account_id == "paper:DOT90000001"
    assert (certificate.trades, certificate.excluded) == (1, {"other_account": 800})


def test_open_and_missed_trades_are_published(workspace: Any) -> None:
    registered = workspace.retrain()
    workspace.miss(registered.bundle_id, "stale_quote")
    workspace.shadow(registered.bundle_id, ["won"], settle=False)
    workspace.runs_in_shadow(registered.bundle_id, ["won"])
    certificate = evaluated(workspace).certificate
    assert (certificate.open_trades, certificate.trades, certificate.missed) == (1, 1, {"stale_quote": 1})
    assert certificate.e_own < without_overlap(1, 0, QUOTED * (1.0 - HAIRCUT)), "the open stake is worth nothing"


@pytest.mark.parametrize(
    ("outcomes", "max_trades", "why"),
    [
        (["lost"] * 60, 3_000, "is excluded"),
        (["won", "lost"] * 30, 60, "gate.max_trades is 60"),
    ],
)
def test_a_hopeless_candidate_is_let_go(workspace: Any, outcomes: list[str], max_trades: int, why: str) -> None:
    workspace.set("gate", max_trades=max_trades)
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, outcomes)
    report = evaluated(workspace)
    assert report.decided == "futile"
    assert why in report.why


@pytest.mark.parametrize(("max_days", "decided"), [(30.0, "futile"), (31.0, "continue")])
def test_after_the_agreed_market_days_without_a_verdict_a_candidate_is_let_go(
    workspace: Any, max_days: float, decided: str
) -> None:
    workspace.set("gate", max_days=max_days)
    registered = workspace.retrain()
    workspace.shadow(registered.bundle_id, ["won", "lost"])
    workspace.clock += 30 * DAY
    workspace.runs_in_shadow(registered.bundle_id, ["won"])
    assert evaluated(workspace).decided == decided


def test_the_gate_written_down_at_registration_cannot_be_loosened_afterwards(
    workspace: Any, planted: list[str]
) -> None:
    workspace.set("gate", lineages=3, haircut=0.05)
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, planted)
    strict = evaluated(workspace).certificate
    workspace.set("gate", lineages=1, haircut=0.0)
    assert evaluated(workspace).certificate == strict
    workspace.set("gate", haircut=0.10)
    assert evaluated(workspace).certificate.e_own < strict.e_own


def test_a_lineage_shares_the_budget_with_every_other_one(workspace: Any) -> None:
    """Two lineages on the account: 80 and 4,000 for both, whatever the parameters say when the first is judged."""
    first = workspace.model_name
    workspace.set("gate", lineages=2)
    workspace.retrain()
    workspace.set("registry", model_name="second-lineage")
    workspace.retrain(seed=2)
    workspace.set("gate", lineages=1)
    workspace.set("registry", model_name=first)
    certificate = evaluated(workspace).certificate
    assert (certificate.need_lineage, certificate.need_own, certificate.need_alone) == (80.0, 20.0, 4_000.0)


def test_a_broken_journal_is_one_line(workspace: Any) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, ["won"])
    (segment,) = workspace.home.journal.iterdir()
    segment.write_bytes(segment.read_bytes()[:-20])
    with pytest.raises(StepError, match="fetch the runner's segments again") as caught:
        evaluated(workspace)
    assert "\n" not in str(caught.value)


def check(folder: Path, certificate: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the certificate check in another interpreter, isolated from this project."""
    if certificate is not None:
        (folder / "claim.json").write_text(json.dumps(certificate))
    name = "certificate.json" if certificate is None else "claim.json"
    return subprocess.run(
        [sys.executable, "-I", certificate_check.__file__, str(folder / name), str(folder / "shadow_trades.csv")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_stranger_recomputes_the_certificate_with_the_standard_library(workspace: Any, planted: list[str]) -> None:
    first = workspace.retrain()
    workspace.runs_in_shadow(first.bundle_id, planted[:400])
    second = workspace.retrain(seed=2)
    workspace.shadow(second.bundle_id, planted[400:500])
    workspace.shadow(second.bundle_id, ["refunded", "won"], settle=False)
    workspace.runs_in_shadow(second.bundle_id, ["refunded", *planted[500:]])
    evaluated(workspace)
    good = check(workspace.home.reports)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "DIFFERS" not in good.stdout

    certificate = json.loads((workspace.home.reports / "certificate.json").read_text())
    for name, wrong in (
        ("e_own", certificate["e_own"] * 1.001),
        ("wins", certificate["wins"] + 1),
        ("promote", not certificate["promote"]),
    ):
        changed = check(workspace.home.reports, {**certificate, name: wrong})
        assert changed.returncode == 1
        assert f"{name:<14}" in changed.stdout
        assert changed.stdout.count("DIFFERS") == 1

    table = workspace.home.reports / "shadow_trades.csv"
    rows = list(csv.reader(table.read_text().splitlines()))
    lost = next(i for i, row in enumerate(rows) if row[5] == "lost")
    rows[lost][5] = "won"
    table.write_text("\n".join(",".join(row) for row in rows) + "\n")
    assert check(workspace.home.reports).returncode == 1


def test_the_check_is_short_and_needs_nothing() -> None:
    source = Path(certificate_check.__file__).read_text()
    assert len(source.splitlines()) <= 60
    imported = {line.split()[1] for line in source.splitlines() if line.startswith(("import", "from"))}
    assert imported <= set(sys.stdlib_module_names)
