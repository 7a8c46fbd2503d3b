"""What the runner reports back."""
