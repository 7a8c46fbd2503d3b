"""A release folder and an MLflow server lead from an alias to a bundle's files, and from nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from live_runner.models.keeper import RoleKeeper
from live_runner.models.source import DirectorySource, MlflowSource, Release, SourceError, model_source
from live_runner.models.store import ModelStore
from support.roles import MODEL, follow
from xtitan_core.bundle.layout import BUNDLE_FILES


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
