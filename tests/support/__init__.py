"""Fixtures and doubles that tests of several folders share."""
