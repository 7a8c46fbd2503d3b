"""Errors that a person can fix, raised by the steps."""

from __future__ import annotations


class StepError(RuntimeError):
    """A step cannot do its work; the message is one line: what is wrong, and what to do about it."""
