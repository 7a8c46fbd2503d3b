"""Causes that start runs, and alerts for failed runs."""
