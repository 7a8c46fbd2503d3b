"""Verification of the protocol: a trader's day and thousands of bad requests, checked against Deriv's schemas.

The schemas are Deriv's own files and are not part of this package.
"""
