"""Faults on demand, by script or by seed. The catalogue has them all."""
