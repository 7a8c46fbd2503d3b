"""Registration: a real MLflow version with its files, a release folder, a ledger line, and a budget."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from live_runner.models.source import DirectorySource, MlflowSource
from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.registry.mlflow_registry import Registry
from xtitan_assets.steps.registry.promotion_ledger import Kind, next_sequence
from xtitan_assets.steps.registry.register import register
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle.keys import load_public
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.clock import DAY


def test_a_registration_is_a_version_two_aliases_a_release_folder_and_a_ledger_line(workspace: Any) -> None:
    bundle_id = workspace.package()
    report = register(workspace.home, workspace.params, "run-7", venue_epoch=workspace.clock + 60)

    tags = Registry(workspace.home).tags(workspace.model_name, report.version)
    assert tags["manifest_sha256"] == bundle_id == report.bundle_id
    assert tags["bundle_path"] == report.bundle_path
    assert tags["snapshot_id"] == "0123abcd"
    assert tags["sequence"] == "1"
    assert read_files(workspace.home.mlruns / "artifacts" / report.bundle_path) == read_files(workspace.home.bundle)
    assert workspace.alias("challenger") == workspace.alias("shadow") == report.version
    assert workspace.alias("champion") is None

    (entry,) = ledger.read(workspace.home.ledger)
    assert (entry.kind, entry.bundle_id, entry.who) == (Kind.REGISTERED, bundle_id, "dagster run run-7")
    assert entry.venue_epoch == report.registered_epoch == workspace.clock + 60
    assert (report.candidates, report.budget_left, report.already) == (1, 49, False)
    assert next_sequence(workspace.home, workspace.model_name) == 2


def test_the_release_folder_serves_the_runner_without_a_registry(workspace: Any) -> None:
    report = workspace.retrain()
    source = DirectorySource(workspace.home.data / "releases", workspace.model_name)

    async def look() -> None:
        release = await source.resolve("shadow")
        assert release is not None
        assert (release.version, release.manifest_sha256) == (report.version, report.bundle_id)
        files = await source.fetch(release)
        public = load_public(workspace.home.keys / "signing.pub")
        assert verify(files, [public], workspace.clock, expected_id=release.manifest_sha256).manifest.sequence == 1
        assert await source.resolve("champion") is None

    asyncio.run(look())


def test_registering_the_same_bundle_again_spends_nothing_and_repairs_the_aliases(workspace: Any) -> None:
    first = workspace.retrain()
    Registry(workspace.home).delete_alias(workspace.model_name, "shadow")
    again = register(workspace.home, workspace.params)
    assert again.already
    assert (again.version, again.candidates) == (first.version, 1)
    assert workspace.alias("shadow") == first.version
    assert len(ledger.read(workspace.home.ledger)) == 1


def test_the_newest_candidate_takes_the_shadow_slot(workspace: Any) -> None:
    workspace.retrain()
    second = workspace.retrain(seed=2)
    assert (second.sequence, second.version) == (2, "2")
    assert workspace.alias("shadow") == workspace.alias("challenger") == "2"


def test_evidence_starts_after_everything_the_pipeline_has_seen(workspace: Any) -> None:
    first = workspace.retrain()
    workspace.runs_in_shadow(first.bundle_id, ["won"] * 10)
    seen = workspace.clock
    workspace.package(seed=2)
    assert register(workspace.home, workspace.params, venue_epoch=seen - 100_000).registered_epoch == seen


def test_a_bundle_with_an_old_counter_or_for_another_model_is_refused(workspace: Any) -> None:
    workspace.retrain()
    workspace.package(sequence=1, seed=9)
    with pytest.raises(StepError, match="registration 1 and the next one is 2"):
        register(workspace.home, workspace.params)
    workspace.package()
    workspace.set("registry", model_name="another-model")
    with pytest.raises(StepError, match="the parameters say another-model"):
        register(workspace.home, workspace.params)


def test_a_spent_budget_refuses_until_the_next_year(workspace: Any) -> None:
    workspace.set("gate", budget=2)
    workspace.retrain()
    assert workspace.retrain(seed=2).budget_left == 0
    workspace.package(seed=3)
    with pytest.raises(StepError, match=r"used its 2 registrations of 2026; wait for 2027"):
        register(workspace.home, workspace.params)
    workspace.clock += 310 * DAY
    workspace.package(seed=3)
    assert register(workspace.home, workspace.params).candidates == 1


def test_a_lineage_more_than_declared_is_refused(workspace: Any) -> None:
    workspace.retrain()
    workspace.set("registry", model_name="second-lineage")
    workspace.package()
    with pytest.raises(StepError, match=r"would be lineage 2 and gate\.lineages declares 1 for 2026"):
        register(workspace.home, workspace.params)


def test_the_number_of_lineages_cannot_rise_after_the_first_was_judged(workspace: Any) -> None:
    workspace.retrain()
    workspace.set("gate", lineages=2)
    workspace.set("registry", model_name="second-lineage")
    workspace.package()
    with pytest.raises(StepError, match=r"declared as 1 .* cannot rise to 2 before 2027"):
        register(workspace.home, workspace.params)
    workspace.clock += 310 * DAY
    workspace.package()
    assert register(workspace.home, workspace.params).sequence == 1


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "model.onnx", "golden.npz"])
def test_a_changed_bundle_is_refused_and_leaves_no_trace(workspace: Any, name: str) -> None:
    workspace.package()
    path = workspace.home.bundle / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(StepError, match="fetch or package it again"):
        register(workspace.home, workspace.params)
    assert not workspace.home.ledger.exists()


def test_a_bundle_signed_by_a_stranger_is_refused(workspace: Any) -> None:
    workspace.package()
    for path in workspace.home.keys.iterdir():
        path.unlink()
    with pytest.raises(StepError, match="no public key"):
        register(workspace.home, workspace.params)


def test_an_unreachable_registry_is_one_line(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    workspace.package()
    with pytest.raises(StepError, match=r"MLflow at http://127\.0\.0\.1:9 failed .*`xtitan ui`") as caught:
        register(workspace.home, workspace.params)
    assert "\n" not in str(caught.value)
    assert not workspace.home.ledger.exists()


@pytest.mark.slow
def test_two_processes_may_use_a_new_database_at_once(tmp_path: Path) -> None:
    """Without the lock MLflow's concurrent first migrations corrupt the file."""
    code = (
        "import sys; from pathlib import Path; from xtitan_assets.workspace.paths import Home\n"
        "from xtitan_assets.steps.registry.mlflow_registry import Registry\n"
        "root = Path(sys.argv[1]); print(Registry(Home(root, root / 'data')).alias('m', 'champion'))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=150)[0].strip() for process in both] == ["None", "None"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_real_server_serves_the_bundle_over_plain_http(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's own client against `mlflow server`, for a version made in the database and one made over HTTP."""
    workspace.set("gate", lineages=2)
    local = workspace.retrain()
    home: Home = workspace.home
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", home.mlflow_uri, "--artifacts-destination", str(home.mlruns / "artifacts")),
        ],
        env={
            "PATH": str(Path(sys.executable).parent),
            "HOME": str(home.root),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        cwd=home.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert server.poll() is None, "the server ended before it was ready"
            time.sleep(0.2)

        async def fetched(alias: str) -> tuple[str, str, dict[str, bytes]]:
            source = MlflowSource(url, workspace.model_name)
            try:
                release = await source.resolve(alias)
                assert release is not None
                assert await source.resolve("champion") is None
                return release.version, release.manifest_sha256, await source.fetch(release)
            finally:
                await source.aclose()

        public = load_public(home.keys / "signing.pub")
        version, sha256, files = asyncio.run(fetched("shadow"))
        assert (version, sha256) == (local.version, local.bundle_id)
        assert verify(files, [public], workspace.clock, expected_id=sha256).manifest.sequence == 1

        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        workspace.set("registry", model_name="made-over-http")
        remote = workspace.retrain(seed=2)
        version, sha256, files = asyncio.run(fetched("shadow"))
        assert (version, sha256) == (remote.version, remote.bundle_id)
        assert verify(files, [public], workspace.clock, expected_id=sha256).bundle_id == remote.bundle_id
        assert files == read_files(home.bundle)
    finally:
        server.terminate()
        server.wait(20)
