"""The two roles. A role holds an immutable model; swapping is one reference assignment between two decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from live_runner.models.session import ModelSession

Role = Literal["champion", "shadow"]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded model under the registry's version.

    Attributes:
        version: the registry's version, for the journal.
        session: the model itself.
    """

    version: str
    session: ModelSession

    @property
    def bundle_id(self) -> str:
        """Hash of the manifest."""
        return self.session.bundle_id

    @property
    def name(self) -> str:
        """Registered model name."""
        return self.session.manifest.model_name


class ModelRoles:
    """What trades (``champion``) and what is watched (``shadow``); both may be empty, which is the normal start."""

    def __init__(self) -> None:
        self.champion: LoadedModel | None = None
        self.shadow: LoadedModel | None = None

    def loaded(self) -> list[tuple[Role, LoadedModel]]:
        """Occupied roles, champion first."""
        occupied: list[tuple[Role, LoadedModel]] = []
        if self.champion is not None:
            occupied.append(("champion", self.champion))
        if self.shadow is not None:
            occupied.append(("shadow", self.shadow))
        return occupied
