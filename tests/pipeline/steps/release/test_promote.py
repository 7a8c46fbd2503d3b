"""Promotion, refusal, rollback and demotion: the alias, the release folder and the ledger always agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.registry.mlflow_registry import Registry
from xtitan_assets.steps.registry.promotion_ledger import Kind
from xtitan_assets.steps.registry.register import register
from xtitan_assets.steps.release import promote
from xtitan_assets.steps.shadow.drift import evaluate as watch
from xtitan_assets.workspace.errors import StepError
from xtitan_core.clock import DAY


def kinds(workspace: Any) -> list[Kind]:
    return [entry.kind for entry in ledger.read(workspace.home.ledger)]


def release(workspace: Any, alias: str) -> dict[str, str] | None:
    path: Path = workspace.home.data / "releases" / workspace.model_name / f"{alias}.json"
    return json.loads(path.read_text()) if path.exists() else None


def go(workspace: Any, why: str = "") -> promote.PromotionReport:
    return promote.promote(workspace.home, workspace.params, "tester", why)


def promoted(workspace: Any, outcomes: list[str], seed: int = 1) -> promote.PromotionReport:
    registered = workspace.retrain(seed=seed)
    workspace.runs_in_shadow(registered.bundle_id, outcomes)
    report = go(workspace)
    assert report.promoted
    return report


def test_the_gate_opens_and_the_champion_moves(workspace: Any, planted: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, planted)
    report = go(workspace, "shown to the board")

    assert report.promoted
    assert (report.before, report.after) == ("", registered.bundle_id)
    assert workspace.alias("champion") == registered.version
    assert workspace.alias("shadow") is None, "the champion is shadowed in its own slot"
    assert release(workspace, "champion") is not None
    assert release(workspace, "shadow") is None

    entry = ledger.read(workspace.home.ledger)[-1]
    assert (entry.kind, entry.who, entry.after) == (Kind.PROMOTED, "tester", registered.bundle_id)
    assert "shown to the board" in entry.why
    assert entry.evidence["e_own"] == report.e_own
    folder = Path(report.certificate)
    assert json.loads((folder / "certificate.json").read_text())["promote"] is True
    assert "PROMOTED by the lineage rule" in (folder / "certificate.txt").read_text()
    assert (folder / "trades.csv").read_text().count("\n") == 1 + 2 * 800


def test_promoting_twice_is_one_promotion(workspace: Any, planted: list[str]) -> None:
    promoted(workspace, planted)
    Registry(workspace.home).delete_alias(workspace.model_name, "champion")
    again = go(workspace)
    assert again.promoted
    assert workspace.alias("champion") == "1", "a lost alias is put back"
    assert kinds(workspace) == [Kind.REGISTERED, Kind.PROMOTED]


def test_a_closed_gate_refuses_and_says_so_in_the_ledger(workspace: Any, fair: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, fair)
    report = go(workspace)
    assert (report.promoted, report.decided) == (False, "continue")
    assert workspace.alias("champion") is None
    assert workspace.alias("shadow") == registered.version
    assert kinds(workspace) == [Kind.REGISTERED, Kind.REFUSED]


def test_a_futile_candidate_is_closed_for_good(workspace: Any, planted: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, ["lost"] * 60)
    assert go(workspace).decided == "futile"
    assert kinds(workspace)[-1] is Kind.CLOSED
    assert workspace.alias("shadow") is None
    workspace.runs_in_shadow(registered.bundle_id, planted * 2)
    late = go(workspace)
    assert (late.promoted, late.decided) == (False, "futile")
    assert "only a new registration can be promoted" in late.why
    assert register(workspace.home, workspace.params).already
    assert workspace.alias("shadow") is None, "registering a closed bundle again does not bring it back"


def test_evidence_cannot_promote_an_expired_or_changed_bundle(workspace: Any, planted: list[str]) -> None:
    registered = workspace.retrain(expires_days=1)
    workspace.runs_in_shadow(registered.bundle_id, planted)
    kept = workspace.home.data / "releases" / workspace.model_name / "bundles" / registered.bundle_id
    good = (kept / "model.onnx").read_bytes()
    (kept / "model.onnx").write_bytes(b"another model")
    changed = go(workspace)
    assert not changed.promoted
    assert "not the file that was signed" in changed.why
    (kept / "model.onnx").write_bytes(good)
    workspace.clock += DAY
    workspace.export_journal()
    expired = go(workspace)
    assert not expired.promoted
    assert "expired" in expired.why
    assert workspace.alias("champion") is None


def test_a_registry_whose_version_was_swapped_is_refused(workspace: Any, planted: list[str]) -> None:
    registered = workspace.retrain()
    workspace.runs_in_shadow(registered.bundle_id, planted)
    client = Registry(workspace.home)._client
    client.set_model_version_tag(workspace.model_name, registered.version, "manifest_sha256", "0" * 64)
    report = go(workspace)
    assert not report.promoted
    assert "names another manifest" in report.why


def test_rollback_puts_the_previous_champion_back_and_then_none(workspace: Any, planted: list[str]) -> None:
    first = promoted(workspace, planted)
    second = promoted(workspace, planted, seed=2)
    assert second.before == first.bundle_id

    report = promote.rollback(workspace.home, workspace.params, "tester", "it misbehaves")
    assert (report.before, report.after) == (second.bundle_id, first.bundle_id)
    assert workspace.alias("champion") == first.version
    pointer = release(workspace, "champion")
    assert pointer is not None
    assert pointer["manifest_sha256"] == first.bundle_id

    refused = go(workspace)
    assert not refused.promoted, "the bundle that was taken out needs a new registration"
    assert workspace.alias("champion") == first.version

    assert promote.rollback(workspace.home, workspace.params, "tester").after == ""
    assert workspace.alias("champion") is None
    assert release(workspace, "champion") is None
    with pytest.raises(StepError, match="no champion"):
        promote.rollback(workspace.home, workspace.params)


def test_a_rollback_cut_between_ledger_and_alias_is_finished_not_repeated(workspace: Any, planted: list[str]) -> None:
    first = promoted(workspace, planted)
    second = promoted(workspace, planted, seed=2)
    promote.rollback(workspace.home, workspace.params)
    Registry(workspace.home).set_alias(workspace.model_name, "champion", second.version)
    again = promote.rollback(workspace.home, workspace.params)
    assert again.after == first.bundle_id
    assert workspace.alias("champion") == first.version
    assert kinds(workspace).count(Kind.ROLLED_BACK) == 1


def test_a_dead_edge_is_noticed_and_demoted_to_shadow_only(workspace: Any, planted: list[str]) -> None:
    assert watch(workspace.home, workspace.params).advice == "no_champion"
    report = promoted(workspace, planted)
    workspace.runs_in_shadow(report.bundle_id, planted[:300])
    healthy = watch(workspace.home, workspace.params)
    assert (healthy.advice, healthy.trades) == ("none", 300)
    assert healthy.promoted_edge > 0.0

    workspace.runs_in_shadow(report.bundle_id, ["lost", "lost", "won"] * 250)
    dead = watch(workspace.home, workspace.params)
    assert dead.advice == "demote"
    assert dead.demote_statistic > dead.threshold
    assert sum(day["trades"] for day in dead.days) == dead.trades == 1_050

    demoted = promote.demote(workspace.home, workspace.params, "tester", "e-SR alarm", dead.as_metadata())
    assert demoted.after == ""
    assert workspace.alias("champion") is None
    assert kinds(workspace)[-1] is Kind.DEMOTED
    assert not go(workspace).promoted
