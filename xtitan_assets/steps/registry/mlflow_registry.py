"""MLflow as the registry: versions, tags and aliases.

MLflow is imported when a registry is opened: the environment must be set before, and importing it takes seconds.

The runner never sees MLflow's package. It asks the server for an alias and fetches the files of a bundle over plain
HTTP at ``bundle_path``, below the root that ``mlflow server --artifacts-destination mlruns/artifacts`` serves.
"""

from __future__ import annotations

import fcntl
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from xtitan_assets.workspace import environment
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

CHALLENGER, SHADOW, CHAMPION = "challenger", "shadow", "champion"


class RegistryError(StepError):
    """The registry cannot be reached or does not know the model."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A new version.

    Attributes:
        version: MLflow's version number, as text.
        run_id: the MLflow run that holds the artifacts.
        bundle_path: where the artifact server has the bundle.
    """

    version: str
    run_id: str
    bundle_path: str


class Registry:
    """The registry of one workspace.

    Raises:
        RegistryError: when it cannot be opened.
    """

    def __init__(self, home: Home) -> None:
        self._uri = home.mlflow_uri
        self._artifacts = home.mlruns / "artifacts"
        environment.apply()
        # Seven retries with back-off would hide a server that is not there for four minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        with self._quiet(), _first_use(home):
            from mlflow.tracking import MlflowClient

            # MLflow configures its loggers while it is imported, so this comes after.
            for noisy in ("mlflow", "alembic"):
                logging.getLogger(noisy).setLevel(logging.WARNING)
            self._client: MlflowClient = MlflowClient(self._uri, self._uri)
            # Touching both stores migrates a new database here, under the lock.
            self._client.search_experiments(max_results=1)
            self._client.search_registered_models(max_results=1)

    @property
    def _over_http(self) -> bool:
        return urlsplit(self._uri).scheme in ("http", "https")

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Silence third-party noise, and turn MLflow's exceptions into one line."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                yield
            except StepError:
                raise
            except Exception as error:
                reason = " ".join(str(error).split())[:160]
                todo = "start it with `xtitan ui`" if self._over_http else "check MLFLOW_TRACKING_URI and mlruns/"
                raise RegistryError(f"MLflow at {self._uri} failed ({reason}); {todo}") from error

    def register(
        self,
        model_name: str,
        bundle: Path,
        tags: Mapping[str, str],
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
    ) -> Registered:
        """Log the bundle in a run of its own and make a version of it; sets no alias.

        Raises:
            RegistryError: MLflow refused.
        """
        with self._quiet():
            run = self._client.create_run(self._experiment(model_name), run_name=f"{model_name} {tags['sequence']}")
            run_id, root = run.info.run_id, run.info.artifact_uri
            for name, value in parameters.items():
                self._client.log_param(run_id, name, value)
            for name, metric in metrics.items():
                self._client.log_metric(run_id, name, metric)
            self._client.log_artifacts(run_id, str(bundle), "bundle")
            self._client.set_terminated(run_id)
            path = f"{self._served_path(root)}/bundle"
            if not self._client.search_registered_models(filter_string=f"name = '{model_name}'"):
                self._client.create_registered_model(model_name)
            version = self._client.create_model_version(
                model_name, f"{root}/bundle", run_id=run_id, tags={**tags, "bundle_path": path}
            )
            return Registered(str(version.version), run_id, path)

    def _experiment(self, model_name: str) -> str:
        known = self._client.get_experiment_by_name(model_name)
        if known is not None:
            return str(known.experiment_id)
        # A server decides itself where artifacts go; for a database in the workspace the path must be absolute.
        location = None if self._over_http else str((self._artifacts / model_name).resolve())
        return str(self._client.create_experiment(model_name, artifact_location=location))

    def _served_path(self, artifact_uri: str) -> str:
        parts = urlsplit(artifact_uri)
        if parts.scheme == "mlflow-artifacts":
            return unquote(parts.path).strip("/")
        folder = Path(unquote(parts.path))
        try:
            return str(folder.relative_to(self._artifacts.resolve()))
        except ValueError:
            raise RegistryError(
                f"artifacts go to {folder}, outside {self._artifacts}; the runner could not fetch them: "
                "start a new experiment by choosing another registry.model_name"
            ) from None

    def alias(self, model_name: str, alias: str) -> str | None:
        """Version that an alias points to; None when the model or the alias does not exist."""
        with self._quiet():
            models = self._client.search_registered_models(filter_string=f"name = '{model_name}'")
            if not models:
                return None
            version = self._client.get_registered_model(model_name).aliases.get(alias)
            return None if version is None else str(version)

    def set_alias(self, model_name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""
        with self._quiet():
            self._client.set_registered_model_alias(model_name, alias, version)

    def delete_alias(self, model_name: str, alias: str) -> None:
        """Remove an alias; nothing happens when it is not there."""
        with self._quiet():
            if self.alias(model_name, alias) is not None:
                self._client.delete_registered_model_alias(model_name, alias)

    def tags(self, model_name: str, version: str) -> dict[str, str]:
        """Tags of a version.

        Raises:
            RegistryError: no such version.
        """
        with self._quiet():
            return dict(self._client.get_model_version(model_name, version).tags)


@contextmanager
def _first_use(home: Home) -> Iterator[None]:
    """Let one process at a time open the registry: two that migrate one new database at once corrupt it."""
    home.mlruns.mkdir(parents=True, exist_ok=True)
    with open(home.mlruns / ".first-use.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
