"""Sources, store, sessions and the keeper of the roles: which model runs, and why not another."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from live_runner.models.errors import ModelError
from live_runner.models.keeper import RoleKeeper
from live_runner.models.session import ModelSession
from live_runner.models.source import DirectorySource, MlflowSource, Release, SourceError, model_source
from live_runner.models.store import ModelStore
from xtitan_core.bundle.keys import generate, load_private
from xtitan_core.bundle.layout import BUNDLE_FILES
from xtitan_core.bundle.manifest import Runtime
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.contracts import ContractType

MODEL = "test-rise_fall-5t"
NOW = 1_772_409_600


def session(releases: Any, bundle_id: str) -> ModelSession:
    files = read_files(releases.folder / MODEL / bundle_id)
    return ModelSession(verify(files, [releases.private.public_key()], NOW))


@pytest.fixture
def keeper(releases: Any, tmp_path: Path) -> RoleKeeper:
    return new_keeper(releases, tmp_path)


def new_keeper(releases: Any, tmp_path: Path, symbol: str = "R_100") -> RoleKeeper:
    store = ModelStore(tmp_path / "models", [releases.private.public_key()])
    return RoleKeeper(DirectorySource(releases.folder, MODEL), store, MODEL, symbol)


async def follow(keeper: RoleKeeper, now: int = NOW, *, strict: bool = False) -> list[tuple[str, str, str]]:
    records = keeper.apply(await keeper.ask(), now, strict=strict)
    return [(r.role, r.bundle_id, r.reason) for r in records]


class TestSession:
    def test_it_answers_with_calibrated_probabilities(self, releases: Any) -> None:
        model = session(releases, releases.bundle(weight=4_000.0))
        ticks = np.zeros(model.spec.tick_window, np.float32)
        ticks[-1] = 2.5e-4
        candles = np.zeros((model.spec.bar_window, len(model.spec.indicators)), np.float32)
        found = model.probabilities(ticks, candles)
        assert found[ContractType.CALL] == pytest.approx(1 / (1 + np.exp(-1.0)), abs=1e-6)
        assert found[ContractType.PUT] == pytest.approx(1 / (1 + np.exp(1.0)), abs=1e-6)
        assert 0 < model.latency_ms < 100

    def test_a_golden_vector_that_does_not_come_out_is_refused(self, releases: Any) -> None:
        bundle_id = releases.bundle(expected=np.zeros((8, 2), np.float32))
        with pytest.raises(ModelError, match="rise_fall is off by"):
            session(releases, bundle_id)

    def test_bytes_that_are_no_model_are_refused(self, releases: Any) -> None:
        bundle_id = releases.bundle(expected=np.zeros((8, 2), np.float32))
        files = read_files(releases.folder / MODEL / bundle_id)
        bundle = verify(files, [releases.private.public_key()], NOW)
        broken = type(bundle)(bundle.bundle_id, bundle.manifest, bundle.model[:100], bundle.golden)
        with pytest.raises(ModelError, match="ONNX Runtime refuses"):
            ModelSession(broken)

    def test_a_model_that_is_too_slow_is_refused(self, releases: Any) -> None:
        impossible = Runtime(opset=17, min_runner_version="0.1.0", max_latency_ms=1e-6)
        bundle_id = releases.bundle(runtime=impossible)
        with pytest.raises(ModelError, match="inference takes"):
            session(releases, bundle_id)


class TestKeeper:
    async def test_an_empty_registry_leaves_both_slots_empty(self, keeper: RoleKeeper) -> None:
        assert await follow(keeper) == []
        assert keeper.roles.loaded() == []

    async def test_aliases_fill_slots_and_their_removal_empties_them(self, releases: Any, keeper: RoleKeeper) -> None:
        one, two = releases.bundle(), releases.bundle(weight=10.0)
        releases.point("champion", one)
        releases.point("shadow", two)
        assert {(slot, bundle) for slot, bundle, _ in await follow(keeper)} == {("champion", one), ("shadow", two)}
        assert await follow(keeper) == []
        releases.point("champion", None)
        assert await follow(keeper) == [("champion", "", "the registry's alias is gone")]
        assert keeper.roles.champion is None

    async def test_one_bundle_under_both_aliases_decides_once(self, releases: Any, keeper: RoleKeeper) -> None:
        one = releases.bundle()
        releases.point("shadow", one)
        await follow(keeper)
        releases.point("champion", one)
        changes = await follow(keeper)
        assert [(slot, bundle) for slot, bundle, _ in changes] == [("champion", one), ("shadow", "")]
        assert [role for role, _ in keeper.roles.loaded()] == ["champion"]

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"expires_epoch": NOW - 1}, "expired"),
            ({"model_name": "another"}, "is for model 'another'"),
            ({"symbols": ("R_50",)}, "this runner trades R_100"),
        ],
    )
    async def test_a_signed_bundle_that_does_not_fit_is_refused(
        self, releases: Any, keeper: RoleKeeper, changes: dict[str, Any], says: str
    ) -> None:
        releases.point("champion", releases.bundle(**changes))
        with pytest.raises(ModelError, match=says):
            await follow(keeper, strict=True)
        assert keeper.roles.champion is None

    async def test_a_foreign_signature_is_refused(self, releases: Any, tmp_path: Path) -> None:
        releases.point("champion", releases.bundle())
        generate(tmp_path / "other" / "key")
        store = ModelStore(tmp_path / "models", [load_private(tmp_path / "other" / "key").public_key()])
        keeper = RoleKeeper(DirectorySource(releases.folder, MODEL), store, MODEL, "R_100")
        with pytest.raises(ModelError, match="champion version 1 refused"):
            await follow(keeper, strict=True)

    async def test_a_refused_successor_leaves_the_champion_and_is_not_tried_again(
        self, releases: Any, keeper: RoleKeeper
    ) -> None:
        good = releases.bundle()
        releases.point("champion", good)
        await follow(keeper)
        bad = releases.bundle(expected=np.zeros((8, 2), np.float32))
        releases.point("champion", bad)
        ((slot, still, reason),) = await follow(keeper)
        assert (slot, still) == ("champion", good)
        assert f"refused {bad[:12]}" in reason
        assert await follow(keeper) == []
        assert keeper.roles.champion is not None
        assert keeper.roles.champion.bundle_id == good

    async def test_tampered_files_are_refused_whatever_the_registry_says(
        self, releases: Any, keeper: RoleKeeper
    ) -> None:
        bundle_id = releases.bundle()
        releases.point("champion", bundle_id)
        path = releases.folder / MODEL / bundle_id / "model.onnx"
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
        with pytest.raises(ModelError, match="not the file that was signed"):
            await follow(keeper, strict=True)

    async def test_a_model_expires_while_it_runs(self, releases: Any, keeper: RoleKeeper) -> None:
        releases.point("champion", releases.bundle(expires_epoch=NOW + 100))
        await follow(keeper)
        assert keeper.expire(NOW + 99) == []
        (record,) = keeper.expire(NOW + 100)
        assert (record.bundle_id, record.reason) == ("", f"expired at {NOW + 100}")
        assert keeper.roles.champion is None

    async def test_without_the_registry_the_last_champion_is_loaded_again(self, releases: Any, tmp_path: Path) -> None:
        bundle_id = releases.bundle()
        releases.point("champion", bundle_id)
        await follow(new_keeper(releases, tmp_path))
        os.rename(releases.folder, tmp_path / "gone")
        keeper = new_keeper(releases, tmp_path)
        with pytest.raises(SourceError, match="no such folder"):
            await keeper.ask()
        (record,) = keeper.offline(NOW)
        assert record.bundle_id == bundle_id
        assert new_keeper(releases, tmp_path).offline(NOW + 31 * 86_400) == []

    async def test_rollback_returns_to_the_previous_champion_for_good(self, releases: Any, tmp_path: Path) -> None:
        keeper = new_keeper(releases, tmp_path)
        one, two = releases.bundle(), releases.bundle(weight=10.0)
        for bundle_id in (one, two):
            releases.point("champion", bundle_id)
            await follow(keeper)
        (record,) = keeper.rollback(NOW, "looks wrong")
        assert record.bundle_id == one
        assert await follow(keeper) == []  # the registry still names the other one
        again = new_keeper(releases, tmp_path)
        ((_, bundle, reason),) = await follow(again, strict=True)
        assert bundle == one
        assert "rolled back" in reason

    async def test_rollback_without_a_previous_champion_trades_nothing(self, releases: Any, keeper: RoleKeeper) -> None:
        with pytest.raises(ModelError, match="no champion"):
            keeper.rollback(NOW, "x")
        releases.point("champion", releases.bundle())
        await follow(keeper)
        (record,) = keeper.rollback(NOW, "x")
        assert record.bundle_id == ""
        assert keeper.roles.champion is None
        assert await follow(keeper) == []

    async def test_an_older_registration_does_not_replace_a_newer_champion(
        self, releases: Any, keeper: RoleKeeper
    ) -> None:
        older, newer = releases.bundle(), releases.bundle(weight=10.0)
        releases.point("champion", newer)
        await follow(keeper)
        releases.point("champion", older)
        ((_, _, reason),) = await follow(keeper)
        assert "older than" in reason
        releases.point("shadow", older)
        assert [slot for slot, _, _ in await follow(keeper)] == ["shadow"]  # watching it risks nothing

    async def test_central_rollback_to_a_former_champion_is_followed(self, releases: Any, keeper: RoleKeeper) -> None:
        older, newer = releases.bundle(), releases.bundle(weight=10.0)
        for bundle_id in (older, newer, older):
            releases.point("champion", bundle_id)
            await follow(keeper)
        assert keeper.roles.champion is not None
        assert keeper.roles.champion.bundle_id == older


class TestStore:
    def test_a_damaged_state_is_not_forgotten(self, tmp_path: Path) -> None:
        (tmp_path / "state.json").write_text("{")
        with pytest.raises(ModelError, match="damaged"):
            ModelStore(tmp_path, [])

    def test_what_is_read_back_is_what_was_kept(self, releases: Any, tmp_path: Path) -> None:
        bundle_id = releases.bundle()
        files = read_files(releases.folder / MODEL / bundle_id)
        store = ModelStore(tmp_path / "models", [])
        store.keep(bundle_id, files)
        store.keep(bundle_id, {})  # kept once
        assert store.read(bundle_id) == files
        with pytest.raises(ModelError, match="cached bundle"):
            store.read("0" * 64)


class TestDirectorySource:
    async def test_a_pointer_must_stay_inside_its_folder(self, releases: Any) -> None:
        source = DirectorySource(releases.folder, MODEL)
        with pytest.raises(SourceError, match="lies outside"):
            await source.fetch(Release("1", "0" * 64, "../../keys"))

    async def test_a_broken_pointer_is_named(self, releases: Any) -> None:
        (releases.folder / MODEL / "champion.json").write_text('{"version": "1"}')
        with pytest.raises(SourceError, match=r"champion\.json: not a release pointer"):
            await DirectorySource(releases.folder, MODEL).resolve("champion")

    def test_a_name_cannot_be_a_path(self, releases: Any) -> None:
        with pytest.raises(SourceError, match="model name"):
            model_source(str(releases.folder), "../x")


class _Registry(BaseHTTPRequestHandler):
    """MLflow's two calls, with MLflow's own words (registered by hand from a 3.17 server's answers)."""

    aliases: dict[str, dict[str, Any]]
    folder: Path

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/api/2.0/mlflow/registered-models/alias":
            query = parse_qs(url.query)
            self._alias(query["name"][0], query["alias"][0])
        elif url.path.startswith("/api/2.0/mlflow-artifacts/artifacts/1/run/artifacts/bundle/"):
            self._send(200, (self.folder / url.path.rpartition("/")[2]).read_bytes())
        else:
            self._send(500, b"oops")

    def _alias(self, name: str, alias: str) -> None:
        if name != MODEL:
            body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"Registered Model with name={name} not found"}
            self._send(404, json.dumps(body).encode())
        elif alias not in self.aliases:
            body = {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Registered model alias {alias} not found."}
            self._send(400, json.dumps(body).encode())
        else:
            tags = [{"key": k, "value": v} for k, v in self.aliases[alias].items()]
            self._send(200, json.dumps({"model_version": {"name": name, "version": "7", "tags": tags}}).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def registry() -> Iterator[tuple[str, type[_Registry]]]:
    handler = type("Registry", (_Registry,), {"aliases": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


class TestMlflowSource:
    async def test_missing_model_and_missing_alias_mean_an_empty_slot(self, registry: Any) -> None:
        url, _ = registry
        for name in (MODEL, "unknown"):
            source = MlflowSource(url, name)
            assert await source.resolve("champion") is None
            await source.aclose()

    async def test_an_alias_leads_to_a_bundle_that_loads(self, registry: Any, releases: Any, tmp_path: Path) -> None:
        url, handler = registry
        bundle_id = releases.bundle()
        handler.folder = releases.folder / MODEL / bundle_id
        handler.aliases["champion"] = {"manifest_sha256": bundle_id, "bundle_path": "1/run/artifacts/bundle"}
        store = ModelStore(tmp_path / "models", [releases.private.public_key()])
        keeper = RoleKeeper(model_source(url, MODEL), store, MODEL, "R_100")
        assert [(slot, bundle) for slot, bundle, _ in await follow(keeper, strict=True)] == [("champion", bundle_id)]
        assert keeper.roles.champion is not None
        assert keeper.roles.champion.version == "7"
        await keeper.aclose()

    async def test_a_version_without_our_tags_is_named(self, registry: Any) -> None:
        url, handler = registry
        handler.aliases["champion"] = {"manifest_sha256": "0" * 64}
        source = MlflowSource(url, MODEL)
        with pytest.raises(SourceError, match="bundle_path"):
            await source.resolve("champion")
        await source.aclose()

    async def test_a_file_larger_than_its_cap_is_cut_off(
        self, registry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url, handler = registry
        handler.folder = tmp_path
        for name in BUNDLE_FILES:
            (tmp_path / name).write_bytes(b"x" * 2_000)
        source = MlflowSource(url, MODEL)
        with pytest.raises(SourceError, match=r"manifest\.sig is larger than 1024"):
            await source.fetch(Release("1", "0" * 64, "1/run/artifacts/bundle"))
        await source.aclose()

    async def test_a_registry_that_is_down_is_one_line(self) -> None:
        source = MlflowSource("http://127.0.0.1:1", MODEL)
        with pytest.raises(SourceError, match="cannot be reached"):
            await source.resolve("champion")
        await source.aclose()
