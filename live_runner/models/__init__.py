"""Models: read from a registry, verified, stored, and run in one of two roles."""
