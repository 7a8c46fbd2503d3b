"""Measurements that anyone can run: ratios measured in one run against a named peer or a physical limit."""
