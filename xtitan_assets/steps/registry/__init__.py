"""Registered models: MLflow, release folders and the promotion ledger."""
