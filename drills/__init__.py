"""Drills: claims about error rates, prices and safety, measured by running the shipped code many times."""
