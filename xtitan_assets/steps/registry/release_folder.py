"""Release folders: the registry's aliases as plain files, for runners without a registry server.

``data/releases/<model>/<alias>.json`` names a version, its manifest's hash and the folder of its bundle beside it.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home
from xtitan_core.bundle.verification import BUNDLE_FILES


def folder(home: Home, model_name: str) -> Path:
    """Folder of one lineage's releases."""
    return home.data / "releases" / model_name


def keep_bundle(home: Home, model_name: str, bundle_id: str, source: Path) -> Path:
    """Copy a bundle to its permanent place, once, complete or not at all."""
    target = folder(home, model_name) / "bundles" / bundle_id
    if not target.exists():
        temporary = target.with_name(f".{bundle_id}.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name in BUNDLE_FILES:
            shutil.copyfile(source / name, temporary / name)
        os.replace(temporary, target)
    return target


def kept_bundle(home: Home, model_name: str, bundle_id: str) -> Path:
    """Where a registered bundle lies.

    Raises:
        StepError: when it is gone.
    """
    target = folder(home, model_name) / "bundles" / bundle_id
    if not target.is_dir():
        raise StepError(f"{target}: the registered bundle is gone; restore data/releases or register again")
    return target


def publish(home: Home, model_name: str, alias: str, version: str, bundle_id: str) -> None:
    """Point an alias file at a kept bundle."""
    path = folder(home, model_name) / f"{alias}.json"
    temporary = path.with_suffix(".tmp")
    document = {"version": version, "manifest_sha256": bundle_id, "bundle": f"bundles/{bundle_id}"}
    temporary.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    os.replace(temporary, path)


def withdraw(home: Home, model_name: str, alias: str) -> None:
    """Remove an alias file, if it is there."""
    (folder(home, model_name) / f"{alias}.json").unlink(missing_ok=True)
