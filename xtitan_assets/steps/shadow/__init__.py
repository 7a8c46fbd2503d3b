"""What the runner's journal proves."""
