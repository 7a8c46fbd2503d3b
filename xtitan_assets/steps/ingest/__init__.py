"""Ticks and quotes from the venue."""
