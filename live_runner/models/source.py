"""Where an alias is resolved and a bundle's files come from: an MLflow server over plain HTTP, or a release folder.

A source says which model; ``store`` decides from the signature whether to trust it. Nothing here unpickles, imports
mlflow or follows a redirect.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from live_runner.errors import RunnerError
from xtitan_core.bundle.errors import BundleError
from xtitan_core.bundle.layout import SIZE_CAPS
from xtitan_core.bundle.verification import read_files

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*\Z")


class SourceError(RunnerError, RuntimeError):
    """The registry cannot be read, or its answer has another form; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """What an alias points at.

    Attributes:
        version: the registry's version, for people and the journal.
        manifest_sha256: hash the manifest must have: the bundle id.
        location: where the source finds the files.
    """

    version: str
    manifest_sha256: str
    location: str


class ModelSource(Protocol):
    """A registry, as the runner sees it."""

    async def resolve(self, alias: str) -> Release | None:
        """The release an alias points at, or None when there is no such alias or model.

        Raises:
            SourceError: when the registry cannot be asked.
        """
        ...

    async def fetch(self, release: Release) -> dict[str, bytes]:
        """The bundle's files by name, unverified.

        Raises:
            SourceError: when they cannot be had.
        """
        ...

    async def aclose(self) -> None:
        """Let connections go."""
        ...


class DirectorySource:
    """A release folder or mounted bucket: ``<folder>/<model>/<alias>.json`` beside the bundle it names."""

    def __init__(self, folder: Path, model: str) -> None:
        self._folder, self._model = folder, _checked_name(model)

    async def resolve(self, alias: str) -> Release | None:
        if not self._folder.is_dir():
            raise SourceError(f"registry folder {self._folder}: no such folder; check --registry")
        path = self._folder / self._model / f"{alias}.json"
        try:
            body = json.loads(path.read_bytes())
            return Release(str(body["version"]), str(body["manifest_sha256"]), str(body["bundle"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{path}: not a release pointer ({error}); write it again") from None

    async def fetch(self, release: Release) -> dict[str, bytes]:
        base = (self._folder / self._model).resolve()
        folder = (base / release.location).resolve()
        if not folder.is_relative_to(self._folder.resolve()):
            raise SourceError(f"release {release.version}: bundle {release.location!r} lies outside {self._folder}")
        try:
            return read_files(folder)
        except (OSError, BundleError) as error:
            raise SourceError(f"bundle folder {folder}: {error}") from None

    async def aclose(self) -> None:
        return None


class MlflowSource:
    """An MLflow tracking server's REST API; version tags ``manifest_sha256`` and ``bundle_path`` locate the bundle."""

    def __init__(self, url: str, model: str, *, timeout: float = 10.0) -> None:
        self._url, self._model = url.rstrip("/"), _checked_name(model)
        self._http = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)

    async def resolve(self, alias: str) -> Release | None:
        params = {"name": self._model, "alias": alias}
        response = await self._get("/api/2.0/mlflow/registered-models/alias", params)
        body = _json(response)
        if response.status_code != 200:
            if _is_absent(response.status_code, body):
                return None
            message = str(body.get("message", "")).splitlines()[:1]
            raise SourceError(f"registry {self._url}: status {response.status_code} {' '.join(message)}".rstrip())
        try:
            version = body["model_version"]
            tags = {str(tag["key"]): str(tag["value"]) for tag in version.get("tags", [])}
            return Release(str(version["version"]), tags["manifest_sha256"], tags["bundle_path"])
        except (KeyError, TypeError) as error:
            raise SourceError(
                f"registry {self._url}: {self._model}@{alias} lacks {error}; register it with `xtitan run register`"
            ) from None

    async def fetch(self, release: Release) -> dict[str, bytes]:
        base = f"/api/2.0/mlflow-artifacts/artifacts/{release.location.strip('/')}"
        return {name: await self._download(f"{base}/{name}", cap) for name, cap in SIZE_CAPS.items()}

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _get(self, path: str, params: dict[str, str]) -> httpx.Response:
        try:
            return await self._http.get(self._url + path, params=params)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    async def _download(self, path: str, cap: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            async with self._http.stream("GET", self._url + path) as response:
                if response.status_code != 200:
                    raise SourceError(f"registry {self._url}: {path} answers {response.status_code}")
                async for part in response.aiter_bytes():
                    size += len(part)
                    if size > cap:
                        raise SourceError(f"registry {self._url}: {path} is larger than {cap} bytes")
                    parts.append(part)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        return b"".join(parts)

    def _unreachable(self, error: httpx.HTTPError) -> SourceError:
        return SourceError(
            f"registry {self._url} cannot be reached ({type(error).__name__}); start it or fix --registry"
        )


def model_source(registry: str, model: str) -> ModelSource:
    """The source a ``--registry`` value means: a URL is an MLflow server, anything else a folder.

    Raises:
        SourceError: when the model's name cannot be a registered model.
    """
    if registry.startswith(("http://", "https://")):
        return MlflowSource(registry, model)
    return DirectorySource(Path(registry), model)


def _checked_name(model: str) -> str:
    if not _NAME.match(model):
        raise SourceError(f"model name {model!r}: use letters, digits, dot, dash and underscore")
    return model


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _is_absent(status: int, body: dict[str, Any]) -> bool:
    """MLflow says RESOURCE_DOES_NOT_EXIST for a missing model, INVALID_PARAMETER_VALUE for a missing alias."""
    code = body.get("error_code")
    if status == 404 and code == "RESOURCE_DOES_NOT_EXIST":
        return True
    return status == 400 and code == "INVALID_PARAMETER_VALUE" and "not found" in str(body.get("message", ""))
