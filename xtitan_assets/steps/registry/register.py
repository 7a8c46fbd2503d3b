"""Register a verified bundle: an MLflow version with its aliases, a release folder, a line in the promotion ledger.

A registration opens a test of this candidate and spends one of the lineage's budget. What counts as evidence is what
is decided strictly after it, so the venue time written here is never earlier than anything the pipeline has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.registry import release_folder as releases
from xtitan_assets.steps.registry.mlflow_registry import CHALLENGER, SHADOW, Registered, Registry
from xtitan_assets.steps.registry.promotion_ledger import Entry, Event, Kind, spent
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle.errors import BundleError
from xtitan_core.bundle.keys import KeyFileError, load_public
from xtitan_core.bundle.manifest import Manifest
from xtitan_core.bundle.verification import VerifiedBundle, read_files, verify
from xtitan_core.journal import DecisionRecord, JournalError, ShadowTradeRecord, read_journal


@dataclass(frozen=True, slots=True)
class RegisterReport(Report):
    """What was registered.

    Attributes:
        already: True when this very bundle had been registered before; nothing was spent.
        registered_epoch: venue time, seconds; only later decisions are evidence.
        candidates, budget_left: registrations of this lineage in this calendar year, and how many are left.
    """

    model_name: str
    version: str
    bundle_id: str
    sequence: int
    registered_epoch: int
    run_id: str
    bundle_path: str
    candidates: int
    budget_left: int
    already: bool


def verified(home: Home, folder: Any, now_epoch: float | None = None) -> VerifiedBundle:
    """Read and verify a bundle with this workspace's public keys.

    Args:
        now_epoch: venue time; None skips the expiry check by using the bundle's own creation time.

    Raises:
        StepError: it is missing, broken, expired, or signed with a key that is not in ``home.keys``.
    """
    try:
        keys = [load_public(path) for path in sorted(home.keys.glob("*.pub"))]
        if not keys:
            raise StepError(f"{home.keys}: no public key; run `xtitan run package`, which makes one")
        files = read_files(folder)
        bundle = verify(files, keys, 0)
        return bundle if now_epoch is None else verify(files, keys, now_epoch)
    except (BundleError, KeyFileError) as error:
        raise StepError(f"{error}; package the model again with `xtitan run package`") from error


def register(home: Home, params: Params, dagster_run_id: str = "", *, venue_epoch: int | None = None) -> RegisterReport:
    """Register the bundle in ``data/model/bundle``.

    Running it again on the same bundle repairs the aliases and spends nothing.

    Args:
        dagster_run_id: kept as a tag.
        venue_epoch: the venue's time now, seconds; the bundle's creation time when None.

    Raises:
        StepError: a bundle that does not verify, was made for another model or with an old counter; a spent budget; a
            lineage more than was declared.
    """
    bundle = verified(home, home.bundle)
    manifest = bundle.manifest
    if manifest.model_name != params.model_name:
        raise StepError(
            f"the bundle is {manifest.model_name}, the parameters say {params.model_name}; package the model again"
        )
    with ledger.exclusive(home.ledger):
        entries = ledger.read(home.ledger)
        known = [e for e in ledger.of_model(entries, manifest.model_name) if e.kind is Kind.REGISTERED]
        same = [e for e in known if e.bundle_id == bundle.bundle_id]
        if same:
            return _repair(home, same[0], entries)
        expected = max((int(e.evidence["sequence"]) for e in known), default=0) + 1
        if manifest.sequence != expected:
            raise StepError(
                f"the bundle is registration {manifest.sequence} and the next one is {expected}; package the model again"
            )
        epoch = _registration_epoch(home, manifest, known, venue_epoch or 0)
        _require_budget(entries, params, manifest.model_name, epoch)
        registry = Registry(home)
        version = _add_version(registry, home, bundle, dagster_run_id)
        releases.keep_bundle(home, manifest.model_name, bundle.bundle_id, home.bundle)
        champion = ledger.champion(entries, manifest.model_name)
        event = Event(
            kind=Kind.REGISTERED,
            model_name=manifest.model_name,
            bundle_id=bundle.bundle_id,
            version=version.version,
            who=f"dagster run {dagster_run_id}" if dagster_run_id else ledger.operator(),
            why="enters shadow",
            venue_epoch=epoch,
            before=champion,
            after=champion,
            evidence=_registration_evidence(manifest, version, params),
        )
        entry = ledger.append(home.ledger, event)
        _point_aliases(home, registry, entry)
        return _report(entry, [*entries, entry], already=False)


def _registration_epoch(home: Home, manifest: Manifest, known: list[Entry], venue_epoch: int) -> int:
    """Venue time of a registration, seconds: never earlier than anything that this pipeline has seen.

    Args:
        known: earlier registrations of the lineage.
        venue_epoch: what the venue's clock says; 0 when it was not asked.
    """
    return max(
        manifest.created_epoch,
        # The venue's clock may be behind the data: an exchange that was started again begins at its first day.
        manifest.training.last_epoch,
        venue_epoch,
        _newest_decision(home, manifest.model_name),
        *(e.venue_epoch for e in known),
    )


def _add_version(registry: Registry, home: Home, bundle: VerifiedBundle, dagster_run_id: str) -> Registered:
    """Make a version of the bundle in the registry, with its origin as tags and its scores as metrics."""
    manifest = bundle.manifest
    return registry.register(
        manifest.model_name,
        home.bundle,
        tags={
            "manifest_sha256": bundle.bundle_id,
            "snapshot_id": manifest.training.snapshot_id,
            "sequence": str(manifest.sequence),
            "created_by": manifest.created_by,
            "dagster_run_id": dagster_run_id,
        },
        parameters={"candidate": manifest.training.candidate, "seed": manifest.training.seed},
        metrics={
            name: float(value)
            for name, value in manifest.evaluation.model_dump().items()
            if value is not None and not isinstance(value, bool)
        },
    )


def _registration_evidence(manifest: Manifest, version: Registered, params: Params) -> dict[str, Any]:
    """What the ledger keeps about a registration: the model's origin, and the gate it will be judged by."""
    return {
        "sequence": manifest.sequence,
        "symbols": list(manifest.symbols),
        "expires_epoch": manifest.expires_epoch,
        "snapshot_id": manifest.training.snapshot_id,
        "last_training_epoch": manifest.training.last_epoch,
        "run_id": version.run_id,
        "bundle_path": version.bundle_path,
        "gate": params.gate.model_dump(mode="json"),
    }


def _require_budget(entries: list[Entry], params: Params, model_name: str, epoch: int) -> None:
    """Refuse a registration that the declared lineages or the lineage's budget of the year do not allow.

    Raises:
        StepError: more lineages than were declared, or no registration left this year.
    """
    year = datetime.fromtimestamp(epoch, UTC).year
    registered = [e for e in entries if e.kind is Kind.REGISTERED]
    this_year = [e for e in registered if datetime.fromtimestamp(e.venue_epoch, UTC).year == year]
    declared = int(this_year[0].evidence["gate"]["lineages"]) if this_year else params.gate.lineages
    if params.gate.lineages > declared:
        # Lineages added one at a time would each be judged at the thresholds of a smaller family.
        raise StepError(
            f"gate.lineages was declared as {declared} with the first registration of {year} and cannot rise to "
            f"{params.gate.lineages} before {year + 1}; set it back, or give the new lineage an account and a data folder of its own"
        )
    lineages = {e.model_name for e in registered} | {model_name}
    if len(lineages) > declared:
        raise StepError(
            f"{model_name} would be lineage {len(lineages)} and gate.lineages declares {declared} for {year}; keep to "
            f"{', '.join(sorted(lineages - {model_name}))}, or give it an account and a data folder of its own"
        )
    used = spent(entries, model_name, epoch)
    if used >= params.gate.budget:
        raise StepError(
            f"{model_name} has used its {params.gate.budget} registrations of {year}; wait for {year + 1}, or stop: "
            "more candidates on the same budget would make a lucky one too likely"
        )


def _newest_decision(home: Home, model_name: str) -> int:
    """Newest venue time at which this lineage is known to have decided anything; 0 without a journal."""
    try:
        return max(
            (
                record.epoch
                for segment in read_journal(home.journal)
                for record in segment.records
                if isinstance(record, (DecisionRecord, ShadowTradeRecord)) and record.model_name == model_name
            ),
            default=0,
        )
    except JournalError as error:
        raise StepError(f"{home.journal}: {error}; fetch the runner's segments again") from error


def _repair(home: Home, entry: Entry, entries: list[Entry]) -> RegisterReport:
    """The same bundle again: point the aliases at it, unless it is retired, champion, or a newer one is registered."""
    lineage = ledger.of_model(entries, entry.model_name)
    newest = [e for e in lineage if e.kind is Kind.REGISTERED][-1]
    retired = any(e.bundle_id == entry.bundle_id and e.kind in ledger.RETIRED for e in lineage)
    if newest is entry and not retired and ledger.champion(lineage, entry.model_name) != entry.bundle_id:
        releases.keep_bundle(home, entry.model_name, entry.bundle_id, home.bundle)
        _point_aliases(home, Registry(home), entry)
    return _report(entry, entries, already=True)


def _point_aliases(home: Home, registry: Registry, entry: Entry) -> None:
    """Point the aliases of a candidate at a registration, in the registry and in the release folder."""
    for alias in (CHALLENGER, SHADOW):
        registry.set_alias(entry.model_name, alias, entry.version)
        releases.publish(home, entry.model_name, alias, entry.version, entry.bundle_id)


def _report(entry: Entry, entries: list[Entry], *, already: bool) -> RegisterReport:
    used = spent(entries, entry.model_name, entry.venue_epoch)
    return RegisterReport(
        model_name=entry.model_name,
        version=entry.version,
        bundle_id=entry.bundle_id,
        sequence=int(entry.evidence["sequence"]),
        registered_epoch=entry.venue_epoch,
        run_id=str(entry.evidence["run_id"]),
        bundle_path=str(entry.evidence["bundle_path"]),
        candidates=used,
        budget_left=max(int(entry.evidence["gate"]["budget"]) - used, 0),
        already=already,
    )
