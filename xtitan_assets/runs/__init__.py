"""Executing Dagster jobs in this process."""
