"""Evidence and drift from the runner's journal."""
