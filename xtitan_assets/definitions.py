"""The Dagster code location: everything in ``defs``, each asset with the version of its code."""

from pathlib import Path

import dagster as dg

from xtitan_assets.workspace import environment
from xtitan_assets.workspace.lineage import code_version

environment.apply()


def with_code_version(spec: dg.AssetSpec) -> dg.AssetSpec:
    return spec.replace_attributes(code_version=code_version(spec.key.to_user_string()))


@dg.definitions
def defs() -> dg.Definitions:
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return loaded.map_asset_specs(func=with_code_version)
