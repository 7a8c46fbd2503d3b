"""A workspace with real keys, a real MLflow database and registered bundles."""

from support.registry_workspace import fair, planted, workspace

__all__ = ["fair", "planted", "workspace"]
