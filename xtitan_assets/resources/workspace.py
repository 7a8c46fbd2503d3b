"""The workspace as a Dagster resource: folders and parameters, read when a run needs them."""

from __future__ import annotations

import dagster as dg
from pydantic import Field

from xtitan_assets.workspace.params import Params, load_params
from xtitan_assets.workspace.paths import Home


class WorkspaceResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Folders and params.yaml of this run.

    Attributes:
        overrides: ``section.key=value`` lines applied over params.yaml, as `xtitan run --set` writes them.
    """

    overrides: list[str] = Field(default=[])

    def home(self) -> Home:
        return Home.from_environment()

    def params(self) -> Params:
        return load_params(self.home().params, list(self.overrides))
