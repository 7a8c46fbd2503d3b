"""Bundles, which carry a model from training to trading: a signed folder, its manifest, golden vectors and keys."""
