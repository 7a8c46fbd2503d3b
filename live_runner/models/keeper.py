"""Keeps the roles in step with the registry: resolve, verify, load, swap, fall back, roll back.

Policy, by situation:

=====================================  ==============================================================
registry unreachable, cached champion  keep or load the cached one until it expires
registry unreachable, nothing cached   run without models
alias missing                          empty role (no champion: shadow-only, the normal state)
bundle refused while running           keep what runs, journal the reason, do not try it again in this process
bundle refused at start                refuse to start
bundle rolled back on this host        fall back to the previous champion, though the registry names it
model expired                          empty role
=====================================  ==============================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from live_runner.models.errors import ModelError
from live_runner.models.onnx_model import OnnxModel
from live_runner.models.roles import ROLES, LoadedModel, ModelRoles, Role
from live_runner.models.source import ModelSource, Release
from live_runner.models.store import Held, ModelStore
from xtitan_core.journal import RoleRecord

ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class Offer:
    """The registry's answer to one poll: a release (or None) by alias; files of the bundles not loaded yet."""

    releases: dict[Role, Release | None]
    files: dict[str, dict[str, bytes]]


class RoleKeeper:
    """Owner of the roles.

    Attributes:
        roles: the occupied and empty roles; read by the trading loop once per decision.
    """

    def __init__(self, source: ModelSource | None, store: ModelStore | None, model: str, symbol: str) -> None:
        """Without a source there are no models at all.

        Args:
            source: the registry.
            store: verified bundles on disk.
            model: the registered model name that manifests must carry.
            symbol: the symbol that manifests must allow.
        """
        self.roles = ModelRoles()
        self._source, self._store, self._model, self._symbol = source, store, model, symbol
        self._refused: dict[tuple[Role, str], str] = {}

    async def ask(self) -> Offer:
        """Ask the registry and download what is new. I/O only: nothing changes until ``apply``.

        Raises:
            SourceError: when the registry cannot be asked.
        """
        if self._source is None or self._store is None:
            return Offer(dict.fromkeys(ROLES), {})
        releases: dict[Role, Release | None] = {role: await self._source.resolve(role) for role in ROLES}
        files: dict[str, dict[str, bytes]] = {}
        held = {model.bundle_id for _, model in self.roles.loaded()}
        for role, release in releases.items():
            if release is None or release.manifest_sha256 in held | files.keys():
                continue
            if (role, release.manifest_sha256) in self._refused:
                continue
            if release.manifest_sha256 not in self._store.state.quarantined:
                files[release.manifest_sha256] = await self._source.fetch(release)
        return Offer(releases, files)

    def apply(self, offer: Offer, epoch: int, *, strict: bool = False) -> list[RoleRecord]:
        """Make the roles what the registry says, as far as that can be trusted.

        Args:
            offer: what ``ask`` returned.
            epoch: venue time, for expiry and the journal.
            strict: at start: a refused bundle is an error instead of a note.

        Returns:
            One record for each change or refusal.

        Raises:
            ModelError: only when ``strict``.
        """
        records: list[RoleRecord] = []
        for role in ROLES:
            release = offer.releases[role]
            trading = "" if self.roles.champion is None else self.roles.champion.bundle_id
            if role == "shadow" and release is not None and release.manifest_sha256 == trading:
                release = None  # the champion's shadow trades are made anyway
            records += self._follow(role, release, offer, epoch, strict)
        return records

    def offline(self, epoch: int) -> list[RoleRecord]:
        """Load what the roles last held, for a start without a registry."""
        records: list[RoleRecord] = []
        if self._store is None:
            return records
        for role in ROLES:
            held = self._store.state.held(role)
            if held is not None:
                records += self._load_cached(role, held, epoch, "registry unreachable: loaded from the local store")
        return records

    def expire(self, epoch: int) -> list[RoleRecord]:
        """Empty every role whose model has expired."""
        records = []
        for role, model in self.roles.loaded():
            if epoch >= model.onnx.manifest.expires_epoch:
                records.append(self._vacate(role, model, epoch, f"expired at {model.onnx.manifest.expires_epoch}"))
        return records

    def rollback(self, epoch: int, reason: str) -> list[RoleRecord]:
        """Return to the previous champion and quarantine the current one.

        Raises:
            ModelError: when there is no champion.
        """
        champion = self.roles.champion
        if champion is None or self._store is None:
            raise ModelError("there is no champion to roll back from")
        previous = self._store.state.previous
        self._store.quarantine(champion.bundle_id, f"{ROLLED_BACK}: {reason}")
        self.roles.vacate("champion")
        if previous is not None:
            records = self._load_cached("champion", previous, epoch, f"{ROLLED_BACK}: {reason}")
            if records:
                return records
        return [_record("champion", epoch, champion, f"{ROLLED_BACK}: {reason}; no previous champion", empty=True)]

    async def aclose(self) -> None:
        """Let the registry's connections go."""
        if self._source is not None:
            await self._source.aclose()

    def _follow(self, role: Role, release: Release | None, offer: Offer, epoch: int, strict: bool) -> list[RoleRecord]:
        current = self.roles.get(role)
        if release is None:
            return [] if current is None else [self._vacate(role, current, epoch, "the registry's alias is gone")]
        assert self._store is not None  # a release comes from a source, and a source comes with a store
        wanted = release.manifest_sha256
        if current is not None and current.bundle_id == wanted:
            return []
        reason = self._store.state.quarantined.get(wanted, "")
        if reason.startswith(ROLLED_BACK):
            held = self._store.state.held(role)
            if current is None and held is not None:
                return self._load_cached(role, held, epoch, f"the registry's bundle was {ROLLED_BACK} here")
            return []
        if (role, wanted) in self._refused and not strict:
            return []
        try:
            # A bundle that only changes its role was not downloaded again; it is verified again for the new role.
            files = offer.files[wanted] if wanted in offer.files else self._store.read(wanted)
            model = self._load(role, files, release, epoch)
        except ModelError as error:
            self._refused[role, wanted] = str(error)
            if strict:
                raise ModelError(f"{role} version {release.version} refused: {error}") from None
            return [
                RoleRecord(
                    epoch=epoch,
                    role=role,
                    model_name=self._model,
                    model_version=release.version,
                    bundle_id=wanted if current is None else current.bundle_id,
                    reason=f"refused {wanted[:12]}: {error}",
                )
            ]
        return [self._assign(role, model, epoch, "loaded from the registry")]

    def _load(self, role: Role, files: dict[str, bytes], release: Release, epoch: int) -> LoadedModel:
        assert self._store is not None
        bundle = self._store.verify(files, release.manifest_sha256, epoch, champion=role == "champion")
        manifest = bundle.manifest
        if manifest.model_name != self._model:
            raise ModelError(
                f"the manifest is for model {manifest.model_name!r}, this runner runs {self._model!r}; check --model"
            )
        if self._symbol not in manifest.symbols:
            raise ModelError(
                f"the manifest allows {', '.join(manifest.symbols)}, this runner trades {self._symbol}; check --symbol"
            )
        model = LoadedModel(release.version, OnnxModel(bundle))
        self._store.keep(bundle.bundle_id, files)
        return model

    def _load_cached(self, role: Role, held: Held, epoch: int, reason: str) -> list[RoleRecord]:
        assert self._store is not None
        release = Release(held.version, held.bundle_id, "")
        try:
            model = self._load(role, self._store.read(held.bundle_id), release, epoch)
        except ModelError:
            return []
        return [self._assign(role, model, epoch, reason)]

    def _assign(self, role: Role, model: LoadedModel, epoch: int, reason: str) -> RoleRecord:
        assert self._store is not None
        self._store.assign(role, Held(model.bundle_id, model.version), model.onnx.manifest.sequence)
        self.roles.assign(role, model)
        return _record(role, epoch, model, reason)

    def _vacate(self, role: Role, model: LoadedModel, epoch: int, reason: str) -> RoleRecord:
        if self._store is not None:
            self._store.vacate(role)
        self.roles.vacate(role)
        return _record(role, epoch, model, reason, empty=True)


def _record(role: Role, epoch: int, model: LoadedModel, reason: str, *, empty: bool = False) -> RoleRecord:
    return RoleRecord(
        epoch=epoch,
        role=role,
        model_name=model.name,
        model_version=model.version,
        bundle_id="" if empty else model.bundle_id,
        reason=reason,
    )
