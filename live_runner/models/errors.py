"""Why a model is not used."""

from __future__ import annotations


class ModelError(RuntimeError):
    """A bundle that is refused; the message is one line and names the reason."""
