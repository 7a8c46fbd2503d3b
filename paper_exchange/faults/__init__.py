"""Faults on demand, by script or by seed; ``catalogue`` lists them."""
