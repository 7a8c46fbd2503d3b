"""The two roles. A role holds an immutable model; swapping is one reference assignment between two decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from live_runner.models.onnx_model import OnnxModel

Role = Literal["champion", "shadow"]
ROLES: tuple[Role, ...] = ("champion", "shadow")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model under the registry's version.

    Attributes:
        version: the registry's version, for the journal.
        onnx: the model itself.
    """

    version: str
    onnx: OnnxModel

    @property
    def bundle_id(self) -> str:
        """Hash of the manifest."""
        return self.onnx.bundle_id

    @property
    def name(self) -> str:
        """Registered model name."""
        return self.onnx.manifest.model_name


class ModelRoles:
    """What trades (``champion``) and what is watched (``shadow``); both may be empty, which is the normal start."""

    def __init__(self) -> None:
        self._models: dict[Role, LoadedModel] = {}

    @property
    def champion(self) -> LoadedModel | None:
        """What trades; None while the role is empty."""
        return self._models.get("champion")

    def get(self, role: Role) -> LoadedModel | None:
        """The model in a role; None while it is empty."""
        return self._models.get(role)

    def assign(self, role: Role, model: LoadedModel) -> None:
        """Put a model into a role, in place of the one that is there."""
        self._models[role] = model

    def vacate(self, role: Role) -> None:
        """Empty a role."""
        self._models.pop(role, None)

    def loaded(self) -> list[tuple[Role, LoadedModel]]:
        """Occupied roles, champion first."""
        return [(role, self._models[role]) for role in ROLES if role in self._models]
