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
from xtitan_core.bundle.layout import BUNDLE_FILES
from xtitan_core.files import sync_folder, write_atomically


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
            write_atomically(temporary / name, (source / name).read_bytes(), durable=True)
        os.replace(temporary, target)
        sync_folder(target.parent)
    return target


def kept_bundle(home: Home, model_name: str, bundle_id: str) -> Path:
    """Where a registered bundle lies.

    Raises:
        StepError: it is not there.
    """
    target = folder(home, model_name) / "bundles" / bundle_id
    if not target.is_dir():
        raise StepError(f"{target}: the registered bundle is gone; restore data/releases or register again")
    return target


def publish(home: Home, model_name: str, alias: str, version: str, bundle_id: str) -> None:
    """Point an alias file at a kept bundle."""
    path = folder(home, model_name) / f"{alias}.json"
    document = {"version": version, "manifest_sha256": bundle_id, "bundle": f"bundles/{bundle_id}"}
    write_atomically(path, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode(), durable=True)


def withdraw(home: Home, model_name: str, alias: str) -> None:
    """Remove an alias file, if it is there."""
    path = folder(home, model_name) / f"{alias}.json"
    if path.exists():
        path.unlink()
        # A champion that was taken out must not be back after a power cut.
        sync_folder(path.parent)
