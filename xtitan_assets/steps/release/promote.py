"""Move the champion: promotion when the gate opens, rollback and demotion at any time. Each adds one ledger line.

The ledger is written first and the alias moved after it; running the same command again repairs an alias that a crash
left behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xtitan_assets.steps.registry import promotion_ledger as ledger
from xtitan_assets.steps.registry import release_folder as releases
from xtitan_assets.steps.registry.mlflow_registry import CHALLENGER, CHAMPION, SHADOW, Registry
from xtitan_assets.steps.registry.promotion_ledger import Entry, Event, Kind
from xtitan_assets.steps.registry.register import verified
from xtitan_assets.steps.report import Report
from xtitan_assets.steps.shadow import evidence as shadow
from xtitan_assets.steps.shadow.evidence import ShadowReport, write_certificate
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.files import write_atomically


@dataclass(frozen=True, slots=True)
class PromotionReport(Report):
    """What became of the champion.

    Attributes:
        promoted: True when the candidate is champion now.
        decided: what the shadow evaluation decided, or what was done: ``rolled_back``, ``demoted``.
        why: one line.
        model_name, version, bundle_id: the candidate, or the champion that was taken out.
        before, after: champion's bundle before and after; empty = none.
        e_own, e_lineage: bankrolls at this evaluation; 0 where they played no part.
        certificate: folder of the certificate, empty without one.
    """

    promoted: bool
    decided: str
    why: str
    model_name: str
    version: str
    bundle_id: str
    before: str
    after: str
    e_own: float = 0.0
    e_lineage: float = 0.0
    certificate: str = ""


def promote(home: Home, params: Params, who: str = "", why: str = "") -> PromotionReport:
    """Evaluate the newest candidate again and promote it if, and only if, the gate opens.

    A refusal is written to the ledger as well. A futile candidate is closed and loses the role ``shadow``.

    Args:
        who: person or job; the login name when empty.
        why: their reason, added to the rule that opened the gate.

    Raises:
        StepError: nothing registered, or journal, ledger, bundle or registry are broken.
    """
    who = who or ledger.operator()
    with ledger.exclusive(home.ledger):
        report = shadow.evaluate(home, params)
        entries = ledger.read(home.ledger)
        current = ledger.champion(entries, report.certificate.model_name)
        registry = Registry(home)
        if current == report.certificate.bundle_id:
            _place_champion(home, registry, report)
            return _report(report, report.why, current, current, _certificate_folder(home, report))
        refusal = report.why if report.decided != "promoted" else _obstacle(home, registry, report)
        if refusal:
            return _refuse(home, registry, report, entries, current, who, refusal)
        reason = f"{report.why}; {why}" if why else report.why
        _append(home, Kind.PROMOTED, report, who, reason, current, report.certificate.bundle_id)
        _place_champion(home, registry, report)
        return _report(report, reason, current, report.certificate.bundle_id, _write_certificate(home, report))


def rollback(home: Home, params: Params, who: str = "", why: str = "") -> PromotionReport:
    """Take the champion out and put the one before it back; without one the runner goes shadow-only.

    Raises:
        StepError: there is no champion.
    """
    return _take_out(home, params, Kind.ROLLED_BACK, who, why or "rolled back by hand", {}, successor=True)


def demote(
    home: Home, params: Params, who: str = "", why: str = "", evidence: dict[str, Any] | None = None
) -> PromotionReport:
    """Take the champion out because its edge is no longer there; no other model takes its place.

    Args:
        evidence: the detector's numbers.

    Raises:
        StepError: there is no champion.
    """
    return _take_out(home, params, Kind.DEMOTED, who, why or "demoted by hand", evidence or {}, successor=False)


def _obstacle(home: Home, registry: Registry, report: ShadowReport) -> str:
    """Why a candidate with enough evidence must not be promoted all the same; empty when nothing stands against it."""
    certificate = report.certificate
    try:
        bundle = verified(
            home, releases.kept_bundle(home, certificate.model_name, certificate.bundle_id), certificate.last_epoch
        )
    except StepError as error:
        return str(error)
    if bundle.bundle_id != certificate.bundle_id:
        return f"the kept bundle is {bundle.bundle_id[:12]}, registered was {certificate.bundle_id[:12]}"
    tagged = registry.tags(certificate.model_name, certificate.model_version).get("manifest_sha256")
    if tagged != certificate.bundle_id:
        return f"the registry's version {certificate.model_version} names another manifest ({str(tagged)[:12]})"
    return ""


def _refuse(
    home: Home, registry: Registry, report: ShadowReport, entries: list[Entry], current: str, who: str, refusal: str
) -> PromotionReport:
    certificate = report.certificate
    retired = any(e.kind in ledger.RETIRED and e.bundle_id == certificate.bundle_id for e in entries)
    close = report.decided == "futile" and not retired
    _append(home, Kind.CLOSED if close else Kind.REFUSED, report, who, refusal, current, current)
    if report.decided == "futile":
        for alias in (SHADOW, CHALLENGER):
            _withdraw(home, registry, certificate.model_name, alias, certificate.model_version)
    return PromotionReport(
        False,
        report.decided,
        refusal,
        certificate.model_name,
        certificate.model_version,
        certificate.bundle_id,
        current,
        current,
        certificate.e_own,
        certificate.e_lineage,
    )


def _take_out(
    home: Home, params: Params, kind: Kind, who: str, why: str, evidence: dict[str, Any], *, successor: bool
) -> PromotionReport:
    with ledger.exclusive(home.ledger):
        lineage = ledger.of_model(ledger.read(home.ledger), params.model_name)
        registered = {e.bundle_id: e for e in lineage if e.kind is Kind.REGISTERED}
        current = ledger.champion(lineage, params.model_name)
        registry = Registry(home)
        pointed = registry.alias(params.model_name, CHAMPION)
        if pointed is not None and lineage and lineage[-1].kind is kind and pointed == lineage[-1].version:
            # A crash came between this ledger line and the alias: move the alias instead of taking out another one.
            last = lineage[-1]
            _point_champion(home, registry, params.model_name, registered.get(current))
            return PromotionReport(
                False, kind.value, last.why, params.model_name, last.version, last.bundle_id, last.before, last.after
            )
        if not current:
            raise StepError(f"{params.model_name} has no champion; there is nothing to take out")
        after = _predecessor(lineage, current) if successor else ""
        out = registered[current]
        event = Event(
            kind=kind,
            model_name=params.model_name,
            bundle_id=current,
            version=out.version,
            who=who or ledger.operator(),
            why=why,
            venue_epoch=max(e.venue_epoch for e in lineage),
            before=current,
            after=after,
            evidence=evidence,
        )
        ledger.append(home.ledger, event)
        _point_champion(home, registry, params.model_name, registered.get(after))
        for alias in (SHADOW, CHALLENGER):
            _withdraw(home, registry, params.model_name, alias, out.version)
        return PromotionReport(False, kind.value, why, params.model_name, out.version, current, current, after)


def _predecessor(lineage: Sequence[Entry], current: str) -> str:
    """The latest champion before ``current`` that was not itself taken out; empty when there is none."""
    retired = {e.bundle_id for e in lineage if e.kind in ledger.RETIRED}
    earlier = [e.bundle_id for e in lineage if e.kind is Kind.PROMOTED and e.bundle_id not in retired | {current}]
    return earlier[-1] if earlier else ""


def _point_champion(home: Home, registry: Registry, model_name: str, entry: Entry | None) -> None:
    """Make registry and release folder agree with the ledger; None = no champion."""
    if entry is None:
        registry.delete_alias(model_name, CHAMPION)
        releases.withdraw(home, model_name, CHAMPION)
    else:
        registry.set_alias(model_name, CHAMPION, entry.version)
        releases.publish(home, model_name, CHAMPION, entry.version, entry.bundle_id)


def _place_champion(home: Home, registry: Registry, report: ShadowReport) -> None:
    """Point the alias ``champion`` at the candidate, and take the role ``shadow`` from it."""
    certificate = report.certificate
    registry.set_alias(certificate.model_name, CHAMPION, certificate.model_version)
    releases.publish(home, certificate.model_name, CHAMPION, certificate.model_version, certificate.bundle_id)
    # The runner shadows its champion anyway. With the role ``shadow`` as well, each trade would be recorded twice.
    _withdraw(home, registry, certificate.model_name, SHADOW, certificate.model_version)


def _withdraw(home: Home, registry: Registry, model_name: str, alias: str, version: str) -> None:
    """Remove an alias from the registry and the release folder, but only from this version."""
    if registry.alias(model_name, alias) == version:
        registry.delete_alias(model_name, alias)
        releases.withdraw(home, model_name, alias)


def _append(home: Home, kind: Kind, report: ShadowReport, who: str, why: str, before: str, after: str) -> None:
    certificate = report.certificate
    event = Event(
        kind=kind,
        model_name=certificate.model_name,
        bundle_id=certificate.bundle_id,
        version=certificate.model_version,
        who=who,
        why=why,
        venue_epoch=max(certificate.last_epoch, certificate.registered_epoch),
        before=before,
        after=after,
        evidence={**certificate.as_dict(), "certificate_sha256": certificate.sha256},
    )
    ledger.append(home.ledger, event)


def _certificate_folder(home: Home, report: ShadowReport) -> str:
    path = home.reports / "certificates" / report.certificate.bundle_id[:16]
    return str(path) if path.is_dir() else ""


def _write_certificate(home: Home, report: ShadowReport) -> str:
    """Keep the certificate that promoted together with its trades; the reports show the latest evaluation only."""
    folder = home.reports / "certificates" / report.certificate.bundle_id[:16]
    write_atomically(folder / "trades.csv", Path(report.trades_csv).read_bytes(), durable=True)
    write_certificate(folder, report.certificate, durable=True)
    return str(folder)


def _report(report: ShadowReport, why: str, before: str, after: str, folder: str) -> PromotionReport:
    """A candidate that is champion now; ``folder`` holds its certificate."""
    certificate = report.certificate
    return PromotionReport(
        True,
        "promoted",
        why,
        certificate.model_name,
        certificate.model_version,
        certificate.bundle_id,
        before,
        after,
        certificate.e_own,
        certificate.e_lineage,
        folder,
    )
