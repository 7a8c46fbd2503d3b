"""Proof that the exchange speaks Deriv's protocol: a trader's day and thousands of bad requests, held against Deriv's schemas.

The schemas are Deriv's own files and stay where they are; nothing of them is in this package.
"""
