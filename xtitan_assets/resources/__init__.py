"""Dagster resources: where the workspace is, and how DVC is called."""
