"""Measurements. Each figure stands beside a named peer or a physical limit that was measured in the same run."""
