"""Verified bundles on this host: a content-addressed cache, a quarantine, and which bundle each role last held.

``models/<bundle id>/`` holds the files exactly as verified; they are verified again whenever they are read back.
``state.json`` is durable: a start without the registry loads the models that it names.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from live_runner.models.errors import ModelError
from live_runner.models.roles import Role
from xtitan_core.bundle.errors import BundleError
from xtitan_core.bundle.verification import VerifiedBundle, read_files, verify
from xtitan_core.files import sync_folder, write_atomically

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Held:
    """A bundle a role holds or held."""

    bundle_id: str
    version: str


@dataclass
class StoreState:
    """The content of ``state.json``.

    Attributes:
        champion, shadow: what the roles hold.
        previous: the champion before this one: where a rollback goes.
        sequence: highest manifest sequence that was champion here; older bundles are refused unless in ``trusted``.
        trusted: bundles that were champion here.
        quarantined: bundle id to the reason; refused on this host from then on.
    """

    champion: Held | None = None
    previous: Held | None = None
    shadow: Held | None = None
    sequence: int = 0
    trusted: list[str] = field(default_factory=list)
    quarantined: dict[str, str] = field(default_factory=dict)

    def held(self, role: Role) -> Held | None:
        """What a role holds; None while it is empty."""
        return self.champion if role == "champion" else self.shadow

    def assign(self, role: Role, held: Held, sequence: int) -> None:
        """Let a role hold a bundle; a champion becomes trusted, and the one before it the previous."""
        if role == "shadow":
            self.shadow = held
            return
        if self.champion is not None and self.champion.bundle_id != held.bundle_id:
            self.previous = self.champion
        self.champion = held
        self.sequence = max(self.sequence, sequence)
        if held.bundle_id not in self.trusted:
            self.trusted.append(held.bundle_id)

    def vacate(self, role: Role) -> None:
        """Empty a role; the previous champion stays where a rollback finds it."""
        if role == "shadow":
            self.shadow = None
        else:
            self.champion = None

    def quarantine(self, bundle_id: str, reason: str) -> None:
        """Take a bundle out of every role and remember why."""
        self.quarantined[bundle_id] = reason
        self.champion, self.previous, self.shadow = (
            None if held is not None and held.bundle_id == bundle_id else held
            for held in (self.champion, self.previous, self.shadow)
        )


class ModelStore:
    """The models folder of one runner."""

    def __init__(self, folder: Path, keys: Sequence[Ed25519PublicKey]) -> None:
        """Open the folder.

        Args:
            folder: ``models`` in the state folder; created when missing.
            keys: public keys whose signatures are trusted.

        Raises:
            ModelError: when ``state.json`` is damaged: what was quarantined must not be forgotten.
        """
        self._folder, self._keys = folder, keys
        folder.mkdir(parents=True, exist_ok=True)
        self.state = _read_state(folder / STATE)

    def verify(self, files: Mapping[str, bytes], expected_id: str, now: float, *, champion: bool) -> VerifiedBundle:
        """Check everything that can be checked without running the model.

        Args:
            files: contents by name.
            expected_id: the bundle id that the registry promises.
            now: venue time.
            champion: True when it is going to trade: an older registration is then refused.

        Raises:
            ModelError: one line: what is wrong with it.
        """
        try:
            bundle = verify(files, self._keys, now, expected_id=expected_id)
        except BundleError as error:
            raise ModelError(str(error)) from None
        if reason := self.state.quarantined.get(bundle.bundle_id):
            raise ModelError(f"bundle {bundle.bundle_id[:12]} is quarantined ({reason}); register another one")
        sequence = bundle.manifest.sequence
        if champion and sequence < self.state.sequence and bundle.bundle_id not in self.state.trusted:
            raise ModelError(
                f"registration {sequence} is older than {self.state.sequence}, which was champion here; "
                "register it again"
            )
        return bundle

    def keep(self, bundle_id: str, files: Mapping[str, bytes]) -> None:
        """Put verified files into the cache; a folder appears whole or not at all."""
        target = self._folder / bundle_id
        if target.is_dir():
            return
        incoming = self._folder / f"incoming-{bundle_id}"
        shutil.rmtree(incoming, ignore_errors=True)
        for name, body in files.items():
            write_atomically(incoming / name, body, durable=True)
        os.replace(incoming, target)
        sync_folder(self._folder)

    def read(self, bundle_id: str) -> dict[str, bytes]:
        """The cached files of a bundle, to be verified again.

        Raises:
            ModelError: when they are not here or cannot be read.
        """
        try:
            return read_files(self._folder / bundle_id)
        except (OSError, BundleError) as error:
            raise ModelError(f"cached bundle {bundle_id[:12]}: {error}") from None

    def assign(self, role: Role, held: Held, sequence: int = 0) -> None:
        """Remember what a role holds from now on; ``sequence`` is the bundle's registration."""
        self.state.assign(role, held, sequence)
        self._save()

    def vacate(self, role: Role) -> None:
        """Remember that a role holds nothing from now on."""
        self.state.vacate(role)
        self._save()

    def quarantine(self, bundle_id: str, reason: str) -> None:
        """Refuse this bundle on this host from now on."""
        self.state.quarantine(bundle_id, reason)
        self._save()

    def rollback(self, reason: str) -> Held | None:
        """Offline: quarantine the champion and put the previous one in its place.

        The next start verifies and loads it.

        Returns:
            The champion from now on, None when there was no previous one.

        Raises:
            ModelError: when there is no champion.
        """
        champion, previous = self.state.champion, self.state.previous
        if champion is None:
            raise ModelError("there is no champion to roll back from")
        self.quarantine(champion.bundle_id, reason)
        if previous is not None:
            self.assign("champion", previous)
        return previous

    def _save(self) -> None:
        def held(value: Held | None) -> dict[str, str] | None:
            return None if value is None else {"bundle_id": value.bundle_id, "version": value.version}

        state = self.state
        body = {
            "champion": held(state.champion),
            "previous": held(state.previous),
            "shadow": held(state.shadow),
            "sequence": state.sequence,
            "trusted": state.trusted,
            "quarantined": state.quarantined,
        }
        write_atomically(self._folder / STATE, json.dumps(body, indent=1).encode(), durable=True)


def _read_state(path: Path) -> StoreState:
    try:
        body = json.loads(path.read_text())

        def held(name: str) -> Held | None:
            value = body[name]
            return None if value is None else Held(str(value["bundle_id"]), str(value["version"]))

        return StoreState(
            held("champion"),
            held("previous"),
            held("shadow"),
            int(body["sequence"]),
            [str(item) for item in body["trusted"]],
            {str(k): str(v) for k, v in body["quarantined"].items()},
        )
    except FileNotFoundError:
        return StoreState()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: damaged ({error}); move the models folder away to start with none") from None
