"""A workspace with real keys, a real MLflow database and registered bundles; and an empty one."""

from support.dagster_workspace import workspace as empty_workspace
from support.registry_workspace import fair, planted, workspace

__all__ = ["empty_workspace", "fair", "planted", "workspace"]
