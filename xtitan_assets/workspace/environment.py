"""Environment variables that the pipeline's tools must see before they are imported.

They turn off telemetry, the loading of pickles and MLflow's job runners.

``deploy/xtitan.env`` carries the same names for service units; a test compares the two.
"""

from __future__ import annotations

import os

SETTINGS = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # MLflow's default is true; unpickling a model file from a registry could run code.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    # Seven job consumers and 2 GB of memory that x.titan has no use for.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def apply() -> None:
    """Set what the caller's environment does not already set."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
