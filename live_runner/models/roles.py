"""The two slots. A slot holds an immutable model; swapping is one reference assignment between two decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from live_runner.models.session import ModelSession

Slot = Literal["champion", "shadow"]


@dataclass(frozen=True, slots=True)
class SlotModel:
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


class ModelSlots:
    """What trades (``champion``) and what is watched (``shadow``); both may be empty, which is the normal start."""

    def __init__(self) -> None:
        self.champion: SlotModel | None = None
        self.shadow: SlotModel | None = None

    def loaded(self) -> list[tuple[Slot, SlotModel]]:
        """Occupied slots, champion first."""
        occupied: list[tuple[Slot, SlotModel]] = []
        if self.champion is not None:
            occupied.append(("champion", self.champion))
        if self.shadow is not None:
            occupied.append(("shadow", self.shadow))
        return occupied
