"""Why a model is not used."""

from __future__ import annotations

from live_runner.errors import RunnerError


class ModelError(RunnerError, RuntimeError):
    """A bundle that is refused; the message is one line and names the reason."""
