"""The trained model on disk, read only together with the dataset it was trained on. Importing this loads torch."""

from __future__ import annotations

from typing import Any

from xtitan_assets.modeling.checkpoint import CheckpointError, read_model
from xtitan_assets.modeling.network import Model
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home


def load_trained(home: Home, manifest: dict[str, Any]) -> tuple[Model, dict[str, Any]]:
    """The model in ``home.checkpoint`` and its description.

    Args:
        manifest: of the current dataset.

    Raises:
        StepError: there is no model, it is broken, or it was trained on another dataset: judging it on this one
            could leak.
    """
    try:
        model, description = read_model(home.checkpoint)
    except CheckpointError as error:
        raise StepError(str(error)) from error
    if description["snapshot_id"] != manifest["snapshot_id"]:
        raise StepError(
            f"{home.checkpoint}: trained on another dataset than the current one; run `xtitan run train` again"
        )
    return model, description
