"""Errors a call can answer with, and the errors a person starting the exchange can cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class CallError(Exception):
    """A request refused with one of Deriv's error codes.

    Attributes:
        code: Deriv's ``error.code``.
        message: the text a client shows.
        details: field name to text, or None.
    """

    def __init__(self, code: str, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.details = code, message, details

    def body(self) -> dict[str, Any]:
        """The ``error`` member of the answer."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            body["details"] = dict(self.details)
        return body


class SetupError(ValueError):
    """The exchange cannot start as asked: one line for the person who asked, with what to do."""
