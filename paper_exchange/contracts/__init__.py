"""Contracts: which are offered, what they cost, and how one runs from its purchase to its end."""
