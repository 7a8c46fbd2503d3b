"""The Dagster code location: everything in ``defs``, plus the sensors that watch asset state."""

from pathlib import Path

import dagster as dg

from xtitan_assets.workspace import environment

environment.apply()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
